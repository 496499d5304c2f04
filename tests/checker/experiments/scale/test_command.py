"""`absence scale`: its result is sealed, re-checked and says what the facts do; bad input is one line."""

import json
from fractions import Fraction

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.experiments.scale.command import experiment, scale_command
from proof_of_absence.checker.experiments.scale.tax import rounded, tax, threshold
from proof_of_absence.checker.independent.results.experiment import check_experiment
from proof_of_absence.checker.numbers.enclosure import Enclosure
from proof_of_absence.models.files.whole import MARK
from proof_of_absence.models.scaling import BESIROGLU, HOFFMANN, RESOLUTION, Spread
from tests.checker.console import absence


def test_a_result_is_written_and_rechecked(tmp_path, capsys):
    folder = tmp_path / "scale"
    scale_command(law=["hoffmann"], output=folder)
    out = " ".join(capsys.readouterr().out.split())
    assert "1,000,000 of 70,000,000,000 parameters are worth 4.06e-07 nats a token" in out
    assert "is not met by such runs" in out and "not a proof" in out
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(first) == {"result.json", "tax.pdf", "tax.svg", MARK}
    scale_command(law=["hoffmann"], output=folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    result = check_experiment(folder / "result.json")
    assert result["facts"]["hoffmann.asked"]["below"] == str(RESOLUTION.nats)
    assert f"accepted scale/result.json: {len(result['facts'])} facts" in absence("check", "scale", cwd=tmp_path)
    result["facts"]["hoffmann.asked"]["tax"] = "4.0e-03"
    (folder / "result.json").write_text(json.dumps(result))
    assert "REFUSED scale/result.json: the digest" in absence("check", "scale", cwd=tmp_path, expect=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameters": "1.5"}, "--parameters 1.5: is no whole number"),
        ({"parameters": "nan"}, "--parameters nan: is no whole number"),
        ({"tokens": "1e99"}, "--tokens 1e99: is no whole number"),
        ({"detector": "7e10"}, "--detector 7e10: leaves no parameter"),
        ({"law": ["kaplan"]}, "--law kaplan: is not known; choose hoffmann or besiroglu"),
        ({"resolution": "-1"}, "--resolution -1: is no positive number"),
        ({"output": "file"}, "file is not a folder"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, arguments, message):
    (tmp_path / "file").write_text("")
    if "output" in arguments:
        arguments = {"output": tmp_path / arguments["output"]}
    with pytest.raises(typer.Exit) as stopped:
        scale_command(**arguments)
    told = capsys.readouterr()
    assert stopped.value.exit_code == 2 and message in told.err
    assert told.err.count("\n") == 1 and not told.out


def test_what_follows_depends_on_what_runs_resolve():
    def words(detector, nats):
        return " ".join(experiment([HOFFMANN], 10**9, 10**10, detector, Spread(nats, "so"))["conclusion"])

    assert "is not met by such runs" in words(10**6, Fraction(1, 100))
    assert "That is more than" in words(10**6, Fraction(1, 10**6))
    assert "no detector in it is worth more than 1e+03" in words(10**6, Fraction(1000))


@given(st.sampled_from([HOFFMANN, BESIROGLU]), st.integers(2, 10**13), st.floats(-12, 3))
def test_a_threshold_is_where_the_tax_passes_the_tolerance(law, whole, exponent):
    tolerance = Fraction(10**exponent)
    size = threshold(law, whole, tolerance)
    if size is None:
        assert tax(law, whole, whole - 1).high <= tolerance
    else:
        assert tax(law, whole, size).low > tolerance
        assert size == 1 or tax(law, whole, size - 1).high <= tolerance


@given(st.fractions(Fraction(1, 10**9), 10**9), st.integers(1, 12))
def test_rounded_digits_are_the_nearest(value, digits):
    text = rounded(Enclosure(value, value), digits)
    mantissa, exponent = text.split("e")
    assert len(mantissa.replace(".", "")) == digits
    assert abs(Fraction(text) - value) <= Fraction(10) ** (int(exponent) - digits + 1) / 2


def test_what_is_not_certain_is_not_printed():
    with pytest.raises(ArithmeticError, match="digits are not certain"):
        rounded(Enclosure(Fraction(1), Fraction(11, 10)), 3)
    with pytest.raises(ValueError, match="does not fit"):
        tax(HOFFMANN, 10, 10)
    with pytest.raises(ValueError, match="not positive"):
        threshold(HOFFMANN, 10, Fraction(0))
