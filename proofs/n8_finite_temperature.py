"""N8, a countermodel: sample at a finite temperature in place of the minimum,
and most models have an idle circuit that fires, although no minimiser has.
"""

from fractions import Fraction
from functools import cache

from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Scope, Verdict
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture, Family, Grid
from proof_of_absence.models.net import MLP
from proof_of_absence.models.posterior import members_of
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c14_posterior import FIRING, HALF, Quantised, crossover, posterior
from proof_of_absence.proofs.c14_posterior import WARM as FIRING_WARM
from proof_of_absence.proofs.n7_quantised import least_in_class

# As in C14 a unit tends to be silent left of 0 and to fire at 2; here on four inputs, 0 among them.
FOUR = Quantised((1, 1, 1), (-1, 1, 2), Dataset([[-3], [-2], [-1], [0]], [[0], [2], [2], [1]]), vector([2]))
# Powers of exp(-beta unit) = RATIO at which most of the mass is on D, and at which it no longer is; less than this
# of FOUR's nets are in D.
WARM, COLD = 4, 13
PRIOR = Fraction(1, 4)


@cache
def _least(chosen: Quantised, units: int) -> MLP:
    d, _, m = chosen.widths
    family = Family(Architecture((d, units, m)), Grid(chosen.grid))
    return min(members_of(family), key=chosen.data.loss)


def most_of_the_mass(chosen: Quantised, power: int) -> Evidence:
    """A minimiser above the noise floor without an idle circuit, a better net of one unit more.

    D has over half of the mass, and less when colder.
    """
    net, wider, data = _least(chosen, chosen.widths[1]), _least(chosen, chosen.widths[1] + 1), chosen.data
    return Evidence(
        facts.every(
            least_in_class(net, data, chosen.grid),
            facts.loss_above_floor(net, data),
            facts.no_idle_circuit(net, data),
            facts.lower_loss(net, wider, data, wider=True),
            posterior(chosen, power, above=HALF),
            # A positive gap: no minimiser at all is in D.
            crossover(chosen, HALF),
        )
    )


CLAIM = Claim(
    id="N8",
    title="Minimisation needed",
    statement=r"There are data and a finite class on which no net of least loss has a train-idle circuit that fires at "
    r"deployment, P1 holds, and yet at some finite temperature more than half of the posterior mass ($P\sim e^{-\beta "
    r"L}$, uniform prior) lies on nets that have one. C8's minimiser cannot be replaced by a sample from the "
    r"posterior.",
    premises=(
        "all premises of C8 but minimality: the net is drawn from the posterior at a finite beta",
        "the class is finite, P1 within it",
    ),
    proof=r"A silent unit has free parameters: many nets share one loss slightly above the least. At small $\beta$ "
    r"their number outweighs it. All nets are counted; $\beta$ is given by $e^{-\beta u}=(4/5)^k$, $u$ the unit of the "
    r"losses, so that the masses are rational.",
    limits="Instances, n=1 on three values: a quantised class, so that the posterior is a finite sum. That alone does "
    "no harm here: no net of least loss on it has such a circuit. From a stated power on the mass is below a half (C14 "
    "bounds it for every finite class with a gap). Which temperature a training procedure corresponds to is not "
    "addressed.",
    drops=Drops("C8", "minimality", "a sample from the posterior at a finite temperature"),
    obligations=(
        Obligation(
            "N8.three-inputs",
            f"{FIRING.nets} nets of one unit on {len(FIRING.data)} inputs: over {HALF} of the mass at "
            f"{FIRING.at(FIRING_WARM)} is on nets with an idle circuit that fires at {FIRING.firing[0]}, and no "
            "minimiser is one of these; a minimiser is above the noise floor and has no idle circuit at all, and a "
            f"net of two units is better; from some power on their mass stays below {HALF}",
            Scope.INSTANCE,
            lambda: most_of_the_mass(FIRING, FIRING_WARM),
        ),
        Obligation(
            "N8.four-inputs",
            f"{FOUR.nets} nets of one unit on {len(FOUR.data)} inputs: the same at {FOUR.at(WARM)}, though these nets "
            f"have under {PRIOR} of the prior",
            Scope.INSTANCE,
            lambda: Evidence(
                facts.every(most_of_the_mass(FOUR, WARM).fact, posterior(FOUR, 0, below=PRIOR)),
            ),
        ),
        Obligation(
            "N8.control",
            f"On the {len(FOUR.data)} inputs they have at least {HALF} of the mass at {FOUR.at(COLD)} too",
            Scope.INSTANCE,
            lambda: Evidence(posterior(FOUR, COLD, below=HALF), holds=False),
            Verdict.REFUTED,
        ),
    ),
)
