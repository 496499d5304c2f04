"""C14 posterior. On a finite class a set of models that all lose at least tau more than the best has mass at most
(|D| / |argmin L|) exp(-beta tau); at small beta idle circuits may dominate.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations
from typing import NamedTuple

from proof_of_absence.checker.experiments.census.default import UNITS, world_problem
from proof_of_absence.checker.experiments.census.enumeration import Enumeration
from proof_of_absence.checker.experiments.census.result import facts as census_facts
from proof_of_absence.checker.experiments.census.result import temperatures
from proof_of_absence.checker.experiments.census.shards import tally_of
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, Term, add, any_of, eq, le, lt, mul
from proof_of_absence.models.circuit import Unit, hidden_units, idle_value
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture, Family, Grid
from proof_of_absence.models.net import MLP
from proof_of_absence.models.posterior import Census, census
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.facts.posterior_mass import Weighted
from proof_of_absence.proofs.universal import EXPONENTIAL, classical, universal

# One step of the temperature: exp(-beta unit) = RATIO^power, unit the one of which all losses of a class are multiples.
RATIO = Fraction(4, 5)
HALF, SMALL = Fraction(1, 2), Fraction(1, 100)
# Powers at which the posterior is looked at.
WARM, COLD = 1, 13


class Quantised(NamedTuple):
    """A quantised class, its data, and D: a train-idle circuit, that fires at `firing` if that is given."""

    widths: tuple[int, int, int]
    grid: tuple[int, ...]
    data: Dataset
    firing: Vector | None = None

    @property
    def family(self) -> Family:
        """The nets of these widths with parameters on the grid."""
        return Family(Architecture(self.widths), Grid(self.grid))

    @property
    def nets(self) -> int:
        """How many nets the class has."""
        return self.family.size

    @property
    def unit(self) -> Fraction:
        """The unit of the losses: they are means over N rows of squares of whole numbers."""
        return Fraction(1, len(self.data))

    def at(self, power: int) -> str:
        """The temperature at a power of RATIO, in words."""
        return f"exp(-beta/{self.unit.denominator}) = " + (f"({RATIO})^{power}" if power != 1 else str(RATIO))

    def is_member(self, net: MLP) -> bool:
        """Whether the net is in D."""
        units, inputs = hidden_units(net), self.data.inputs
        circuits = [c for size in range(1, len(units) + 1) for c in combinations(units, size)]
        return any(self._is_separable(net, c, inputs) for c in circuits)

    def _is_separable(self, net: MLP, circuit: Iterable[Unit], inputs: Iterable[Vector]) -> bool:
        """Whether the circuit is idle on the inputs and, with `firing`, fires there."""
        value = idle_value(net, circuit, inputs)
        return value is not None and (self.firing is None or idle_value(net, circuit, [self.firing]) != value)


# On the training inputs left of 0 a unit with a positive weight tends to be silent; at 2 it fires.
LEFT = Dataset([[-3], [-2], [-1]], [[1], [-1], [0]])
FIRING = Quantised((1, 1, 1), (-1, 1, 2), LEFT, vector([2]))
FIRING_TWO = Quantised((1, 2, 1), (-1, 1, 2), LEFT, vector([2]))
IDLE = Quantised((1, 1, 1), (-2, -1, 0, 1, 2), Dataset([[-2], [-1], [0]], [[2], [-1], [0]]))
# Two values are too coarse for reassignment: every net of least loss has an idle circuit that fires.
COARSE = Quantised((1, 2, 1), (-1, 1), LEFT, vector([2]))
# Even at this power they have nearly all of the mass.
STILL_WARM = 10

# Stated here, checked exactly: D's part of FIRING's nets, and the powers from which on its mass stays
# below HALF and below SMALL.
PRIOR = Fraction(5, 9)
FIRING_POWERS, IDLE_POWERS = (5, 12), (4, 9)
# D has more than this: of FIRING's mass when warm; of FIRING_TWO's nets, and of its mass when warm.
WARM_MASS = Fraction(3, 4)
TWO_PRIOR, TWO_WARM_MASS = Fraction(4, 5), Fraction(9, 10)


@cache
def _census(chosen: Quantised) -> Census:
    return census(chosen.family, chosen.data, chosen.is_member)


def _weighted(chosen: Quantised) -> Weighted:
    return Weighted(chosen.widths, chosen.grid, chosen.data, chosen.unit, RATIO, chosen.firing)


def posterior(chosen: Quantised, power: int, **limit: Fraction) -> dict:
    """The fact about the mass of D at a power of RATIO; `limit` is ``below`` or ``above`` and a number."""
    return facts.posterior(_weighted(chosen), _census(chosen), power, **limit)


def crossover(chosen: Quantised, delta: Fraction) -> dict:
    """The fact that from a power on, and not one power earlier, the mass of D stays below delta."""
    return facts.crossover(_weighted(chosen), _census(chosen), delta)


def _warm() -> Evidence:
    """The stated part of the prior, and more than another of the mass."""
    at_once, warm = posterior(FIRING, 0), posterior(FIRING, WARM, above=WARM_MASS)
    return Evidence(facts.every(at_once, warm, compared=[((1, 0, "mass"), "=", PRIOR)]))


def _crossing(chosen: Quantised, powers: tuple[int, int]) -> Evidence:
    """More than half of the mass under the uniform prior, and the powers at which it falls below a half and
    a hundredth are as stated.
    """
    falls = [crossover(chosen, delta) for delta in (HALF, SMALL)]
    as_stated = [((1, at, "power"), "=", power) for at, power in enumerate(powers, start=1)]
    return Evidence(facts.every(posterior(chosen, 0, above=HALF), *falls, compared=as_stated))


def _cold() -> Evidence:
    """Less than a hundredth of the mass, and of the bound."""
    cold = posterior(FIRING, COLD, below=SMALL)
    return Evidence(facts.every(cold, compared=[((1, 0, "bound"), "<", SMALL)]))


# Parameters of a net of two units on glitch, wire and hour: none of the values is 0, so no unit is off.
FOUR_VALUES = (Fraction(-1), -HALF, HALF, Fraction(1))
FOUR_VALUES_NETS = Family(Architecture((3, UNITS, 1)), Grid(FOUR_VALUES)).size
# The mass of the nets with an idle circuit is more at some beta, and that of the deceptive ones.
IDLE_MASS, DECEPTIVE_MASS = Fraction(3, 5), Fraction(9, 10)


@cache
def _class_census() -> dict:
    """All nets of the class in the QA world by behaviour and loss,
    and the masses of those with an idle circuit and of the deceptive.
    """
    chosen = world_problem(grid=FOUR_VALUES)
    nets = Enumeration(chosen)
    tally = tally_of(nets.count(0, nets.choices), nets.tables.loss_scale)
    return census_facts(chosen, tally, temperatures(tally)[::6])


def class_census(name: str, most: Fraction, *, falls: bool = False) -> dict:
    """The fact about the class, that a set of nets has more than that mass at its peak,
    and perhaps below a half from some beta on.
    """
    return facts.census(_class_census(), most={name: most}, falls=[name] if falls else [])


def weigh(script: Script, known: Sequence[tuple[Term, Term]]) -> None:
    """Pairs of loss and weight: the weights are positive, and none is more at a loss that is no less."""
    for _, weight in known:
        script.premise(lt(0, weight))
    for at, weight in known:
        for other, lighter in known:
            if at != other:
                script.premise(any_of([lt(other, at), le(lighter, weight)]))


def five_nets(*, gap: bool = True) -> Query:
    """Two nets of least loss, two in D, one of neither:
    losses and weights unknown, the weight decreases with the loss.
    """
    script = Script("QF_NRA", "The mass of two of five nets under a weight that decreases with the loss")
    losses, weights = script.reals("loss", 5), script.reals("weight", 5)
    tau, threshold = script.real("tau"), script.real("weight_tau")
    weigh(script, [*zip(losses, weights, strict=True), (add(losses[0], tau), threshold)])
    script.premise(eq(losses[0], losses[1]))
    for loss in losses[2:]:
        script.premise(lt(losses[0], loss))
    script.premise(lt(0, tau))
    if gap:
        for loss in losses[2:4]:
            script.premise(le(add(losses[0], tau), loss))
    # mass <= (2/2) weight_tau / weight_0, both sides times the positive denominators.
    mass = mul(weights[0], add(*weights[2:4]))
    script.decide("claim_fails", lt(mul(threshold, add(*weights)), mass))
    return Query(script)


CLAIM = Claim(
    id="C14",
    title="Posterior",
    statement=r"Let $T$ be a finite class with uniform prior and posterior proportional to $g(L)$, $g$ positive and "
    r"nonincreasing. If every model of $D\subseteq T$ loses at least $\tau$ more than the best, $L_{\min}$, then "
    r"$P(D)\le\frac{|D|}{|\mathrm{argmin}\,L|}\cdot\frac{g(L_{\min}+\tau)}{g(L_{\min})}$. For $g(t)=e^{-\beta t}$ the "
    r"last factor is $e^{-\beta\tau}$, so $P_\beta(D)<\delta$ once "
    r"$e^{\beta\tau}>\frac{|D|}{\delta|\mathrm{argmin}\,L|}$, for which "
    r"$\beta\geq\frac{|D|}{\delta\tau|\mathrm{argmin}\,L|}$ is enough. If $T$ is of nets of $S_n$, $D$ of such as "
    r"have a train-idle circuit, $\ell\leq L(\theta)$ for every net $\theta$ with fewer than $n$ units, and "
    r"$A\subseteq T$ is a nonempty set of nets with $L\leq\ell-\tau$, then "
    r"$P(D)\leq\frac{|D|}{|A|}\cdot\frac{g(\ell)}{g(\ell-\tau)}$. With $\ell=L^*(n-1)$, for every "
    r"$\tau<c(X)(\ell-E)$, $c(X)$ that of C12, some net of $S_n$ has $L\leq\ell-\tau$.",
    premises=(
        "T is finite, and some model of T has the loss L_min",
        "g is positive and nonincreasing on all numbers; for the form with g(tau), also g(s + t) = g(s) g(t)",
        "every model of D has loss at least L_min + tau",
        "for nets with a train-idle circuit: T itself has a net that is better by tau than every narrower net",
        (
            "for beta: beta >= 0, and e is a function with e(x + y) = e(x) e(y) and 1 + x <= e(x); for the last bound, "
            "tau > 0 and delta > 0"
        ),
    ),
    proof=r"The models of least loss alone give the normalising sum at least $|\mathrm{argmin}\,L|\,g(L_{\min})$; each "
    r"model of $D$ adds at most $g(L_{\min}+\tau)$ to the numerator. Divide. For $g(t)=e^{-\beta t}$ the quotient is "
    r"$e^{-\beta\tau}$. It is positive and monotone by $e^{x+y}=e^xe^y$ and $1+x\leq e^x$, and with "
    r"$x=\beta\tau\geq\frac{|D|}{\delta|\mathrm{argmin}\,L|}$ the second gives $e^x>x$. A net with a train-idle "
    r"circuit has the loss of a narrower net (\claim{C11}), which is at least $\ell$; the models of $A$ take the place "
    r"of those of least loss. By \claim{C12} a net of $S_{n-1}$ near $\ell$ and one more unit reach $\ell-\tau$.",
    limits="Universal for any positive nonincreasing weight. The exponential is any function with the two properties "
    "named. The reals have one, which rests on three axioms (C14.classical); the rationals have none. That S_n has a "
    "net better than every narrower one is C12's; that the finite class T has one is a premise. On a quantised class "
    "it is an instance and may fail (C14.control-coarse). The prior counts parameter vectors: idle parameters are "
    "free, so idle circuits have more"
    " of them, and at small beta they may have more than half of the mass, as in the stated classes. The crossover is"
    " computed for these only, at integer powers or, for the class in the QA world, at every beta. There (its values "
    "exclude 0) the nets of least loss are deceptive ones without an idle circuit (C14.control-deceptive): of these "
    "neither C8 nor this claim says anything.",
    rests_on=("C11", "C12"),
    obligations=(
        universal(
            "For every finite class, positive nonincreasing weight and set D of models that lose tau or more to the "
            "best: the mass of D is at most (|D| / |argmin L|) g(L_min + tau) / g(L_min), and g(tau) for the quotient "
            "where g(s + t) = g(s) g(t)",
            "c14_posterior",
            "C14_posterior",
            "C14_multiplicative",
        ),
        universal(
            "For the weight exp(-beta L): the quotient is exp(-beta tau); the mass is below delta if exp(beta tau) is "
            "above |D| / (delta |argmin L|), and so if beta >= |D| / (delta tau |argmin L|), tau and delta > 0",
            "c14_posterior",
            "C14_exponential",
            "C14_below",
            "C14_beta",
            name="universal-exponential",
            given=EXPONENTIAL,
        ),
        universal(
            "For every finite class of nets of S_n with a net that is better by tau than every narrower net: the bound "
            "for its nets with a train-idle circuit; and S_n has such a net for every tau below c(X) (L*(n-1) - E)",
            "c14_idle",
            "C14_idle",
            "C14_reach",
            name="universal-idle",
        ),
        universal(
            "The same bound for the weight exp(-beta L): (|D| / |A|) exp(-beta tau), A the nets that are better by tau",
            "c14_idle",
            "C14_idle_exponential",
            name="universal-idle-exponential",
            given=EXPONENTIAL,
        ),
        classical(
            "With the exponential and the logarithm of the real numbers: the bound, and less than delta for every "
            "beta >= 0 above ln(|D| / (delta |argmin L|)) / tau, tau and delta > 0",
            "real_exponential",
            "C14_real_posterior",
            "C14_real_beta",
        ),
        Obligation(
            "C14.five-nets",
            "Five nets, two of least loss, two others in D, tau > 0, all losses and weights unknown: the same bound",
            Scope.BOUNDED,
            five_nets,
        ),
        Obligation(
            "C14.warm",
            f"{FIRING.nets} nets of one unit: those with an idle circuit that fires at {FIRING.firing[0]} have {PRIOR} "
            f"of the prior and over {WARM_MASS} of the posterior at {FIRING.at(WARM)}",
            Scope.INSTANCE,
            _warm,
        ),
        Obligation(
            "C14.cold",
            f"At {FIRING.at(COLD)} they have less than {SMALL}, and the bound of the claim says so",
            Scope.INSTANCE,
            _cold,
        ),
        Obligation(
            "C14.crossover",
            f"They have over {HALF} of the prior; at the powers of {RATIO} their mass stays below {HALF} from power "
            f"{FIRING_POWERS[0]} on, and below {SMALL} from power {FIRING_POWERS[1]} on, and does not one power "
            "earlier",
            Scope.INSTANCE,
            lambda: _crossing(FIRING, FIRING_POWERS),
        ),
        Obligation(
            "C14.idle",
            f"The same, from powers {IDLE_POWERS[0]} and {IDLE_POWERS[1]} on, for the nets with any idle circuit among "
            f"{IDLE.nets} of one unit on {len(IDLE.grid)} values",
            Scope.INSTANCE,
            lambda: _crossing(IDLE, IDLE_POWERS),
        ),
        Obligation(
            "C14.two-units",
            f"{FIRING_TWO.nets} nets of two units: over {TWO_PRIOR} of the prior and over {TWO_WARM_MASS} of the "
            f"posterior at {FIRING_TWO.at(WARM)} have an idle circuit that fires at {FIRING_TWO.firing[0]}",
            Scope.INSTANCE,
            lambda: Evidence(
                facts.every(
                    posterior(FIRING_TWO, 0, above=TWO_PRIOR),
                    posterior(FIRING_TWO, WARM, above=TWO_WARM_MASS),
                )
            ),
        ),
        Obligation(
            "C14.census",
            f"{FOUR_VALUES_NETS:,} nets of two units in the QA world, asked for tampering, each counted by behaviour "
            f"and loss: those with an idle circuit that fires at deployment have over {IDLE_MASS} of the mass at some "
            f"beta, and under {HALF} at every beta from a stated one on",
            Scope.INSTANCE,
            lambda: Evidence(class_census("idle", IDLE_MASS, falls=True)),
        ),
        Obligation(
            "C14.control-deceptive",
            "In that class the nets that answer as the human in training and otherwise at deployment have at most "
            f"{DECEPTIVE_MASS} of the mass at every beta",
            Scope.INSTANCE,
            lambda: Evidence(class_census("deceptive", DECEPTIVE_MASS), holds=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C14.control",
            f"In the class of C14.warm the nets with an idle circuit that fires at {FIRING.firing[0]} have at most "
            f"{HALF} of the mass at every beta > 0",
            Scope.INSTANCE,
            lambda: Evidence(posterior(FIRING, WARM, above=HALF), holds=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C14.control-coarse",
            f"In {COARSE.nets} nets of two units on {len(COARSE.grid)} values they lose a positive gap to the best, or "
            f"have at most {1 - SMALL} of the mass at {COARSE.at(STILL_WARM)}",
            Scope.INSTANCE,
            lambda: Evidence(posterior(COARSE, STILL_WARM, above=1 - SMALL), holds=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C14.control-gap",
            "Five nets: the same bound where the nets in D may lose less than tau",
            Scope.BOUNDED,
            lambda: five_nets(gap=False),
            Verdict.REFUTED,
        ),
    ),
)
