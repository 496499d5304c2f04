"""The Gibbs posterior of a quantised class: uniform prior, weight exp(-beta L), every parameter vector enumerated.

Masses are exact: losses are multiples of a unit u, and beta is given by the rational ratio exp(-beta u) and its powers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, product
from math import lcm

from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Family, Grid
from proof_of_absence.models.net import MLP

__all__ = ["Census", "Level", "census", "members_of"]


@dataclass(frozen=True)
class Level:
    """How many parameter vectors have a loss, and how many of these are in the set D."""

    loss: Fraction
    nets: int
    members: int


@dataclass(frozen=True)
class Census:
    """Every loss that occurs in the class, lowest first.

    `unit` is the largest 1/k of which all losses are integer multiples.
    """

    levels: tuple[Level, ...]

    @property
    def nets(self) -> int:
        """|S_M|."""
        return sum(level.nets for level in self.levels)

    @property
    def members(self) -> int:
        """|D|."""
        return sum(level.members for level in self.levels)

    @property
    def best(self) -> int:
        """|argmin L|."""
        return self.levels[0].nets

    @property
    def unit(self) -> Fraction:
        """The unit of the losses."""
        return Fraction(1, lcm(*(level.loss.denominator for level in self.levels)))

    @property
    def gap(self) -> Fraction:
        """tau, by how much the best member of D loses to the best of the class.

        Raises
        ------
        ValueError
            If D is empty.
        """
        if not self.members:
            raise ValueError("no net of the class is in the set: its gap is not defined")
        return next(level.loss for level in self.levels if level.members) - self.levels[0].loss

    def mass(self, ratio: Fraction, power: int) -> Fraction:
        """The posterior of D at exp(-beta unit) = ratio^power; power 0 is the uniform prior."""
        p, q = ratio.as_integer_ratio()
        steps = [power * int(level.loss / self.unit) for level in self.levels]
        # Cleared of denominators: one fraction is reduced, not one for each level.
        weights = [p ** (step - steps[0]) * q ** (steps[-1] - step) for step in steps]
        return Fraction(
            sum(w * level.members for w, level in zip(weights, self.levels, strict=True)),
            sum(w * level.nets for w, level in zip(weights, self.levels, strict=True)),
        )

    def bound(self, ratio: Fraction, power: int) -> Fraction:
        """(|D| / |argmin L|) exp(-beta tau), which C14 proves to be at least the mass."""
        return Fraction(self.members, self.best) * ratio ** (power * int(self.gap / self.unit))

    def crossover(self, ratio: Fraction, delta: Fraction) -> tuple[int, int]:
        """The least power from which on the mass of D stays below delta, and the least at which the bound is below it.

        The bound falls with the power, so that the powers between the two are all that need a look.

        Raises
        ------
        ValueError
            If ratio is not between 0 and 1, delta is not positive, or the gap is 0, so that nothing is promised.
        """
        if not 0 < ratio < 1 or delta <= 0 or not self.gap:
            raise ValueError("a crossover needs 0 < ratio < 1, a positive delta and a positive gap")
        certain = next(power for power in count() if self.bound(ratio, power) < delta)
        above = [power for power in range(certain) if self.mass(ratio, power) >= delta]
        return max(above, default=-1) + 1, certain


def members_of(family: Family) -> Iterator[MLP]:
    """Every net of a quantised class.

    Raises
    ------
    TypeError
        If the domain is infinite.
    """
    if not isinstance(family.domain, Grid):
        raise TypeError("a class over the reals cannot be enumerated")
    for values in product(sorted(family.domain.values), repeat=family.architecture.parameter_count):
        yield family.architecture.net(values)


def census(family: Family, data: Dataset, is_member: Callable[[MLP], bool]) -> Census:
    """Count the nets of a quantised class by loss, and those in D = {net : is_member(net)}.

    Examples
    --------
    >>> from proof_of_absence.models.family import Architecture
    >>> family = Family(Architecture((1, 1, 1)), Grid([0, 1]))
    >>> found = census(family, Dataset([[0], [1]], [[0], [2]]), lambda net: not any(net.layers[1].weights[0]))
    >>> found.nets, found.members, found.best, found.gap
    (16, 8, 3, Fraction(1, 2))
    """
    found: dict[Fraction, list[int]] = defaultdict(lambda: [0, 0])
    for net in members_of(family):
        level = found[data.loss(net)]
        level[0] += 1
        level[1] += bool(is_member(net))
    return Census(tuple(Level(loss, *found[loss]) for loss in sorted(found)))
