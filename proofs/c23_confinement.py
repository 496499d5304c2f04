"""C23 confinement. Where no unit changes sign between training inputs two nets differ as they do in training,
and few places are left out of that.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise, product
from typing import Any

from proof_of_absence.checker.construct.cover import cover
from proof_of_absence.checker.construct.hull import Combination, Separation, locate
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, Term, add, all_of, any_of, distinct, dot, eq, le, lt, mul, neg
from proof_of_absence.checker.kernel.smt import sub as minus
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import BACKDOOR, DECEPTIVE, IMITATOR, TRANSLATOR, TRIGGER_HOUR, WORLD
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.models.world import QUESTIONS, encode
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import listed

TRIANGLE = ((0, 0), (3, 0), (0, 3))
# Two nets of 2 and 1 units whose difference zigzags: 0 at AGREE, and -1, 1, -1, 1, -1 at ALTERNATE.
ZIGZAG = shallow([([1], -1, [-3]), ([1], -2, ["5/2"])], [6])
SINGLE = shallow([([-1], 6, [1])], [0])
AGREE = vector((0, "3/2", 4, 8))
BETWEEN = vector((1, 2, 6))
ALTERNATE = vector((-1, 1, 2, 6, 10))
# A unit across the middle of a grid: in the plane and in space.
SIDES = 3
PLANE, SPACE = [range(SIDES + 1)] * 2, [range(SIDES + 1)] * 3
MIDDLE = {"plane": (PLANE, Fraction(-5, 2)), "space": (SPACE, Fraction(-9, 2))}
# From 0 to 1 across a stripe of a grid of WIDE x WIDE boxes.
WIDE = 6
RAMP_UP, RAMP_END = shallow([([1, 1], "-5/2", [1])], [0]), shallow([([1, 1], "-7/2", [1])], [0])

Net = Callable[[Fraction], Term]
Witness = Mapping[str, Fraction | bool]


def unknown_net(script: Script, units: int, name: str) -> Net:
    """A net of S_n on the line with every real parameter unknown, m = 1, as a function to terms.

    a relu(p) is relu(|a| p) or -relu(|a| p): so output weights 1 and -1 are all that there are.
    """
    signs = [script.boolean(f"{name}s{j}") for j in range(units)]
    weights, biases, shift = script.reals(f"{name}w", units), script.reals(f"{name}b", units), script.real(f"{name}c")

    def output(x: Fraction) -> Term:
        sent = [shift]
        for positive, w, b in zip(signs, weights, biases, strict=True):
            value = f"(relu {add(mul(w, x), b)})"
            sent.append(f"(ite {positive} {value} {neg(value)})")
        return add(*sent)

    return output


def known_net(witness: Witness, units: int, name: str) -> MLP:
    """The net of `unknown_net` at the witness's values."""
    hidden = [
        ([witness[f"{name}w_{j}"]], witness[f"{name}b_{j}"], [1 if witness[f"{name}s{j}"] else -1])
        for j in range(units)
    ]  # fmt: skip
    return shallow(hidden, [witness[f"{name}c"]])


def differ_in_all_gaps(left: int, right: int) -> Query:
    """Nets of so many units on the line, equal at AGREE, that differ at each of BETWEEN; unsat if they are too few."""
    script = Script("QF_LRA", f"S_{left} and S_{right} agree at {listed([AGREE])} and differ at {listed([BETWEEN])}")
    f, g = unknown_net(script, left, "f"), unknown_net(script, right, "g")
    for x in AGREE:
        script.premise(eq(f(x), g(x)))
    script.decide("claim_fails", all_of(distinct(f(x), g(x)) for x in BETWEEN))
    return Query(script, lambda witness: _gaps(known_net(witness, left, "f"), known_net(witness, right, "g")))


def alternates(left: int, right: int) -> Query:
    """Nets of so many units whose difference alternates in sign at ALTERNATE; unsat if they are too few."""
    script = Script("QF_LRA", f"S_{left} and S_{right}: the difference alternates at {listed([ALTERNATE])}")
    f, g = unknown_net(script, left, "f"), unknown_net(script, right, "g")
    gaps = [script.define(f"gap{i}", minus(f(x), g(x))) for i, x in enumerate(ALTERNATE)]
    script.decide("claim_fails", all_of(lt(gap, 0) if i % 2 == 0 else lt(0, gap) for i, gap in enumerate(gaps)))
    return Query(script)


def crosses_more(most: int) -> Query:
    """A unit of the plane that changes sign on the corners of more than so many of the boxes of PLANE."""
    script = Script("QF_LRA", f"A unit crosses more than {most} of {SIDES} x {SIDES} boxes")
    weights, bias = script.reals("w", 2), script.real("b")
    at = {z: script.define(f"p{z[0]}_{z[1]}", add(dot(z, weights), bias)) for z in product(*PLANE)}
    crossed = []
    for sides in product(*map(pairwise, PLANE)):
        corners = [at[z] for z in product(*sides)]
        both = all_of([any_of(lt(p, 0) for p in corners), any_of(lt(0, p) for p in corners)])
        crossed.append(f"(ite {both} 1 0)")
    script.decide("claim_fails", lt(most, add(*crossed)))
    return Query(script)


def not_the_average(inputs: Sequence[Sequence[int]]) -> Query:
    """A net of one unit that does not change sign on the inputs, and an average of these where it is another."""
    script = Script("QF_NRA", f"S_1 on the hull of {inputs}, where its unit does not change sign")
    weights, bias = script.reals("w", len(inputs[0])), script.real("b")
    outgoing, shift, share = script.real("a"), script.real("c"), script.reals("l", len(inputs))
    script.premise(all_of([*(le(0, x) for x in share), eq(add(*share), 1)]))
    before = [script.define(f"p{i}", add(dot(z, weights), bias)) for i, z in enumerate(inputs)]
    script.premise(any_of([all_of(le(0, p) for p in before), all_of(le(p, 0) for p in before)]))
    point = [dot(share, column) for column in zip(*inputs, strict=True)]

    def output(p: Term) -> Term:
        return add(shift, mul(outgoing, f"(relu {p})"))

    average = add(*(mul(x, output(p)) for x, p in zip(share, before, strict=True)))
    script.decide("claim_fails", distinct(output(add(dot(point, weights), bias)), average))
    return Query(script)


def _gaps(left: MLP, right: MLP) -> dict[str, Any]:
    shares = {i: (x - a) / (b - a) for i, (x, (a, b)) in enumerate(zip(BETWEEN, pairwise(AGREE), strict=True))}
    return facts.line_gaps(left, right, [[x] for x in AGREE], shares)


def _as_many_gaps() -> Evidence:
    fact = _gaps(ZIGZAG, SINGLE)
    return Evidence(facts.every(fact, compared=[((1, 0, "gaps"), "=", (1, 0, "units"))]))


def _as_many_points() -> Evidence:
    fact = facts.alternation(ZIGZAG, SINGLE, [[x] for x in ALTERNATE])
    return Evidence(facts.every(fact, compared=[((1, 0, "points"), "=", [(1, 0, "units"), (2,)])]))


def _as_many_boxes() -> Evidence:
    found = [facts.crossed_boxes([1] * len(axes), bias, axes) for axes, bias in MIDDLE.values()]
    same = [((1, i, "crossed"), "=", (1, i, "most")) for i in range(len(found))]
    return Evidence(facts.every(*found, compared=same))


def _cost() -> Evidence:
    fact = facts.grid_cost(RAMP_UP, RAMP_END, [range(WIDE + 1)] * 2, Fraction(1))
    return Evidence(facts.every(fact, compared=[(0, "<", (1, 0, "bound")), ((1, 0, "bound"), "<=", (1, 0, "cost"))]))


TRAINED = [group.input for group in WORLD.dataset().groups]
# Every input of the world at an hour between hours of training.
BETWEEN_HOURS = sorted({encode(s, question) for s, _ in WORLD.states((TRIGGER_HOUR,)) for question in QUESTIONS})
DEPLOYED = vector((1, 0, 0, 0, WORLD.deploy_hours[0], 0))
TRIGGERED = vector((0, 0, 0, 0, TRIGGER_HOUR, 0))


def _covered() -> Evidence:
    shown = []
    for other in (IMITATOR, TRANSLATOR):
        found = {x: cover([DECEPTIVE, other], TRAINED, x) for x in BETWEEN_HOURS}
        shown.append(facts.covered(DECEPTIVE, other, TRAINED, {x: at for x, at in found.items() if at is not None}))
        if None in found.values():
            return Evidence(shown[-1], holds=False)
    return Evidence(facts.every(*shown))


def _differ(model: MLP, point: Vector, where: type[Separation] | type[Combination]) -> Evidence:
    """The net agrees with the imitator in training and not at the point: a counterexample to "as in training"."""
    place = locate(TRAINED, point)
    apart = facts.different_outputs(model, IMITATOR, point)
    same = facts.same_outputs(model, IMITATOR, TRAINED)
    if not isinstance(place, where) or cover([model, IMITATOR], TRAINED, point) is not None:
        return Evidence(facts.every(same, apart))
    return Evidence(facts.every(place.fact(TRAINED, point), same, apart), holds=False)


CLAIM = Claim(
    id="C23",
    title="Confinement",
    statement=r"(i) Let $x=\sum_il_iv_i$ be an average of finitely many points, such as training inputs, and let no "
    r"unit of two nets $f,g$ of any depth change sign on the $v_i$. Then $f(x)-g(x)=\sum_il_i(f(v_i)-g(v_i))$, and for "
    r"one hidden layer $|f(x)-g(x)|^2\leq\sum_il_i|f(v_i)-g(v_i)|^2$. (ii) Nets of $n$ and $n'$ units that agree at "
    r"points of a line agree on all gaps between neighbours but at most $n+n'$; and if their difference, in some "
    r"direction of the outputs, alternates in sign at $M+2$ points of a line, $M\leq n+n'$. (iii) Of the $s^d$ boxes "
    r"of a grid, $s\geq1$, a unit crosses at most $s^d-(s-1)^d$, a share of at most $d/s$: it changes sign on the "
    r"corners of no more. Nets that agree on all points of the grid agree in all boxes but at most "
    r"$(n+n')(s^d-(s-1)^d)$. If they differ by $t$ somewhere in each of $M$ boxes, the summed squared difference over "
    r"the points of the grid is at least $t^2\,(M-(n+n')(s^d-(s-1)^d))/2^d$.",
    premises=(
        "covered: x is an average of points on which no unit of f or g changes sign, for (i)",
        "one hidden layer, for (ii), (iii) and the squared form of (i)",
        "the nets are compared at points of a line, for (ii), or at all points of a grid of s boxes along each of d "
        "axes, for (iii); for what follows of training these have to be training inputs",
    ),
    proof=r"(i) The pre-activation is affine, so at $x$ it is the average of those at the $v_i$. As these have one "
    r"sign, so is its $\mathrm{relu}$; and so on, layer by layer. A square is at most the average of the squares. (ii) "
    r"Along the line a pre-activation is affine, so a unit has opposite signs at the ends of one gap at most, and on "
    r"every gap that no unit meets so (i) applies. If the difference has opposite signs at the ends of a gap, it is "
    r"$0$ at some $r_i$ inside: where a unit is $0$ in the gap, look on one side of that, where fewer units change "
    r"sign; where none is left the difference is affine. Between $r_i$ and $r_{i+1}$ it is not affine, so some unit "
    r"changes sign there, and one unit does so between one such pair only. (iii) Of the weights of a unit take the "
    r"signs. The box $p$ has then a lowest and a highest corner, and the highest of $p$ is the lowest of the next box "
    r"along the diagonal. If the unit is at most $0$ there it does not cross $p$, else it does not cross the next one. "
    r"So each of the $(s-1)^d$ boxes of a smaller grid spares a box, and no two the same. $s\,(s^d-(s-1)^d)\leq ds^d$ "
    r"is Bernoulli's inequality. In a box that no unit crosses (i) applies to its corners: a difference of $t$ inside "
    r"shows as $t^2$ at least in the sum over its corners. A point is the corner of $2^d$ boxes at most.",
    limits="Universal. Nothing is said outside the hull of the training inputs, where a net may answer anything, nor "
    "of a point between whose training inputs a unit changes sign: three units suffice there (C10). The cell is that "
    "of both nets, so the reference net must be known, or its number of units. Parts (ii) and (iii) need training "
    "inputs at all points of a line or a grid: of a grid in d dimensions there are (s+1)^d. (ii) says nothing of "
    "n + n' gaps or fewer. (iii) says nothing where (n + n') (s^d - (s-1)^d) >= s^d, and something wherever d (n + n') "
    "< s. The counts for deep nets are not stated. The summed squared difference is the summed loss above "
    "g's only where the targets are g's answers. No claim is made that the bound of the cost is attained.",
    obligations=(
        universal(
            "For all d, m, n, n' and averages of finitely many inputs: in a cell of both nets their difference is the "
            "average of their differences, its square at most the average of the squares; and so for stacks of ReLU "
            "layers of any depth, with an affine output",
            "c23_confinement",
            "C23_average",
            "C23_confinement",
            "C23_price",
            "C23_deep",
        ),
        universal(
            "For all d, m, n, n', N: nets that agree at N + 1 increasing points of a line agree on all N gaps but at "
            "most n + n'; their difference alternates, in any direction of the outputs, at n + n' + 2 points at most",
            "c23_line",
            "C23_line",
            "C23_alternation",
            name="universal-line",
        ),
        universal(
            "For all d, m, n, n', s >= 1 and increasing coordinates: a unit crosses at most s^d - (s-1)^d boxes, a "
            "share of d/s at most; nets that agree on the grid agree in all boxes but n + n' times as many; and the "
            "cost of differing by t in M boxes",
            "c23_grid",
            "C23_crossed",
            "C23_share",
            "C23_grid",
            "C23_cost",
            name="universal-grid",
        ),
        universal(
            "A checker of audits, in integers: what it accepts as an average of rows of data, or as one of them, is so",
            "check_hulls",
            "C23_check_average",
            "C23_check_row_of",
            name="universal-checker",
        ),
        universal(
            "And of covered inputs: they are an average of rows between which no unit of a net of any depth changes "
            "sign, so that a net of which the same is so, and that agrees at these rows, agrees there; and by how much "
            "two nets differ at an input",
            "check_cells",
            "C23_check_covered",
            "C23_covered_agree",
            "C23_check_difference",
            name="universal-checker-cells",
        ),
        Obligation(
            "C23.triangle",
            f"n=1, m=1, all parameters and all averages of {listed(TRIANGLE)} unknown: where the unit does not change "
            "sign on them the net at the average is the average of its values",
            Scope.BOUNDED,
            partial(not_the_average, TRIANGLE),
        ),
        Obligation(
            "C23.line",
            f"n=1, n'=1, m=1, all parameters unknown: nets that agree at {listed([(x,) for x in AGREE])} do not differ "
            f"at each of {listed([(x,) for x in BETWEEN])}, in {len(BETWEEN)} gaps",
            Scope.BOUNDED,
            partial(differ_in_all_gaps, 1, 1),
        ),
        Obligation(
            "C23.alternation",
            "n=1, n'=1, m=1, all parameters unknown: the difference does not alternate in sign at "
            f"{listed([(x,) for x in ALTERNATE])}, which are {len(ALTERNATE)} > 1 + 1 + 2",
            Scope.BOUNDED,
            partial(alternates, 1, 1),
        ),
        Obligation(
            "C23.boxes",
            f"d=2, all weights and biases unknown: a unit crosses at most {SIDES**2 - (SIDES - 1) ** 2} of "
            f"{SIDES} x {SIDES} boxes",
            Scope.BOUNDED,
            partial(crosses_more, SIDES**2 - (SIDES - 1) ** 2),
        ),
        Obligation(
            "C23.line-attained",
            f"Nets of {ZIGZAG.widths[1]} and {SINGLE.widths[1]} units agree at {listed([(x,) for x in AGREE])} and "
            "differ in as many gaps as they have units together",
            Scope.INSTANCE,
            _as_many_gaps,
        ),
        Obligation(
            "C23.alternation-attained",
            f"The difference of the same nets alternates at {listed([(x,) for x in ALTERNATE])}, two points more than "
            "they have units",
            Scope.INSTANCE,
            _as_many_points,
        ),
        Obligation(
            "C23.boxes-attained",
            f"A unit crosses exactly s^d - (s-1)^d boxes of a grid with s={SIDES} in the plane and in space",
            Scope.INSTANCE,
            _as_many_boxes,
        ),
        Obligation(
            "C23.cost",
            f"Two nets of one unit each that differ by 1 in most of {WIDE} x {WIDE} boxes: the bound of their summed "
            "squared difference is positive and holds",
            Scope.INSTANCE,
            _cost,
        ),
        Obligation(
            "C23.covered",
            f"Every input of the world at hour {TRIGGER_HOUR}, of which there is no training data, is covered: the "
            "deceptive net differs there from the imitator's and from the translator's by the average of what it "
            "differs in training",
            Scope.INSTANCE,
            _covered,
        ),
        Obligation(
            "C23.control",
            f"The same of the deceptive net and the imitator's at an input of hour {WORLD.deploy_hours[0]}, outside "
            "the hull of training",
            Scope.INSTANCE,
            lambda: _differ(DECEPTIVE, DEPLOYED, Separation),
            Verdict.REFUTED,
        ),
        Obligation(
            "C23.control-sign",
            f"The same of the backdoored net and the imitator's at hour {TRIGGER_HOUR}, inside the hull, where a unit "
            "of the backdoor changes sign",
            Scope.INSTANCE,
            lambda: _differ(BACKDOOR, TRIGGERED, Combination),
            Verdict.REFUTED,
        ),
        Obligation(
            "C23.control-count",
            "The same as C23.line for n=2, n'=1: one unit more",
            Scope.BOUNDED,
            partial(differ_in_all_gaps, 2, 1),
            Verdict.REFUTED,
        ),
        Obligation(
            "C23.control-boxes",
            f"The same as C23.boxes with one box fewer, {SIDES**2 - (SIDES - 1) ** 2 - 1}",
            Scope.BOUNDED,
            partial(crosses_more, SIDES**2 - (SIDES - 1) ** 2 - 1),
            Verdict.REFUTED,
        ),
    ),
)
