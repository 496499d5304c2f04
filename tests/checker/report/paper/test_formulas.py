"""Numbers, nets and data as LaTeX say what they are made from: formulas are read back and evaluated."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.checker.report.paper.formulas import formulas
from proof_of_absence.checker.report.paper.typeset import decimal, define, defined, escape, exact, prose
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import relu, shallow
from tests.conftest import SMALL, nets, vectors


def _read(formula, **values):
    """A formula of these modules, evaluated: the inverse of what is under test, by Python's own grammar."""
    text = re.sub(r"\\ensuremath\{(.*)\}$", r"\1", formula).replace(r"\relu", "relu").replace(r",\ ", ", ")
    text = text.replace(r"\bigl(", "(").replace(r"\bigr)", ")")
    text = re.sub(r"\\tfrac\{(\d+)\}\{(\d+)\}", r"Fraction(\1,\2)", text)
    text = re.sub(r"([hz])_(?:\{(\d+)\}|(\d+))", lambda m: f"{m[1]}{m[2] or m[3]}", text)
    text = re.sub(r"(\d|\))(?=[a-z])", r"\1*", text)
    return eval(text, {"relu": relu, "Fraction": Fraction, **values})


def _values(lines, kind):
    return [text for line in lines for text in re.findall(rf"^\\AbsenceDefine{{{kind}}}{{[^}}]*}}{{(.*)}}$", line)]


@given(nets(outputs=2, depth=2), st.data())
def test_a_net_reads_back(net, data):
    fact = {"kind": "idle", "net": net_json(net)}
    z = data.draw(vectors(net.widths[0], st.integers(-3, 3)))
    lines = list(formulas("X.a", fact))
    found = _values(lines, "net")
    if net.widths[0] > 2 or sum(net.widths[1:-1]) > 7:
        assert not found
        return
    names = {"z": z[0]} if len(z) == 1 else {f"z{k}": v for k, v in enumerate(z, 1)}
    for unit in filter(None, _values(lines, "units")[0].split(r", \ensuremath")):
        name, value = re.sub(r"^(\\ensuremath)?\{|\}$", "", unit).split("=", 1)
        names[name.replace("_{", "").replace("}", "")] = _read(value, **names)
    value = _read(found[0], **names)
    assert (value if isinstance(value, tuple) else (value,)) == net(z)


@given(st.fractions())
def test_a_decimal_is_within_half_a_unit_of_its_last_place(value):
    text = re.fullmatch(r"\\ensuremath\{(.*)\}", decimal(value))[1]
    mantissa, _, power = text.partition(r"\cdot10^{")
    shown = Fraction(mantissa) * Fraction(10) ** int(power.rstrip("}") or 0)
    assert abs(shown - value) <= abs(value) * Fraction(1, 2000)
    assert len(re.sub(r"^-?0?\.?0*|\.", "", mantissa)) <= 4


@given(st.fractions())
def test_an_exact_number_reads_back(value):
    assert Fraction(re.fullmatch(r"\\ensuremath\{(.*)\}", exact(value))[1]) == value


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_prose_leaves_nothing_that_tex_would_take_as_a_command(text):
    typeset = prose(text)
    assert typeset.count("$") - typeset.count("\\$") in range(0, 10**6, 2)
    assert not re.search(r"(?<!\\)[%#&]", typeset)
    assert not re.search(r"(?<!\\)[%#&$_{}]", re.sub(r"\\text\w+\{\}", "", escape(text)).replace("\\\\", ""))


def test_rows_that_repeat_are_counted():
    fact = {"kind": "loss", "data": data_json(Dataset([[0], [0], [1]], [["1/2"], ["1/2"], [3]]))}
    (found,) = _values(formulas("X.a", fact), "data")
    assert found == r"\ensuremath{0\mapsto1/2} (2 times), \ensuremath{1\mapsto3}"


def test_the_graph_goes_through_kinks_and_data():
    left, right = shallow([([1], -1, [2])], [0]), shallow([([1], -1, [1])], [0])
    data = Dataset([[0], [1]], [[0], [0]])
    differ = {"kind": "different-outputs", "left": net_json(left), "right": net_json(right), "input": ["2"]}
    (picture,) = _values(
        formulas("X.a", {"kind": "all", "facts": [differ, {"kind": "loss", "data": data_json(data)}]}), "graph"
    )
    # From -1/5 to 11/5 in 330 points: 1 is at half; the left net ends at the top, the right one halfway up.
    assert picture.count(r"\qbezier") == 4 and picture.count(r"\circle*") == 2
    assert r"\qbezier(165.00,0.00)(247.50,55.00)(330.00,110.00)" in picture
    assert r"\qbezier[60](165.00,0.00)(247.50,27.50)(330.00,55.00)" in picture


@pytest.mark.parametrize("inputs", [[[0, 0]], [[0]]])
def test_no_graph_without_two_nets_of_the_line(inputs):
    data = Dataset(inputs, [[0]] * len(inputs))
    assert not _values(formulas("X.a", {"kind": "loss", "data": data_json(data)}), "graph")


@given(SMALL)
def test_defined_finds_what_define_tells(value):
    text = "% a note\n" + define("number", "C1.a.drop", exact(value)) + define("net", "C1.b", "x")
    assert defined(text) == {("number", "C1.a.drop"), ("net", "C1.b")}
