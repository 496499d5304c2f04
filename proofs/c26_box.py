"""C26 posterior on a box. With parameters in a box and a prior that is uniform on a grid of it, however fine, nets with
an idle circuit have little mass at low temperatures, by an explicit bound; and few units are worth much.
"""

from fractions import Fraction
from functools import partial

from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, le, lt, mul
from proof_of_absence.models.data import Dataset
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c14_posterior import weigh
from proof_of_absence.proofs.facts.box_posterior import Boxed
from proof_of_absence.proofs.universal import EXPONENTIAL, classical, universal

HALF = Fraction(1, 2)
# Answers that one unit can tell apart, and far enough from what any net of the box puts out: the loss is then steep in
# the outputs, and the grid may be coarse.
FAR = Boxed(Dataset([[-1], [1]], [[-100], [100]]), Fraction(1), 11, (*[Fraction(1)] * 3, Fraction(-1)))
# Cold enough for SMALL by the bound.
COLD, SMALL = Fraction(3, 20), Fraction(1, 100)
# The mass is more than the exponential alone.
WARM = Fraction(1, 50)
# Answers that the box has a unit for and two values an axis have not.
NEAR = Boxed(
    Dataset([[-1], [1]], [["9/10"], ["11/10"]]), Fraction(2), 1,
    (Fraction(1), Fraction(1), Fraction(1, 10), Fraction(9, 10)),
)  # fmt: skip
VERY_COLD = Fraction(1000)


def _within(chosen: Boxed, beta: Fraction, *, counted: bool = True, below: Fraction | None = None) -> Evidence:
    """The mass of the nets with an idle circuit beside the bound; it holds where the mass is within."""
    fact = facts.box_posterior(chosen, beta, counted=counted, below=below)
    return Evidence(fact, fact["within"])


def four_nets(*, near: bool = True) -> Query:
    """Four nets on the line of one parameter: two near one of low loss, two in D; losses and weights unknown.

    `near` has it that the first two lose at most half of tau more than that one.
    """
    script = Script("QF_NRA", "The mass of two of four nets, the others near one of low loss that is none of them")
    low, tau = script.real("low"), script.real("tau")
    losses, weights = script.reals("loss", 4), script.reals("weight", 4)
    middle, high = script.real("weight_middle"), script.real("weight_high")
    weigh(script, [*zip(losses, weights, strict=True), (add(low, mul(HALF, tau)), middle), (add(low, tau), high)])
    script.premise(lt(0, tau))
    for loss in losses[:2]:
        script.premise(le(low, loss))
        if near:
            script.premise(le(loss, add(low, mul(HALF, tau))))
    for loss in losses[2:]:
        script.premise(le(add(low, tau), loss))
    # mass <= (2/2) weight_high / weight_middle, both sides times the positive denominators.
    mass = mul(middle, add(*weights[2:]))
    script.decide("claim_fails", lt(mul(high, add(*weights)), mass))
    return Query(script)


CLAIM = Claim(
    id="C26",
    title="Posterior on a box",
    statement=r"Let the $K$ parameters lie in $[-B,B]^K$, let the prior be uniform on a grid of the box, and let the "
    r"posterior be proportional to $e^{-\beta L}$, $\beta\geq0$. Let $L$ change by at most $\Lambda r$ where no "
    r"parameter changes by more than $r$. Let $\ell\leq L(\theta)$ for every net $\theta$ with fewer than $n$ hidden "
    r"units, and let some net of the box have $L\leq\ell-\tau$, $\tau>0$. If the spacing of the grid is at most "
    r"$\tau/(4\Lambda)$, the nets of $S_n$ with a train-idle circuit have mass at most $(8B\Lambda/\tau)^K "
    r"e^{-\beta\tau/2}$, and so less than $\delta$ if $\beta>(2/\tau)\,(K\ln(8B\Lambda/\tau)+\ln(1/\delta))$, whatever "
    r"the grid is. Where each number of a net is one of the parameters, and several may be the same, "
    r"$\Lambda=2m\,(1+2nBS)\,(B(1+nBS)+Y)$ is such a constant, if the inputs' and the targets' coordinates are at most "
    r"$Z$ and $Y$ in size, and $S=1+dZ$. Moreover, if $\ell_0\geq\ell_1\geq\dots\geq E$, then "
    r"$\sum_n(\ell_n-\ell_{n+1})\leq\ell_0-E$, and at most $(\ell_0-E)/\tau$ of the differences are $\tau$ or more.",
    premises=(
        "a box of parameters, and a grid in it of spacing at most tau / (4 Lambda)",
        "L is Lipschitz on the box with the constant Lambda, in the greatest change of a parameter; it is proved where "
        "the parameters are the net's numbers and m >= 1",
        "the box holds a net that is better than every narrower net by tau > 0",
        "squared loss, one hidden layer",
    ),
    proof=r"Let $\theta^*$ be the net with $L\leq\ell-\tau$, and $s$ the spacing. On each axis $c$ grid points in a "
    r"row lie within $cs$ of the parameter of $\theta^*$, so $c^K$ of the grid's $(G+1)^K$ points lie within $cs$ of "
    r"$\theta^*$. With $\Lambda cs\leq\tau/2$ they have $L\leq\ell-\tau/2$, and weigh at least "
    r"$c^Ke^{-\beta(\ell-\tau/2)}$. A net with a train-idle circuit has the loss of a narrower net (\claim{C11}), "
    r"which is at least $\ell$; all of them weigh at most $(G+1)^Ke^{-\beta\ell}$. Divide, as in \claim{C14}. If "
    r"$s\leq\tau/(4\Lambda)$, the largest such $c$ is at least 2 or $G$, and $(G+1)/c\leq8B\Lambda/\tau$, since "
    r"$\tau\leq2B\Lambda$ if there is any such net. For $\Lambda$: in the box a unit is at most $BS$ and an output at "
    r"most $B(1+nBS)$ in size. They change by at most $rS$ and $r(1+2nBS)$, since "
    r"$a\phi-a'\phi'=(a-a')\phi+a'(\phi-\phi')$, and $(f-y)^2-(f'-y)^2=(f-f')(f+f'-2y)$. The differences add up to "
    r"$\ell_0-\ell_n\leq\ell_0-E$, and none is negative.",
    limits="Universal for one hidden layer, any parametrisation of its nets, and any function with the two properties "
    "of the exponential that C14 names; for the real one from three axioms (C26.classical). The Lipschitz constant "
    "that is proved is far from the least one; for one unit the checker computes one that is smaller. That tau is the "
    "price of an idle circuit (C11) of the box is the third premise: it fails if the box is too small. Nothing is said "
    "of a density on the box, only of grids, but the bound is the same for all fine ones. It is about idle circuits, "
    "and says nothing of entangled detectors. The beta that it asks for is more than is needed, and grows with K: at "
    "beta = N, the usual likelihood, a unit that lowers N L by less than a few logarithms is not worth its parameters, "
    "and the posterior favours idle ones. The instance has targets that are far from the outputs, as the census of a "
    "finer grid would be too large.",
    rests_on=("C11", "C14"),
    obligations=(
        universal(
            "For all d, n, m, N, K, boxes and grids: the bound for any set of models that lose tau more than a point "
            "of the box, for the nets with a train-idle circuit, and for every spacing of at most tau / (4 Lambda); of "
            "nonincreasing least losses at most (l_0 - E) / tau differences are tau or more",
            "c26_box",
            "C26_near",
            "C26_grid",
            "C26_fine",
            "C26_idle",
            "C26_taxes",
            given=EXPONENTIAL,
        ),
        universal(
            "For all d, n, m, N, K, boxes and grids, where the parameters are the numbers of the net, shared or not: L "
            "is Lipschitz on the box with the Lambda that is written down, and the bound holds with it",
            "c26_lipschitz",
            "C26_steep",
            "C26_lipschitz",
            "C26_idle_box",
            name="universal-lipschitz",
            given=EXPONENTIAL,
        ),
        classical(
            "With the exponential and the logarithm of the real numbers: less than delta for every beta >= 0 above "
            "(2 / tau) (K ln(8 B Lambda / tau) - ln delta), delta > 0; also with the Lambda that is written down",
            "real_exponential",
            "C26_real_beta",
            "C26_real_box",
        ),
        Obligation(
            "C26.four-nets",
            "Four nets, two of them within tau / 2 of a low loss, two that lose tau to it, all losses and weights "
            "unknown: the mass of the latter is at most their weight at tau over that at tau / 2",
            Scope.BOUNDED,
            four_nets,
        ),
        Obligation(
            "C26.one-unit",
            f"{(FAR.steps + 1) ** 4} nets of one unit, parameters on {FAR.steps + 1} values of [-1, 1]: tau = "
            f"{FAR.tau}, L changes by at most {FAR.lipschitz()} r; at beta = {COLD} the bound is below {SMALL}, and "
            "the mass of the nets with an idle circuit is within it",
            Scope.INSTANCE,
            partial(_within, FAR, COLD, below=SMALL),
        ),
        Obligation(
            "C26.control-near",
            "The same as C26.four-nets where the two nets may lose more than tau / 2",
            Scope.BOUNDED,
            partial(four_nets, near=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C26.control-count",
            f"The same nets at beta = {WARM}: their mass is at most exp(-beta tau / 2), without the factor that counts "
            "grid points",
            Scope.INSTANCE,
            partial(_within, FAR, WARM, counted=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C26.control-coarse",
            f"The bound on a grid of two values an axis, which is coarser than tau / (4 Lambda), at beta = {VERY_COLD}",
            Scope.INSTANCE,
            partial(_within, NEAR, VERY_COLD),
            Verdict.REFUTED,
        ),
    ),
)
