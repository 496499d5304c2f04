"""What is said of residuals and the units that correlate with them."""

from fractions import Fraction

from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP


def separating_unit(fact):
    unit = MLP((Affine([fact["weights"]], [fact["bias"]]), Affine([[1]], [0])))
    total = sum(Fraction(r) * unit(z)[0] for r, z in zip(fact["residuals"], fact["inputs"], strict=True))
    return total == Fraction(fact["inner_product"]) != 0


def nothing_separates(fact):
    return any(map(Fraction, fact["residuals"])) and not any(
        sum(Fraction(r) for r, z in zip(fact["residuals"], fact["inputs"], strict=True) if list(map(Fraction, z)) == u)
        for u in [list(map(Fraction, z)) for z in fact["inputs"]]
    )


SAYS = {
    "nothing-separates": nothing_separates,
    "separating-unit": separating_unit,
}
