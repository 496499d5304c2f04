"""The proved checkers against the independent one: on random nets, true facts and changed ones, they say the same."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.proved import program as made
from proof_of_absence.checker.proved.opinion import Answer, opinions
from proof_of_absence.checker.proved.program import Missing
from tests.checker.proved.asking import agree, changed, oracle, told

NUMBERS = st.sampled_from(["-2", "-1", "-1/2", "0", "1/3", "1", "2", "5/4"])


def vectors(length):
    return st.lists(NUMBERS, min_size=length, max_size=length)


@st.composite
def nets(draw, d, n, m, deep=False):
    """A net with one hidden layer, or with one of width 2 below it."""
    if deep:
        below = {"weights": draw(st.lists(vectors(d), min_size=2, max_size=2)), "bias": draw(vectors(2))}
        return [below, *draw(nets(2, n, m))]
    hidden = {"weights": draw(st.lists(vectors(d), min_size=n, max_size=n)), "bias": draw(vectors(n))}
    return [hidden, {"weights": draw(st.lists(vectors(n), min_size=m, max_size=m)), "bias": draw(vectors(m))}]


def loss(net, data):
    """By definition, with fractions."""
    total = Fraction(0)
    for z, y in zip(data["inputs"], data["targets"], strict=True):
        total += sum((a - Fraction(b)) ** 2 for a, b in zip(outputs(net, z), y, strict=True))
    return total / len(data["inputs"])


def outputs(net, z):
    *hidden, last = net
    values = [*map(Fraction, z)]
    for layer in hidden:
        values = [max(value, Fraction(0)) for value in affine(layer, values)]
    return affine(last, values)


def affine(layer, values):
    return [
        sum((Fraction(a) * v for a, v in zip(row, values, strict=True)), Fraction(c))
        for row, c in zip(layer["weights"], layer["bias"], strict=True)
    ]


def noise_floor(data):
    total = Fraction(0)
    for z, y in zip(data["inputs"], data["targets"], strict=True):
        group = [t for x, t in zip(data["inputs"], data["targets"], strict=True) if equal(x, z)]
        means = [sum(map(Fraction, column)) / len(group) for column in zip(*group, strict=True)]
        total += sum((a - Fraction(b)) ** 2 for a, b in zip(means, y, strict=True))
    return total / len(data["inputs"])


def equal(x, z):
    return [*map(Fraction, x)] == [*map(Fraction, z)]


@st.composite
def facts(draw):
    """A fact of any kind that the program decides, true or not."""
    d, n, m = (draw(st.integers(1, 2)) for _ in range(3))
    deep, other_deep = draw(st.booleans()), draw(st.booleans())
    net, other = draw(nets(d, n, m, deep)), draw(nets(d, n, m, other_deep))
    inputs = draw(st.lists(vectors(d), min_size=1, max_size=4))
    data = {"inputs": inputs, "targets": draw(st.lists(vectors(m), min_size=len(inputs), max_size=len(inputs)))}
    circuit = [[1 + deep, j] for j in sorted(draw(st.sets(st.integers(0, n - 1), min_size=1)))]
    wrong = draw(st.sampled_from([0, 0, 0, Fraction(1, 7)]))
    match draw(st.integers(0, 11)):
        case 0:
            return {"kind": "idle", "net": net, "circuit": circuit, "inputs": inputs}
        case 1:
            fires = draw(vectors(d))
            return {"kind": "idle", "net": net, "circuit": circuit, "inputs": inputs[:1], "fires": fires}
        case 2:
            return {"kind": "not-idle", "net": net, "circuit": circuit, "inputs": inputs}
        case 3:
            return {"kind": "no-idle-circuit", "net": net, "inputs": inputs}
        case 4:
            right = draw(st.sampled_from([net, other]))
            return {"kind": "same-outputs", "left": net, "right": right, "inputs": inputs}
        case 5:
            right = draw(st.sampled_from([net, other]))
            return {"kind": "different-outputs", "left": net, "right": right, "input": inputs[0]}
        case 6:
            stated = {"loss": str(loss(net, data) + wrong), "noise_floor": str(noise_floor(data))}
            return {"kind": "loss-above-floor", "net": net, "data": data, **stated}
        case 7:
            exact = {"inputs": inputs, "targets": [[str(v) for v in outputs(net, z)] for z in inputs]}
            at = draw(st.sampled_from([data, exact]))
            return {"kind": "loss-at-floor", "net": net, "data": at, "positive": draw(st.booleans())}
        case 8:
            shares = draw(st.sampled_from([["1"], ["1/2", "1/2"], ["1/3", "2/3"], ["3/2", "-1/2"], ["1/2", "1/3"]]))
            shares = shares[: len(inputs)]
            point = [
                str(sum(Fraction(share) * Fraction(z[k]) for share, z in zip(shares, inputs, strict=False)) + wrong)
                for k in range(d)
            ]
            combination = [[i, share] for i, share in enumerate(shares)]
            return {"kind": "inside-hull", "inputs": inputs, "point": point, "combination": combination}
        case 9:
            plane = {"weights": draw(vectors(d)), "bias": draw(NUMBERS)}
            return {"kind": "outside-hull", "inputs": inputs, "point": draw(vectors(d)), **plane}
        case 10:
            *below, hidden, last = net
            fewer = (
                {key: rows[:-1] for key, rows in hidden.items()},
                last | {"weights": [r[:-1] for r in last["weights"]]},
            )
            right = draw(st.sampled_from([[*below, *fewer], other] if n > 1 else [other]))
            return {"kind": "smaller-class", "left": net, "right": right, "inputs": inputs}
        case _:
            drop = str(loss(net, data) - loss(other, data) + wrong)
            fact = {"kind": "lower-loss", "before": net, "after": other, "data": data, "drop": drop}
            return fact | draw(st.sampled_from([{}, {"circuit": circuit}, {"wider": True}]))


LINE = {"inputs": [["0"], ["1"], ["2"], ["3"], ["4"]], "targets": [["0"], ["0"], ["1"], ["0"], ["1"]]}


def unit(w, b, a, c):
    return [{"weights": [[w]], "bias": [b]}, {"weights": [[a]], "bias": [c]}]


LEAST = {
    "net": unit("3/4", "-9/4", "1", "1/4"),
    "residuals": [
        [["-1/4", "-1/4", "3/4", "-1/4", "0"]],
        [["1/8", "-1/4", "3/8", "-5/8", "3/8"]],
        [["0", "-1/5", "3/5", "-3/5", "1/5"]],
    ],
}
PRICE = {
    "point": ["5"],
    "side": 1,
    "by": "4",
    "net": unit("19/4", "-73/4", "1", "1/4"),
    "residuals": [
        ["-1/4", "-1/4", "3/4", "-1/4", "0"],
        ["-13/47", "-21/188", "99/94", "41/188", "-83/47"],
        ["19/11", "51/220", "-29/110", "-607/220", "-179/55"],
    ],
    "price": "0",
}
MINIMUM = {"kind": "global-minimum", "data": LINE, "units": 1, **LEAST}
DEFECTION = {
    "kind": "defection-price", "data": LINE, "units": 1, "base": LEAST["net"], "minimum": LEAST, "prices": [PRICE],
}  # fmt: skip
FOUR = {"inputs": [["0"], ["1"], ["2"], ["3"]], "targets": [["1"], ["-1"], ["-1"], ["1"]]}
EARNING = {"net": unit("4/3", "-8/3", "1", "-1/3"), "data": FOUR, "circuit": [[1, 0]], "value": ["1/3"]}
RENT = {"kind": "rent", **EARNING, "weights": ["1"], "bias": "-2", "rent": "1/3", "gain": "1/4"}
APART = {"kind": "almost-idle", **EARNING, "apart": "1/3"}
GAUGE = {"kind": "uniform-gap", "data": FOUR, "direction": ["1"], "separation": "1", "spread": "3", "gap": "1/4608"}


def two(weights, bias, sent):
    """A net with two units on one input, and output bias -1/3."""
    return [{"weights": [[w] for w in weights], "bias": bias}, {"weights": [sent], "bias": ["-1/3"]}]


ONE_MORE = GAUGE | {
    "net": unit("4/3", "-8/3", "0", "-1/3"),
    "after": two(["4/3", "1"], ["-8/3", "-2"], ["0", "4/3"]),
    "drop": "4/9",
}
REUSED = GAUGE | {
    "net": two(["4/3", "1"], ["-8/3", "-5"], ["1", "1"]),
    "after": two(["4/3", "1"], ["-8/3", "0"], ["1", "-1/7"]),
    "drop": "1/14",
    "circuit": [[1, 1]],
}
TRUE = [MINIMUM, DEFECTION, RENT, APART, ONE_MORE, REUSED]


@settings(max_examples=30)
@given(made=st.lists(facts(), min_size=10, max_size=40))
def test_it_agrees_with_the_independent_checker(tmp_path_factory, made):
    agree(tmp_path_factory.mktemp("facts"), made, lambda fact: Answer.LEFT if left(fact) else oracle(fact))


@settings(max_examples=30)
@given(made=st.lists(changed(TRUE), min_size=10, max_size=40))
def test_it_agrees_on_minima_and_what_circuits_earn(tmp_path_factory, made):
    agree(tmp_path_factory.mktemp("facts"), made)


def test_a_count_below_0_is_refused_by_both(tmp_path):
    agree(tmp_path, [MINIMUM | {"units": -1}, DEFECTION | {"units": -1}])


@pytest.mark.parametrize("fact", TRUE)
def test_true_facts_are_accepted(tmp_path, fact):
    (found,) = told(tmp_path, [json.dumps({"fact": fact})])
    assert found.whole and oracle(fact) is Answer.ACCEPTED


def test_a_table_with_rows_of_different_lengths_is_refused(tmp_path):
    fact = APART | {"data": FOUR | {"targets": [["1"], ["-1"], ["-1"], ["1", "0"]]}}
    (found,) = told(tmp_path, [json.dumps({"fact": fact})])
    assert found.refused == ["almost-idle"] and oracle(fact) is Answer.REFUSED


def test_prices_are_compared(tmp_path):
    for place, sign, accepted in ((0, "<", True), (0, "=", False), (1, "<", False)):
        relation = [[["1", 0, "prices", place, "price"]], sign, [["1/2"]]]
        fact = {"kind": "all", "facts": [DEFECTION], "compared": [relation]}
        (found,) = told(tmp_path, [json.dumps({"fact": fact})])
        assert found.whole is accepted and found.refused == ([] if accepted else ["compared"])


def left(fact):
    """What the program leaves to others: these kinds on deep nets."""
    nets = [fact[key] for key in ("net", "left", "right", "before", "after") if key in fact]
    deep = any(len(net) > 2 for net in nets)
    return deep and fact["kind"] in ("no-idle-circuit", "smaller-class")


NET = [{"weights": [["1"], ["-1"]], "bias": ["0", "1/2"]}, {"weights": [["1", "1"]], "bias": ["0"]}]
SAME = {"kind": "same-outputs", "left": NET, "right": NET, "inputs": [["1"], ["-1/2"]]}


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({}, Answer.ACCEPTED),
        ({"inputs": [["1", "2"]]}, Answer.REFUSED),
        ({"inputs": [["1/0"]]}, Answer.REFUSED),
        ({"inputs": [["1e1"]]}, Answer.REFUSED),
        ({"inputs": [["0x1"]]}, Answer.REFUSED),
        ({"inputs": [["--1"]]}, Answer.REFUSED),
        ({"inputs": [["1/-1"]]}, Answer.REFUSED),
        ({"inputs": [[True]]}, Answer.REFUSED),
        ({"inputs": "1"}, Answer.REFUSED),
        ({"left": NET[:1]}, Answer.LEFT),
        ({"left": [NET[0], {"weights": [["1"]], "bias": ["0"]}]}, Answer.REFUSED),
        ({"left": [{"weights": [["1"], ["-1"]], "bias": ["0"]}, NET[1]]}, Answer.REFUSED),
        ({"left": [{"weights": [], "bias": []}, {"weights": [[]], "bias": ["0"]}]}, Answer.LEFT),
        ({"more": 1}, Answer.LEFT),
        ({"kind": "rank"}, Answer.LEFT),
    ],
)
def test_what_is_not_as_it_must_be_is_not_accepted(tmp_path, change, answer):
    (found,) = told(tmp_path, [json.dumps({"fact": SAME | change})])
    assert [said for _, said in found.facts] == [answer]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "\x00", '{"fact": 1}', '{"fact": {}}', '{"fact": {"kind": "idle"}} x',
        '{"fact": {"kind": "all", "facts": []}}', '{"fact": {"kind": "idle"}, "fact": {"kind": "idle"}}',
        '{"fact": {"kind": "a\nb"}}', '{"fact": {"kind": "\\u12"}}', "[" * 10**6,
    ],
)  # fmt: skip
def test_a_text_that_is_no_certificate_is_no_opinion(tmp_path, text):
    (found,) = told(tmp_path, [text])
    assert found.malformed and not found.facts and not found.whole


def test_a_missing_file_is_no_opinion_and_stops_nothing(tmp_path):
    there = tmp_path / "there.json"
    there.write_text(json.dumps({"fact": SAME}))
    found = opinions([tmp_path / "missing.json", there])
    assert found[tmp_path / "missing.json"].malformed and found[there].whole


def test_without_a_compiler_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    made.program.cache_clear()
    try:
        with pytest.raises(Missing, match="install coq, ocaml-findlib and libzarith-ocaml-dev"):
            opinions([tmp_path])
    finally:
        made.program.cache_clear()


def test_a_kept_program_that_is_damaged_is_made_anew():
    path = made.program()
    whole = path.read_bytes()
    path.write_bytes(whole + b"x")
    made.program.cache_clear()
    assert made.program().read_bytes() == whole
