"""The queries of C25 and C27 against direct evaluation: at given values a script is true just when the statement is."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.sexpr import Script as Read
from proof_of_absence.models.circuit import Unit, idle_value, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs import c25_norms, c27_almost_idle, upper_layers
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


@given(rationals, rationals, rationals, st.booleans())
def test_c27_part_query_says_how_a_square_is_parted(r, e, t, whole):
    script = Read(c27_almost_idle.parted(whole=whole).script.text())
    values = {"r": r, "e": e, "t": t}
    assert script.holds(script.assertions[:-1], values) == (t > 0)
    if t:
        above = (r - e) ** 2 > (1 + t) * r**2 + (whole + 1 / t) * e**2
        below = (r - e) ** 2 < (1 + t) * r**2 + (whole + 1 / t) * e**2
        assert script.holds(script.assertions[-1:], values) == (above if t > 0 else below)
        assert not (above and whole and t > 0)


@given(st.lists(rationals, min_size=3, max_size=3), st.lists(rationals, min_size=10, max_size=10), st.booleans())
def test_c27_skip_query_says_what_becomes_of_the_addend(start, numbers, blind):
    *h, t = start
    values = {"h_0": h[0], "h_1": h[1], "t": t}
    blocks = []
    for k in range(upper_layers.BLOCKS):
        w, u, b, *a = numbers[5 * k : 5 * k + 5]
        values |= {f"w{k}": w, f"b{k}": b, f"a{k}_0": a[0], f"a{k}_1": a[1]} | ({} if blind else {f"u{k}": u})
        blocks.append((w, -w if blind else u, b, a))

    def through(stream):
        for w, u, b, a in blocks:
            unit = max(w * stream[0] + u * stream[1] + b, Fraction(0))
            stream = [x + unit * o for x, o in zip(stream, a, strict=True)]
        return stream

    script = Read(upper_layers.skip(blind=blind).script.text())
    changed = [x + t for x in through(h)] != through([x + t for x in h])
    assert script.holds(script.assertions[-1:], values) == changed
    assert not (changed and blind)


@given(st.fractions(-9, 9, max_denominator=8))
def test_c27_activations_are_what_their_names_say(t):
    hard = t * min(max(t + 3, Fraction(0)), Fraction(6)) / 6
    leaky = max(t, c27_almost_idle.LEAK * t)
    relu = max(t, Fraction(0))
    for query, value, within in (
        (c27_almost_idle.hard_swish, hard, c27_almost_idle.HARD_SWISH),
        (c27_almost_idle.leaky, leaky, Fraction(1)),
    ):
        script = Read(query().script.text())
        assert script.holds(script.assertions[-1:], {"t": t}) == (abs(value - relu) > within)
