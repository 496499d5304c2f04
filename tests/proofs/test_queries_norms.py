"""The queries of C25 against direct evaluation: at given values a script is true just when the statement is."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.sexpr import Script as Read
from proof_of_absence.models.circuit import Unit, idle_value, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs import c25_norms
from proof_of_absence.proofs.c8_contradiction import candidates
from tests.proofs.test_queries import parameters, rationals

INPUTS = c25_norms.LINE_INPUTS[:3]


def cost(net, circuit) -> Fraction:
    """The path norm of a circuit."""
    hidden, output = net.layers
    return sum((abs(output.weights[0][j] * w) for _, j in circuit for w in hidden.weights[j]), start=Fraction(0))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(rationals, rationals, rationals), min_size=2, max_size=2),
    st.lists(rationals, min_size=3, max_size=3),
    rationals,
    st.sampled_from(["silent", "constant", "as drawn"]),
    st.booleans(),
    st.integers(-9, 9),
)
def test_c25_query_says_what_reassignment_within_the_norm_does(units, targets, c, kind, floor, x):
    (w, b, a), other = units
    first = {"silent": (-abs(w), Fraction(0), a), "constant": (Fraction(0), b, a), "as drawn": (w, b, a)}[kind]
    net = shallow([([u[0]], u[1], [u[2]]) for u in (first, other)], [c])
    data = Dataset(INPUTS, [[y] for y in targets])
    circuit = {Unit(1, 0)}
    script = Read(c25_norms.no_firing(INPUTS, 2, (0,), floor=floor).script.text())
    value = idle_value(net, circuit, data.inputs)
    constant = value[Unit(2, 0)] if value else Fraction(0)
    values = parameters(net) | {f"y_{i}": y for i, y in enumerate(targets)} | {"v": constant, "x_0": Fraction(x)}
    values |= {f"r_{i}": r for i, (r,) in enumerate(data.residuals(net))}
    above_floor = data.loss(net) > data.noise_floor
    assert script.holds(script.assertions[:-1], values) == (value is not None and (above_floor or not floor))
    if value is None:
        return
    cut = shallow([([first[0]], first[1], [0]), ([other[0]], other[1], [other[2]])], [c + constant])
    better = False
    for weights, bias in candidates(INPUTS):
        phi = [max(weights[0] * z + bias, Fraction(0)) for (z,) in INPUTS]
        step = sum(p * r for p, (r,) in zip(phi, data.residuals(cut), strict=True)) / sum(p * p for p in phi)
        most = cost(net, circuit) / abs(weights[0])
        moved = reassign(cut, {Unit(1, 0): (weights, bias, [max(-most, min(most, step))])})
        assert cost(moved, circuit) <= cost(net, circuit)
        better |= data.loss(moved) < data.loss(net)
    fires = idle_value(net, circuit, [[x]]) != value
    assert script.holds(script.assertions[-1:], values) == (fires and not better)
    assert not (fires and above_floor) or better


@settings(max_examples=60, deadline=None)
@given(
    rationals,
    rationals,
    rationals,
    rationals,
    rationals,
    rationals,
    st.sampled_from([Fraction(1), Fraction(99, 100), Fraction(1, 9)]),
)
def test_c25_lipschitz_query_says_how_the_outputs_differ(w, b, a, c, x, other, share):
    net = shallow([([w], b, [a])], [c])
    script = Read(c25_norms.lipschitz(share).script.text())
    values = parameters(net) | {"x": x, "other": other}
    assert script.holds(script.assertions[:-1], values) == (other <= x)
    far = net([x])[0] - net([other])[0] > share * (x - other) * (w * w + a * a) / 2
    assert script.holds(script.assertions[-1:], values) == far
    assert not far or share < 1 or x < other


@settings(max_examples=60, deadline=None)
@given(st.lists(rationals, min_size=8, max_size=8), st.lists(rationals, min_size=3, max_size=3))
def test_c25_confined_query_says_what_follows(numbers, rest):
    names = [f"{net}_{t}" for net in "fg" for t in ("here", "there", "squares", "loss")]
    v = dict(zip(names, numbers, strict=True)) | dict(zip(("decay", "away", "floor"), rest, strict=True))
    script = Read(c25_norms.confined().script.text())
    near, far = (abs(v[f"f_{t}"] - v[f"g_{t}"]) for t in ("there", "here"))
    premises = [
        v["decay"] > 0,
        v["away"] >= 0,
        v["floor"] <= v["f_loss"],
        *(abs(v[f"{n}_here"] - v[f"{n}_there"]) <= v["away"] * v[f"{n}_squares"] / 2 for n in "fg"),
        v["f_loss"] + v["decay"] * v["f_squares"] <= v["g_loss"] + v["decay"] * v["g_squares"],
    ]
    assert script.holds(script.assertions[:-1], v) == all(premises)
    if v["decay"]:
        scale = 1 if v["decay"] > 0 else -1
        allowed = near + v["away"] * (v["g_squares"] + (v["g_loss"] - v["floor"]) / (2 * v["decay"]))
        assert script.holds(script.assertions[-1:], v) == (scale * allowed < scale * far)
