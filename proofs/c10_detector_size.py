"""C10 detector size. One unit detects a point iff it is outside the convex hull of the training inputs;
three detect any other than a training input.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial

from proof_of_absence.checker.construct.detector_size import detector_size
from proof_of_absence.checker.construct.hull import Combination, Separation, detector, locate
from proof_of_absence.checker.encode.nets import forward, net_at, unknown_parameters
from proof_of_absence.checker.experiments.world.cells import sizes
from proof_of_absence.checker.experiments.world.sweep import Sweep
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, any_of, distinct, dot, eq, le
from proof_of_absence.models.circuit import Unit, hidden_units
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import BACKDOOR_DETECTOR, TRIGGER_HOUR, WORLD
from proof_of_absence.models.rational import Vector, matrix, vector
from proof_of_absence.models.world import QUESTIONS, World, encode
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import listed

# Inputs of the symbolic queries; parameters, and the point of the hull, are unknown.
LINE_INPUTS = ((0,), (1,), (3,))
SQUARE = ((0, 0), (0, 1), (1, 0), (1, 1))
TETRAHEDRON = ((0, 0, 0), (3, 0, 0), (0, 3, 0), (0, 0, 3))
# The training hours around the trigger hour of the backdoor.
HOURS = tuple((hour,) for hour in WORLD.train_hours if abs(hour - TRIGGER_HOUR) <= 2)
# Each axis confuses the middle with two of these inputs, so the bump needs another direction.
CROSS, CENTRE = ((0, 1), (2, 1), (1, 0), (1, 2)), (1, 1)
# -relu(x) + 2 relu(x - 1/2): 0 at 0 and at 1, and not between.
TWO_UNITS = shallow([([1], 0, [-1]), ([1], "-1/2", [2])], [0])
ENDS, MIDDLE = ((0,), (1,)), ("1/2",)
# Two inputs on one side of a point of the line and one on the other.
ONE_SIDED, BESIDE = ((0,), (1,), (2,)), ("3/2",)
# Stated here, checked exactly: hours of training, and the mean size of a detector at deployment.
MEAN_SIZES = {4: "1", 5: "8/7", 6: "4/3", 9: "7/3", 10: "3"}


def _sent(script: Script, parameters, z: Sequence, prefix: str) -> list:
    """What all hidden units together send to each output at z."""
    values = forward(script, parameters, z, prefix)
    (weights, _) = parameters[-1]
    return [dot(row, [values[Unit(1, j)] for j in range(len(row))]) for row in weights]


def _never_fires(inputs: Sequence[tuple], units: int, outputs: int = 1, point: Sequence | None = None) -> Query:
    """All parameters unknown: units that are idle on the inputs send the same at the point.

    Without one, at every point of the hull.
    """
    script = Script("QF_NRA", f"{units} hidden units idle on {inputs}, and what they send at a point")
    parameters = unknown_parameters(script, (len(inputs[0]), units, outputs))
    idle = script.reals("v", outputs)
    for i, z in enumerate(inputs):
        for value, v in zip(_sent(script, parameters, z, f"f{i}"), idle, strict=True):
            script.premise(eq(value, v))
    if point is None:
        share = script.reals("l", len(inputs))
        for weight in share:
            script.premise(le(0, weight))
        script.premise(eq(add(*share), 1))
        x = [dot(share, column) for column in zip(*inputs, strict=True)]
    else:
        x = [Fraction(value) for value in point]
    sent = _sent(script, parameters, x, "x")
    script.decide("claim_fails", any_of(distinct(value, v) for value, v in zip(sent, idle, strict=True)))

    def replay(witness: dict) -> dict:
        net = net_at(parameters, witness)
        return facts.idle(net, hidden_units(net), matrix(inputs), fires=vector(point))

    return Query(script, replay if point is not None else None)


def detector_net(inputs: Sequence[Vector], point: Vector) -> MLP:
    """The constructed detector of the point, as a net of one output that is 0 in training."""
    return shallow([(w, b, [a]) for w, b, a in detector(inputs, point)], [0])


def _detected(inputs: Sequence, points: Sequence, where: type, units: int) -> Evidence:
    """Every point lies where it is said to, and the constructed detector has so many units, is idle,
    and fires there.
    """
    inputs, points = matrix(inputs), matrix(points)
    shown, as_said = [], bool(points)
    for point in points:
        place, net = locate(inputs, point), detector_net(inputs, point)
        shown += [place.fact(inputs, point), facts.idle(net, hidden_units(net), inputs, fires=point)]
        as_said &= isinstance(place, where) and net.widths[1] == units
    return Evidence(facts.every(*shown), holds=as_said)


def _world(hours: Sequence[int], where: type, units: int) -> Evidence:
    """Every input of the world at these hours, against its distinct training inputs."""
    inputs = [group.input for group in WORLD.dataset().groups]
    points = {encode(state, question) for state, _ in WORLD.states(tuple(hours)) for question in QUESTIONS}
    return _detected(inputs, sorted(points), where, units)


def _nested(means: Mapping[int, str]) -> Evidence:
    """The sizes of all detectors in worlds of these diversities, by what their mean sizes are said to be."""
    shown = [sizes(World.nested(Sweep().order, diversity)) for diversity in means]
    return Evidence(facts.every(*shown), holds=[fact["mean"] for fact in shown] == list(means.values()))


def _two_fire(inputs: Sequence, point: Sequence) -> Evidence:
    """Two units that are idle on the inputs and fire at a point of their hull, where one does not:
    a counterexample to "three are needed".
    """
    inputs, point = matrix(inputs), vector(point)
    found = detector_size(inputs, point)
    net = shallow([(w, b, [a]) for w, b, a in found.units], [0])
    fires = facts.idle(net, hidden_units(net), inputs, fires=point)
    return Evidence(facts.every(found.place.fact(inputs, point), fires), holds=(found.least, found.most) != (2, 2))


def _two_are_enough() -> Evidence:
    inputs, point = matrix(ENDS), vector(MIDDLE)
    fires = facts.idle(TWO_UNITS, hidden_units(TWO_UNITS), inputs, fires=point)
    place = locate(inputs, point)
    return Evidence(facts.every(place.fact(inputs, point), fires), holds=isinstance(place, Combination))


CLAIM = Claim(
    id="C10",
    title="Detector size",
    statement=r"The smallest train-idle circuit that fires at $x$, that is, sends there another value than the one it "
    r"sends in training, has $1$ unit iff $x$ is outside the convex hull of the training inputs. At a training input "
    r"no circuit fires. Inside the hull it has $2$ or $3$ units, if $x$ is no training input: $3$ if $x$ lies on a "
    r"line with two training inputs on each side, at most $2$ if $x$ is outside the hull of all training inputs but "
    r"one. It never gets smaller as training inputs are added.",
    premises=("one hidden layer, real parameters", "m >= 1, for a circuit that fires to exist"),
    proof=r"Let $x=\sum_il_iz_i$ be in the hull and $p(z)=w\cdot z+b$ the pre-activation of a unit with output weight "
    r"$a\neq0$ that is idle: all $\mathrm{relu}(p(z_i))$ are equal. If they are $0$, all $p(z_i)\leq0$, so "
    r"$p(x)\leq0$; otherwise all $p(z_i)$ are equal, and $p(x)$ is equal to them. Either way it sends at $x$ what it "
    r"sends in training. Outside the hull there are $w,b$ with $w\cdot z_i+b\leq0<w\cdot x+b$ (Farkas): a unit that "
    r"fires. For three units, \claim{C4} has a direction $w$ with $w\cdot z_i\neq w\cdot x$ for all $i$; with "
    r"$t=w\cdot z-w\cdot x$ and $h$ the least $|w\cdot z_i-w\cdot x|$, the bump "
    r"$\mathrm{relu}(t+h)-2\,\mathrm{relu}(t)+\mathrm{relu}(t-h)$ is $h$ at $x$ and $0$ at every $z_i$. Two units that "
    r"send $v$ at $z_1,z_2,z_3,z_4$ in order along a line and more at $x$ between $z_2$ and $z_3$ bend down between "
    r"these two, and up between $z_1$ and $x$ and between $x$ and $z_4$: three bends, and each has one. If a "
    r"half-space $p>0$ holds $x$ and no training input but $u$, $\mathrm{relu}(p-h)-\mathrm{relu}(p-h+\epsilon g)$ is "
    r"idle for $h$ and $\epsilon$ small, where $g$ is affine, $0$ at $u$ and not at $x$. What is idle on more inputs "
    r"is idle on fewer.",
    limits="Universal for one hidden layer. Inside the hull the two tests do not decide between 2 and 3 everywhere: "
    "for the middle of four inputs that form a cross neither applies (and 2 are enough, as in C10.two-enough along a "
    "diagonal); in the world of questions and answers they do. How far the value at x is from the idle one, and what "
    "precision that takes, is not addressed.",
    rests_on=("C4",),
    obligations=(
        universal(
            "For all d, n, m, N: no circuit fires at a training input, no unit inside the hull; for m >= 1 one fires "
            "outside, and three wherever there is no training input",
            "c10_detector_size",
            "C10_train_input",
            "C10_in_hull",
            "C10_one_unit",
            "C10_bump",
        ),
        universal(
            "For all d, n, m, N: two idle units fire at no point of a line with two training inputs on each side; two "
            "fire at a point outside the hull of all training inputs but one, other than that one, for m >= 1; a "
            "circuit idle on more inputs that fires at x does so on fewer",
            "c10_two_units",
            "C10_two_sided",
            "C10_left_out",
            "C10_nested",
            name="universal-two-units",
        ),
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts about points inside and "
            "outside the hull of the inputs holds of the points that the lists stand for",
            "check_points",
            "C10_check_inside",
            "C10_check_outside",
            name="universal-checker",
        ),
        universal(
            "A checker of audits, in integers: hyperplanes that are dead as units of a layer at all rows of data have "
            "these on one side, and an input where one is above 0 is beyond it",
            "check_hulls",
            "C10_check_beyond",
            name="universal-checker-audits",
        ),
        *(
            Obligation(
                f"C10.{name}",
                f"One unit, m={outputs}, all parameters unknown, idle on the inputs {listed(inputs)}: it fires nowhere "
                "in their hull",
                Scope.BOUNDED,
                partial(_never_fires, inputs, 1, outputs),
            )
            for name, inputs, outputs in (
                ("line", LINE_INPUTS, 2),
                ("square", SQUARE, 1),
                ("tetrahedron", TETRAHEDRON, 1),
            )
        ),
        Obligation(
            "C10.three-needed",
            f"No {len(BACKDOOR_DETECTOR) - 1} units of the line (m=1) that are idle together at the hours "
            f"{listed(HOURS)} fire at {TRIGGER_HOUR}; so the backdoor's {len(BACKDOOR_DETECTOR)} are the least, since "
            "a unit of the world is one of the line when only the hour varies",
            Scope.BOUNDED,
            partial(_never_fires, HOURS, len(BACKDOOR_DETECTOR) - 1, point=(TRIGGER_HOUR,)),
        ),
        Obligation(
            "C10.two-enough",
            f"{TWO_UNITS.widths[1]} units idle together at {listed(ENDS)} fire at {listed([MIDDLE])}, inside their "
            "hull",
            Scope.INSTANCE,
            _two_are_enough,
        ),
        Obligation(
            "C10.deployment",
            "Every deployment input of the world is outside the hull of its training inputs, and the constructed unit "
            "fires there",
            Scope.INSTANCE,
            lambda: _world(WORLD.deploy_hours, Separation, 1),
        ),
        Obligation(
            "C10.backdoor",
            "Every input at the backdoor's trigger hour is inside, and the constructed bump of three units fires there",
            Scope.INSTANCE,
            lambda: _world((TRIGGER_HOUR,), Combination, 3),
        ),
        Obligation(
            "C10.cross",
            f"The same in the plane for the inputs {listed(CROSS)} and the point {listed([CENTRE])}, where no axis "
            "tells it from them",
            Scope.INSTANCE,
            lambda: _detected(CROSS, [CENTRE], Combination, 3),
        ),
        Obligation(
            "C10.nested",
            f"In nested worlds of {', '.join(map(str, MEAN_SIZES))} hours of training the size of the smallest "
            f"detector of every deployment input, exactly; the mean at deployment is {', '.join(MEAN_SIZES.values())}",
            Scope.INSTANCE,
            lambda: _nested(MEAN_SIZES),
        ),
        Obligation(
            "C10.control-one-side",
            "Three units are needed too where a line has two training inputs on one side and one on the other: "
            f"{listed(ONE_SIDED)} with {listed([BESIDE])}",
            Scope.INSTANCE,
            lambda: _two_fire(ONE_SIDED, BESIDE),
            Verdict.REFUTED,
        ),
        *(
            Obligation(
                f"C10.{name}",
                f"n={units}, m=1, all parameters unknown: what is idle on the inputs {listed(inputs)} does not fire at "
                f"{listed([point])}, {where} their hull",
                Scope.BOUNDED,
                partial(_never_fires, inputs, units, point=point),
                Verdict.REFUTED,
            )
            for name, inputs, units, point, where in (
                ("control", SQUARE, 1, (2, 2), "outside"),
                ("control-two", ENDS, 2, MIDDLE, "inside"),
            )
        ),
    ),
)
