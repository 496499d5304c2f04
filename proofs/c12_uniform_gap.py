"""C12 uniform gap. One more unit, or a train-idle circuit reassigned,
closes a stated part of the distance to the noise floor; the part depends on the inputs alone.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations, pairwise

from proof_of_absence.checker.construct.gap import gauge, reassignment_along, uniform_gap, widening_along
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, all_of, dot, lt, mul, square
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.circuit import Unit, add_unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, relu
from proof_of_absence.models.policies import (
    BACKDOOR,
    BACKDOOR_DETECTOR,
    DECEPTIVE,
    DEPLOYMENT_DETECTOR,
    IMITATOR,
    WORLD,
)
from proof_of_absence.models.rational import matrix
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c7_reassignment import CONSTANT
from proof_of_absence.proofs.examples import (
    ALTERNATING,
    CONSTANT_CIRCUIT,
    CONSTANT_NET,
    LINE,
    LINE_NET,
    SEVEN,
    SQUARE,
    TWO_OUTPUTS,
)
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import counted, listed

# Inputs of the symbolic queries, some repeated, on the line and in the plane; the residuals are unknown.
THREE = ((0,), (1,), (3,))
REPEATED = ((0,), (1,), (1,), (2,))
PLANE_INPUTS = ((0, 0), (0, 1), (1, 0))

# Stated here, checked exactly: L*(n) - L*(n + 1) for n = 1, 2, ..
GAPS_SEVEN = tuple(map(Fraction, ("353/770", "11/35", "5/42")))
GAPS_SQUARE = (Fraction(2, 27),)


def _along(data: Dataset):
    return gauge([group.input for group in data.groups])


def widened(net: MLP, data: Dataset) -> Evidence:
    """One more unit along the gauge, above the noise floor."""
    along = _along(data)
    after = widening_along(net, data, along).net
    return Evidence(facts.every(facts.loss_above_floor(net, data), uniform_gap(net, after, data, along)))


def reassigned(net: MLP, circuit, data: Dataset) -> Evidence:
    """A train-idle circuit reassigned along the gauge, above the noise floor."""
    along = _along(data)
    after = reassignment_along(net, circuit, data, along).net
    return Evidence(facts.every(facts.loss_above_floor(net, data), uniform_gap(net, after, data, along, circuit)))


def _backdoor() -> Evidence:
    """The same for the backdoor, of which no smaller part is idle."""
    data = WORLD.dataset()
    parts = (
        part for size in range(1, len(BACKDOOR_DETECTOR)) for part in combinations(sorted(BACKDOOR_DETECTOR), size)
    )
    busy = [facts.not_idle(BACKDOOR, part, WORLD.train_distribution()) for part in parts]
    return Evidence(facts.every(reassigned(BACKDOOR, BACKDOOR_DETECTOR, data).fact, *busy))


def _minimum(data: Dataset, units: int) -> tuple[MLP, dict]:
    """A net of least loss on S_units, and the fact that it is."""
    minimum = global_minimum(data, units)
    return minimum.net, facts.minimal(minimum, data)


def _minima() -> Evidence:
    """L*(2) is at most the loss of a net that gains c(X) (L*(1) - E) on a minimiser of S_1."""
    net, minimal = _minimum(LINE, 1)
    return Evidence(facts.every(minimal, widened(net, LINE).fact))


def _true_gaps(data: Dataset, drops: Sequence[Fraction]) -> Evidence:
    """From S_1 on, L*(n) - L*(n+1) is as stated.

    One more unit, along the gauge, gains c(X) (L*(n) - E), and ends no lower than L*(n+1).
    """
    shown = []
    minima = [global_minimum(data, units) for units in range(1, len(drops) + 2)]
    for (less, more), drop in zip(pairwise(minima), drops, strict=True):
        after = widening_along(less.net, data, _along(data)).net
        shown += [
            facts.minimal(less, data),
            facts.minimal(more, data),
            facts.lower_loss(less.net, more.net, data, drop, wider=True),
            widened(less.net, data).fact,
        ]
        if data.loss(after) > more.loss:
            shown.append(facts.lower_loss(after, more.net, data))
    return Evidence(facts.every(*shown))


def _half() -> Evidence:
    """On ALTERNATING, L*(1) - L*(2) is less than half of L*(1) - E:
    by certified minima, whatever is done with one more unit.
    """
    one, two = global_minimum(ALTERNATING, 1), global_minimum(ALTERNATING, 2)
    shown = [facts.minimal(m, ALTERNATING) for m in (one, two)]
    above = [facts.loss_above_floor(m.net, ALTERNATING) for m in (one, two)]
    half = Fraction(1, 2)
    less = ([(1, 2, "loss"), (-1, 3, "loss")], "<", [(half, 2, "loss"), (-half, 2, "noise_floor")])
    return Evidence(facts.every(*shown, *above, compared=[less]), holds=False)


def _not_eps_minimiser() -> Evidence:
    """A minimiser of S_1 and an idle unit: its loss is L*(1), and in S_2 it is beaten by c(X) (L*(1) - E)."""
    net, minimal = _minimum(LINE, 1)
    wide = add_unit(net, [1], -5, [1])
    same = facts.same_outputs(wide, net, LINE.inputs)
    return Evidence(facts.every(minimal, same, reassigned(wide, {Unit(1, 1)}, LINE).fact))


def candidate_gain(inputs: Sequence[tuple], *, whole: bool = False) -> Query:
    """For all residuals on these inputs, one of the proof's units gains c(X) times the distance from the floor.

    With `whole`, all of it.

    The distance is sum_g nu_g rbar_g^2 for the group residuals; a unit with features phi gains <r, phi>^2 / <phi, phi>.
    """
    script = Script("QF_NRA", f"Residuals of any net and any targets on the inputs {inputs}")
    points = matrix(inputs)
    distinct = sorted(set(points))
    along = gauge(distinct)
    r = script.reals("r", len(points))
    excess = []
    for u in distinct:
        group = [ri for ri, z in zip(r, points, strict=True) if z == u]
        excess.append(mul(Fraction(1, len(group)), square(add(*group))))
    line = [inner(along.direction, z) for z in points]
    bends = sorted({p + e for p in line for e in (-along.separation, Fraction(0), along.separation)})
    share = Fraction(1) if whole else along.gap(len(points))
    too_little = []
    for bend in bends:
        phi = [relu(p - bend) for p in line]
        if norm := inner(phi, phi):
            too_little.append(lt(square(dot(phi, r)), mul(share * norm, add(*excess))))
    script.decide("claim_fails", all_of(too_little))
    return Query(script)


def _whole() -> Evidence:
    """A minimiser of S_2 above the noise floor: whatever is added to a net of S_1, the floor is not reached."""
    data = Dataset([[0], [1], [2], [3]], [[0], [2], [-1], [2]])
    net, minimal = _minimum(data, 2)
    return Evidence(facts.every(minimal, facts.loss_above_floor(net, data)), holds=False)


CLAIM = Claim(
    id="C12",
    title="Uniform gap",
    statement=r"Let $w$ have $\langle w,u\rangle\neq\langle w,u'\rangle$ for distinct training inputs, and let "
    r"distinct projections be at least $h>0$ apart and any two at most $D\geq0$ (every family of inputs has such a "
    r"gauge $w,h,D$). Put $c(X)=h^2/(18N^2(D+h)^2)$, which is positive if $N>0$. Then one more unit lowers the loss of "
    r"any net by at least $c(X)(L-E)$, so $L^*(n+1)\le L^*(n)-c(X)(L^*(n)-E)$; a train-idle circuit can be reassigned "
    r"to lower the loss of its net by as much, so a net of $S_n$ that has one is at least $c(X)(L^*(n-1)-E)$ above "
    r"some net of $S_n$.",
    premises=(
        "(w, h, D) is a gauge of the training inputs: w keeps distinct inputs apart, distinct projections are at least "
        "h > 0 apart and any two at most D >= 0",
        "for the reassignment and what follows from it: J is a nonempty train-idle circuit of theta in S_n",
        "one hidden layer, any number of outputs, squared loss, real parameters; no minimiser need exist",
    ),
    proof=r"A direction of \claim{C4} has a gauge, the inputs being finitely many. If $L=E$ there is nothing to gain; "
    r"let $L>E$. By \claim{C6} $L-E=\frac1N\sum_i|\bar r_i|^2$, $\bar r_i$ the residual of the group of $z_i$; so some "
    r"$j$ has $|\bar r_j|^2\ge L-E$. For the unit $\varphi_e(z)=\mathrm{relu}(\langle w,z\rangle-\langle "
    r"w,z_j\rangle+e)$ let $s(e)=\sum_i\varphi_e(z_i)r_i$. The bump $\varphi_h-2\varphi_0+\varphi_{-h}$ is $h$ on the "
    r"group of $z_j$ and $0$ on all others, so $s(h)-2s(0)+s(-h)=h\nu_j\bar r_j$, and "
    r"$|a-2b+c|^2\le6(|a|^2+|b|^2+|c|^2)$ gives an $e$ with $18|s(e)|^2\ge h^2|\bar r_j|^2$. As $0\le\varphi_e\le D+h$ "
    r"on the data, $\langle\varphi_e,\varphi_e\rangle\le N(D+h)^2$. By \claim{C5} this unit gains "
    r"$\frac1N|s(e)|^2/\langle\varphi_e,\varphi_e\rangle\ge c(X)(L-E)$. A train-idle circuit is hardcoded "
    r"(\claim{C2}), and one of its units, now free, becomes that unit. By \claim{C3} the hardcoded net's function is "
    r"also that of a net of $S_{n-1}$, so $L\ge L^*(n-1)$.",
    limits="Universal for one hidden layer and squared loss. That c(X) is tight is not claimed; it is small: the "
    "search over its 3 N units usually gains far more. The bounds on infima are stated for every t above L*(n), and "
    "for every lower bound l of the losses on S_(n-1).",
    rests_on=("C2", "C3", "C4", "C5", "C6"),
    obligations=(
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts as a gauge, its gap, and a "
            "net with one more unit, is that",
            "check_gaps",
            *("C12_check_gauge", "C12_check_gap", "C12_check_gain", "C12_check_one_more"),
            name="universal-checker",
        ),
        universal(
            "For all d, n, m, N: every family of inputs has a gauge; one more unit, or a reassigned train-idle "
            "circuit, gains c(X) (L - E) at least",
            "c12_uniform_gap",
            "C12_gauge",
            "C12_gap_gt0",
            "C12_gain",
            "C12_uniform_gap",
            "C12_reassignment",
            "C12_not_eps_minimiser",
        ),
        *(
            Obligation(
                f"C12.{name}",
                f"d={len(inputs[0])}, m=1, N={len(inputs)}: for all residuals on the inputs {listed(inputs)}, one of "
                "the proof's units gains c(X) (L - E) at least",
                Scope.BOUNDED,
                lambda inputs=inputs: candidate_gain(inputs),
            )
            for name, inputs in (("three", THREE), ("repeated", REPEATED), ("plane", PLANE_INPUTS))
        ),
        Obligation(
            "C12.line",
            "One more unit along a gauge of the data on the line gains what the gap promises",
            Scope.INSTANCE,
            lambda: widened(LINE_NET, LINE),
        ),
        Obligation(
            "C12.two-outputs",
            "The same with two outputs and a repeated input in the plane",
            Scope.INSTANCE,
            lambda: widened(CONSTANT_NET, TWO_OUTPUTS),
        ),
        Obligation(
            "C12.world",
            "The same for the imitator on the world's training data",
            Scope.INSTANCE,
            lambda: widened(IMITATOR, WORLD.dataset()),
        ),
        Obligation(
            "C12.constant",
            f"A circuit idle at {listed([CONSTANT])}, reassigned along the gauge, gains as much",
            Scope.INSTANCE,
            lambda: reassigned(CONSTANT_NET, CONSTANT_CIRCUIT, TWO_OUTPUTS),
        ),
        Obligation(
            "C12.deployment",
            "The planted deployment detector, reassigned along the gauge, gains as much",
            Scope.INSTANCE,
            lambda: reassigned(DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD.dataset()),
        ),
        Obligation(
            "C12.backdoor",
            f"The backdoor, whose {len(BACKDOOR_DETECTOR)} units are idle only together, too",
            Scope.INSTANCE,
            _backdoor,
        ),
        Obligation(
            "C12.minima",
            f"On {len(LINE)} inputs of the line L*(2) is below L*(1) by c(X) (L*(1) - E) at least: a certified "
            "minimiser over S_1 and one more unit",
            Scope.INSTANCE,
            _minima,
        ),
        *(
            Obligation(
                f"C12.true-gaps-{name}",
                f"{len(data)} inputs {where}: L*(n) - L*(n+1) for n = {counted(len(drops))} is "
                f"{', '.join(map(str, drops))}, by certified minima, and no less than what one more unit gains along "
                f"the gauge, c(X) (L*(n) - E) at least with c(X) = {_along(data).gap(len(data))}",
                Scope.INSTANCE,
                partial(_true_gaps, data, drops),
            )
            for name, data, drops, where in (
                ("line", SEVEN, GAPS_SEVEN, "on the line"),
                ("plane", SQUARE, GAPS_SQUARE, "in the plane"),
            )
        ),
        Obligation(
            "C12.not-eps",
            "A minimiser over S_1 with an idle unit added is at least c(X) (L*(1) - E) above a net of S_2",
            Scope.INSTANCE,
            _not_eps_minimiser,
        ),
        Obligation(
            "C12.control-whole",
            "The constant may be 1: one more unit always reaches the noise floor",
            Scope.INSTANCE,
            _whole,
            Verdict.REFUTED,
        ),
        Obligation(
            "C12.control-half",
            f"The constant may be 1/2: on {len(ALTERNATING)} inputs of the line L*(2) is at most halfway from L*(1) to "
            "the noise floor",
            Scope.INSTANCE,
            _half,
            Verdict.REFUTED,
        ),
        Obligation(
            "C12.control-symbolic",
            f"The constant may be 1 for the proof's units: for all residuals on the inputs {listed(THREE)}, one of "
            "them reaches the noise floor",
            Scope.BOUNDED,
            lambda: candidate_gain(THREE, whole=True),
            Verdict.REFUTED,
        ),
    ),
)
