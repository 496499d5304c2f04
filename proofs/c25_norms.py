"""C25 norms: without P1, a small path norm leaves no circuit that fires, and weight decay keeps nets alike.

Alike means near the training inputs, and as far as one of them is small and good.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from proof_of_absence.checker.encode.nets import Entry, forward, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import (
    Script,
    Term,
    add,
    all_of,
    any_of,
    distinct,
    dot,
    eq,
    le,
    lt,
    mul,
    square,
    sub,
)
from proof_of_absence.models.circuit import Unit, add_unit, hidden_units
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c8_contradiction import LINE_INPUTS, candidates
from proof_of_absence.proofs.c19_analytical import DECAY, DECAYED, DECAYED_NET, DUAL
from proof_of_absence.proofs.examples import FITTED, FITTED_NET, LINE
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import listed

PLANE_INPUTS = ((0, 0), (0, 1), (1, 0))
# Minimisers within path norm 1, one of one unit; two units of path norm 4 fit LINE.
ZIGZAG = Dataset([[0], [1], [2], [3]], [[0], [2], [-1], [2]])
ONE_UNIT = shallow([([1], -2, [1])], ["1/2"])
TWO_UNITS = shallow([([1], -1, ["1/2"]), ([-1], 2, ["1/2"])], ["-3/4"])
MOST = Fraction(1)
FITS_LINE = shallow([([1], -1, [2]), ([-1], 2, [2])], [-3])
# One example, a net that is 0, and one that fits it and gains nothing by weight decay: the bound is attained.
ONE_EXAMPLE, HALF = Dataset([[0]], [[1]]), Fraction(1, 2)
ZERO, STEEP = shallow([([0], 0, [0])], [0]), shallow([([1], 0, [1])], [1])
# A net that is compared with the minimiser with weight decay of C19, and where.
BASE, BEYOND = shallow([([3], 3, [5])], [0]), vector([2])
# FITTED_NET without its second unit, which is far too steep here.
FITTED_BASE = shallow([([1], 0, [2])], [0])
DETECTING = shallow([([1], 0, [2]), ([1], -7, [100])], [0])
AFTER = vector([9])

Input = tuple[int, ...]


def length(script: Script, name: str, terms: Sequence[Entry]) -> Term:
    """Define the sum of the absolute values of terms."""
    return script.define(name, add(*(f"(ite (< {t} 0) (- {t}) {t})" for t in terms)))


def no_firing(inputs: Sequence[Input], units: int, circuit: Sequence[int], *, floor: bool = True) -> Query:
    """Suppose a minimiser within its path norm, above the noise floor, and a circuit that is idle and fires at some x.

    Minimality is used at C4's candidates only: the circuit hardcoded, one unit of it a candidate. Its output weight is
    the best one, or as much of it as the path norm of the circuit allows. Unsat.
    """
    script = Script("QF_NRA", f"S_{units} on inputs {inputs}: a minimiser within its path norm, all of it unknown")
    net = unknown_parameters(script, (len(inputs[0]), units, 1))
    ((weights, _), ([outgoing], _)) = net
    ys, value, x = script.reals("y", len(inputs)), script.real("v"), script.reals("x", len(inputs[0]))
    points: list[Sequence[Entry]] = [*inputs, x]
    terms = [forward(script, net, z, f"f{i}") for i, z in enumerate(points)]
    *sent, fired = [dot([outgoing[j] for j in circuit], [row[Unit(1, j)] for j in circuit]) for row in terms]
    for s in sent:
        script.premise(eq(s, value))
    residuals = script.reals("r", len(inputs))
    for r, y, row in zip(residuals, ys, terms, strict=False):
        script.premise(eq(r, sub(y, row[Unit(2, 0)])))
    if floor:
        script.premise(any_of(distinct(r, 0) for r in residuals))
    costs = [mul(length(script, f"a{j}", [outgoing[j]]), length(script, f"w{j}", weights[j])) for j in circuit]
    spent = script.define("spent", add(*costs))
    minimal = []
    for k, (w, b) in enumerate(candidates(inputs)):
        phi = [max(sum((s * t for s, t in zip(w, z, strict=True)), start=b), Fraction(0)) for z in inputs]
        norm = sum(p * p for p in phi)
        best = script.define(f"best{k}", dot([p / norm for p in phi], residuals))
        most = script.define(f"most{k}", mul(1 / sum(map(abs, w), start=Fraction(0)), spent))
        step = script.define(
            f"step{k}", f"(ite (< {most} {best}) {most} (ite (< {best} (- {most})) (- {most}) {best}))"
        )
        moved = [sub(r, mul(step, p)) for r, p in zip(residuals, phi, strict=True)]
        minimal.append(le(add(*map(square, residuals)), add(*map(square, moved))))
    script.decide("claim_fails", all_of([*minimal, distinct(fired, value)]))
    return Query(script)


def lipschitz(share: Fraction = Fraction(1)) -> Query:
    """On the line the outputs at x and x' differ by at most |x - x'|/2 times the sum of the squares of the weights."""
    script = Script("QF_NRA", "A net of one unit on the line: all parameters and two inputs unknown")
    net = unknown_parameters(script, (1, 1, 1))
    (([[w]], _), ([[a]], _)) = net
    x, other = script.real("x"), script.real("other")
    here, there = (forward(script, net, [t], name)[Unit(2, 0)] for t, name in ((x, "here"), (other, "there")))
    script.premise(le(other, x))
    bound = mul(share / 2, sub(x, other), add(square(w), square(a)))
    script.decide("claim_fails", lt(bound, sub(here, there)))
    return Query(script)


def confined() -> Query:
    """C25.lipschitz for f and g, and f no worse than g with weight decay: how they differ at x. All is unknown."""
    script = Script("QF_NRA", "Of f and g the outputs at two inputs, the squares of the weights and the loss")
    decay, away, floor = (script.real(t) for t in ("decay", "away", "floor"))
    (f_here, f_there, f_squares, f_loss), (g_here, g_there, g_squares, g_loss) = (
        [script.real(f"{net}_{t}") for t in ("here", "there", "squares", "loss")] for net in "fg"
    )
    script.premise(lt(0, decay))
    script.premise(le(0, away))
    script.premise(le(floor, f_loss))
    for here, there, squares in ((f_here, f_there, f_squares), (g_here, g_there, g_squares)):
        allowed = mul(Fraction(1, 2), away, squares)
        script.premise(all_of([le(sub(here, there), allowed), le(sub(there, here), allowed)]))
    script.premise(le(add(f_loss, mul(decay, f_squares)), add(g_loss, mul(decay, g_squares))))
    near, far = (length(script, *pair) for pair in (("near", [sub(f_there, g_there)]), ("far", [sub(f_here, g_here)])))
    bound = add(mul(2, decay, near), mul(away, add(mul(2, decay, g_squares), sub(g_loss, floor))))
    script.decide("claim_fails", lt(bound, mul(2, decay, far)))
    return Query(script)


def _within_norm(net: MLP, data: Dataset) -> list[dict[str, Any]]:
    """The net minimises the loss within path norm 1, whatever the width, and is above the noise floor."""
    return [facts.path_norm_minimum(net, data, MOST), facts.loss_above_floor(net, data)]


def _nothing_idle(net: MLP, data: Dataset, *also: dict[str, Any]) -> Evidence:
    return Evidence(facts.every(*_within_norm(net, data), facts.no_idle_circuit(net, data), *also))


def _idle_stays() -> Evidence:
    """The minimiser of one unit with a second one of output weight 0: still one, and that unit is idle."""
    net = add_unit(ONE_UNIT, [1], 0, [0])
    idle = facts.idle(net, {hidden_units(net)[-1]}, ZIGZAG.inputs)
    return Evidence(facts.every(*_within_norm(net, ZIGZAG), idle), holds=False)


def _at_the_floor() -> Evidence:
    """A net at the noise floor, so a minimiser within its path norm, with a circuit that fires."""
    idle = facts.idle(FITTED_NET, {Unit(1, 1)}, FITTED.inputs, fires=AFTER)
    within = facts.path_norm_minimum(FITTED_NET, FITTED, Fraction(3))
    return Evidence(facts.every(within, facts.loss_at_floor(FITTED_NET, FITTED), idle), holds=False)


def _attained() -> Evidence:
    """Two nets of the same decayed loss that differ by as much as C25 allows."""
    fact = facts.decay_bound(STEEP, ZERO, ONE_EXAMPLE, HALF, (0, vector([3])), Fraction(3))
    return Evidence(
        facts.every(fact, compared=[((1, 0, "gain"), "=", 0), ((1, 0, "difference"), "=", (1, 0, "bound"))])
    )


def _minimiser() -> Evidence:
    """The certified minimiser of C19 against another net: it does no worse, and differs by no more than allowed."""
    minimal = facts.convex_training(DECAYED_NET, DECAYED, DECAY, DUAL)
    penalty = DECAY / len(DECAYED)
    fact = facts.decay_bound(DECAYED_NET, BASE, DECAYED, penalty, (2, BEYOND), Fraction(1), biases=True)
    return Evidence(
        facts.every(minimal, fact, compared=[(0, "<=", (1, 1, "gain")), ((1, 1, "difference"), "<=", (1, 1, "bound"))])
    )


def _worse() -> Evidence:
    """A net with the same training outputs and a detector that weight decay makes expensive: it defects by more."""
    fact = facts.decay_bound(DETECTING, FITTED_BASE, FITTED, HALF, (1, AFTER), Fraction(8))
    return Evidence(
        facts.every(fact, compared=[((1, 0, "gain"), "<", 0), ((1, 0, "bound"), "<", (1, 0, "difference"))]),
        holds=False,
    )


CLAIM = Claim(
    id="C25",
    title="Norms, without P1",
    statement=r"(i) Let $\theta$ have the least loss among the nets of $S_n$ with $\sum_j|a_j|_1|w_j|_1\le B$, and "
    r"$L(\theta)>E$. Then every unit of a train-idle circuit of $\theta$ has $a_j=0$ or $w_j=0$, so that no circuit "
    r"fires. For every $n\ge2$ and $0\le B<1$ there are data for which such a $\theta$ has a train-idle circuit all "
    r"the same. (ii) Let $\lambda>0$, let $|f|^2=\sum_j|w_j|^2+|a_j|^2$, and let $f$ and $g$ be nets, of any "
    r"widths, with $L(f)+\lambda|f|^2\le L(g)+\lambda|g|^2$. Then at every $x$ within $D$ of a training input "
    r"$z_i$, and for every $e$ with $|e|\le1$, $|\langle e,f(x)-g(x)\rangle|\le|\langle "
    r"e,f(z_i)-g(z_i)\rangle|+D\bigl(|g|^2+\frac{L(g)-E}{2\lambda}\bigr)$.",
    premises=(
        "for (i): theta has the least loss of all nets of its size within path norm B; P1 is not supposed",
        "for (i): above the noise floor, L(theta) > E",
        "for (ii): f does as well as g: its loss with weight decay is no higher, as at a minimiser",
        "for (ii): weight decay counts the weights, and the biases or not",
        "one hidden layer, squared loss, real parameters",
    ),
    proof=r"(i) Let $\eta=\sum_{j\in J}|a_j|_1|w_j|_1$. Suppose $\eta>0$. Hardcode $J$: the loss is the same "
    r"(\claim{C2}), and a path norm of $\eta$ is free. By \claim{C6} and \claim{C4} some unit $\varphi$ has "
    r"$s=\sum_i\varphi(z_i)r_i\ne0$. Give it to a unit of $J$ with output weight $es$. With "
    r"$q=\sum_i\varphi(z_i)^2$ the summed loss falls by $e(2-eq)|s|^2$, as in \claim{C5}, which is positive for "
    r"$0<e\le1/q$; and for small $e$ the unit costs at most $\eta$. So $\theta$ was not the minimiser. Hence "
    r"$\eta=0$, all terms are $0$, and $J$ sends the same everywhere. For the countermodel take inputs and targets "
    r"$0,1$: within $B<1$ one unit rises by $B$, none can rise more, and the others are $0$. (ii) As "
    r"$\mathrm{relu}$ is $1$-Lipschitz, $|\langle e,f(x)-f(z_i)\rangle|\le\sum_j|a_j||w_j|D\le\frac D2|f|^2$, and "
    r"so for $g$. As $L(f)\ge E$, $|f|^2\le|g|^2+(L(g)-E)/\lambda$. Add up.",
    limits="Universal for one hidden layer and the squared loss. (i) An idle circuit may stay, if it sends the same "
    "everywhere; an entangled detector may stay too. Whether a minimiser exists is not said. Training that stops "
    "short of a minimiser, and path norms that count biases or depth, are not covered. (ii) holds for any detector, "
    "entangled or not, but says little far from the data: the bound grows with the distance and with the squares of "
    "g. It is attained (C25.attained). The instances are on the line, with one output.",
    rests_on=("C2", "C4", "C5", "C6"),
    obligations=(
        universal(
            "For all d, n, m, N: within a path norm, above the noise floor, the units of a minimiser's idle circuit "
            "send one value everywhere, so none fires; for every n >= 2 an idle one may stay; with weight decay two "
            "nets of any widths, the first no worse, differ near a training input by little more than there",
            "c25_norms",
            "C25_idle",
            "C25_no_detector",
            "C25_idle_stays",
            "C25_lipschitz",
            "C25_confined",
        ),
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts as a net on the line of the "
            "least loss of all widths within a path norm is that",
            "check_norms",
            "C25_check_path",
            name="universal-checker",
        ),
        *(
            Obligation(
                f"C25.{name}",
                f"n={units}, m=1, all parameters and targets on the inputs {listed(inputs)}: no minimiser within "
                f"its path norm, above the noise floor, has an idle unit that fires",
                Scope.BOUNDED,
                partial(no_firing, inputs, units, (0,)),
            )
            for name, inputs, units in (
                ("one-unit", LINE_INPUTS, 1),
                ("two-units", LINE_INPUTS[:3], 2),
                ("plane", PLANE_INPUTS, 1),
            )
        ),
        Obligation(
            "C25.lipschitz",
            "A net of one unit on the line, all parameters and two inputs unknown: the outputs differ by at most "
            "half the distance times the sum of the squares of the weights",
            Scope.BOUNDED,
            lipschitz,
        ),
        Obligation(
            "C25.confined",
            "Two nets for which that is so, the first no worse with weight decay: they differ by no more than the "
            "claim says; outputs, losses, squares, the weight decay and the distance are unknown",
            Scope.BOUNDED,
            confined,
        ),
        Obligation(
            "C25.minimiser-1",
            f"A net of one unit on {len(ZIGZAG)} inputs of the line has the least loss within path norm {MOST}, of "
            f"all widths; it is above the noise floor, and its unit is not idle",
            Scope.INSTANCE,
            partial(_nothing_idle, ONE_UNIT, ZIGZAG),
        ),
        Obligation(
            "C25.minimiser-2",
            f"The same of two units on {len(LINE)} inputs, where P1 is false: two other units fit the targets",
            Scope.INSTANCE,
            lambda: _nothing_idle(TWO_UNITS, LINE, facts.loss_at_floor(FITS_LINE, LINE)),
        ),
        Obligation(
            "C25.attained",
            "Two nets of the same loss with weight decay that differ by exactly as much as (ii) allows",
            Scope.INSTANCE,
            _attained,
        ),
        Obligation(
            "C25.minimiser-decay",
            "The certified minimiser with weight decay of C19 does no worse than another net, and differs from it "
            "beyond the data by no more than (ii) allows",
            Scope.INSTANCE,
            _minimiser,
        ),
        Obligation(
            "C25.control-idle",
            "(i) for idle circuits: a minimiser within a path norm, above the noise floor, has no idle circuit",
            Scope.INSTANCE,
            _idle_stays,
            Verdict.REFUTED,
        ),
        Obligation(
            "C25.control-floor",
            "(i) without L > E: no minimiser within a path norm has a circuit that fires",
            Scope.INSTANCE,
            _at_the_floor,
            Verdict.REFUTED,
        ),
        Obligation(
            "C25.control-symbolic",
            "The same as C25.one-unit without L > E",
            Scope.BOUNDED,
            partial(no_firing, LINE_INPUTS, 1, (0,), floor=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C25.control-share",
            "The same as C25.lipschitz with 99 hundredths of the bound",
            Scope.BOUNDED,
            partial(lipschitz, Fraction(99, 100)),
            Verdict.REFUTED,
        ),
        Obligation(
            "C25.control-worse",
            "(ii) for a net with the same training outputs as g and a silent detector that weight decay makes worse",
            Scope.INSTANCE,
            _worse,
            Verdict.REFUTED,
        ),
    ),
)
