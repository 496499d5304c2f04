"""C24: the chance that some net of a finite class does as well as another on a sample, and defects at deployment."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Literal, NotRequired, TypedDict

from proof_of_absence.checker.kernel.certificate import net_json, rows_json
from proof_of_absence.models.family import Architecture
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Matrix, Vector
from proof_of_absence.proofs.facts.written import Fact, Net, Row, Table, row

__all__ = ["Sampling", "sample_chance"]


class SampleChance(TypedDict):
    """Of all nets with parameters from `grid`, answers yes where the output is at least 1/2, and `draws` inputs.

    `chance`: that some net has no more wrong answers on the sample than `base` has, and answers otherwise than it with
    probability `least` or more at deployment. A wrong answer is one that is not written down; what is written down is
    `base`'s answer, but the other with probability `noise`. `bound` is that of C24, `members` the number of nets.
    """

    kind: Literal["sample-chance"]
    base: Net
    grid: Row
    inputs: Table
    train: Row
    deploy: Row
    mixing: str
    least: str
    draws: int
    noise: NotRequired[str]
    theta: NotRequired[str]
    members: int
    chance: str
    bound: str


@dataclass(frozen=True)
class Sampling:
    """A class of nets, a net of it that answers right, and where the inputs come from.

    Parameters
    ----------
    base
        The right answers, yes where its output is at least 1/2; a shallow net of one output, of the class.
    grid
        The values that parameters may have.
    inputs
        All the inputs there are, shape (T, d).
    train, deploy
        The probability of each of them.
    mixing
        The rate of deployment in training: train >= mixing * deploy.
    """

    base: MLP
    grid: Vector
    inputs: Matrix
    train: Vector
    deploy: Vector
    mixing: Fraction

    def behaviours(self) -> list[frozenset[int]]:
        """Of every net the places of the inputs at which it answers otherwise than the base."""
        shape = Architecture(self.base.widths)
        right = self._answers(self.base)
        found = []
        for parameters in product(self.grid, repeat=shape.parameter_count):
            answers = self._answers(shape.net(parameters))
            found.append(frozenset(i for i, (a, b) in enumerate(zip(answers, right, strict=True)) if a != b))
        return found

    def _answers(self, net: MLP) -> list[bool]:
        return [value >= Fraction(1, 2) for (value,) in net.outputs(self.inputs)]


def sample_chance(
    setting: Sampling, least: Fraction, draws: int, *, noise: Fraction = Fraction(0), theta: Fraction | None = None
) -> Fact:
    """The chance, exactly, and its bound; with `theta`, the bound for noisy answers."""
    nets = setting.behaviours()
    bad = {d for d in nets if sum((setting.deploy[i] for i in d), Fraction(0)) >= least}
    rate = Fraction(1) if theta is None else (theta - 1) * ((1 - noise) / theta - noise)
    bound = len(nets) * (1 - rate * setting.mixing * least) ** draws
    fact: SampleChance = {
        "kind": "sample-chance",
        "base": net_json(setting.base),
        "grid": row(setting.grid),
        "inputs": rows_json(setting.inputs),
        "train": row(setting.train),
        "deploy": row(setting.deploy),
        "mixing": str(setting.mixing),
        "least": str(least),
        "draws": draws,
        "members": len(nets),
        "chance": str(_chance(setting.train, bad, draws, noise)),
        "bound": str(bound),
    }
    if theta is not None:
        fact["noise"], fact["theta"] = str(noise), str(theta)
    return dict(fact)


def _chance(train: Sequence[Fraction], bad: set[frozenset[int]], draws: int, noise: Fraction) -> Fraction:
    """By the lead that the base has over each bad net, draw by draw."""
    models = sorted(bad, key=sorted)
    leads = {(0,) * len(models): Fraction(1)}
    for _ in range(draws):
        after: dict[tuple[int, ...], Fraction] = {}
        for lead, p in leads.items():
            for i, q in enumerate(train):
                for step, share in ((1, 1 - noise), (-1, noise)):
                    if not (q and share):
                        continue
                    # Without noise a lead is never lost, and its size does not matter.
                    moved = [n + step * (i in d) for n, d in zip(lead, models, strict=True)]
                    new = tuple(moved if noise else (min(n, 1) for n in moved))
                    after[new] = after.get(new, Fraction(0)) + p * q * share
        leads = after
    return sum((p for lead, p in leads.items() if any(n <= 0 for n in lead)), Fraction(0))
