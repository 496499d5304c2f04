"""Captions of plots: each plot that an experiment draws has one,
and no number in it is from anywhere but the result.
"""

import json
import re

import pytest

from proof_of_absence.checker.experiments.captions import captions
from proof_of_absence.checker.experiments.scale.command import scale_command
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.report.paper.results import captioned, latex
from proof_of_absence.checker.report.paper.typeset import prose
from proof_of_absence.models.files.disk import InputError
from tests.checker.console import absence

RUNS = {
    "census": ("census", "--grid", "0,1", "--hidden", "1"),
    "world": ("world", "--order", "0,5,9", "--mixing", "0,1/7", "--scheduled", "6", "--trigger", "3", "--units", "1"),
}
LIFETIMES = {
    "format": "absence-lifetimes/1",
    "parameters": {"hidden": 61, "steps": 62, "batch": 63, "seeds": 64, "every": 65, "dtype": "float32"},
    "detectors": {"dead": {"title": "dead in training", "circuit": [1, 2]}},
    "data": {"inputs": [["0"]] * 66},
    "noise_floor": "1/67",
}
# What is no number of a result: claims' names, the precision of a curve, a bound on a probability,
# a value named in words.
_NAME = re.compile(r"\bC\d+\b|12 digits|cut at 1|What is 0|float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The results and plots of small runs."""
    made = tmp_path_factory.mktemp("experiments")
    for name, command in RUNS.items():
        absence(*command, "--output", made / name, cwd=made)
    scale_command(law=["hoffmann"], output=made / "scale")
    return made


def _result(folder, name):
    return json.loads((folder / name / "result.json").read_text())


@pytest.mark.parametrize("name", [*RUNS, "scale"])
def test_each_plot_has_a_caption_that_states_its_scope(folder, name):
    result = _result(folder, name)
    for suffix in (".svg", ".pdf"):
        drawn = {path.stem for path in (folder / name).glob(f"*{suffix}")}
        told = captioned(folder / name, result, suffix)
        assert drawn and set(told) == drawn == set(captions(result))
        assert all(path.is_file() and "Scope: " in caption for path, caption in told.values())


def _numbers(value) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_numbers(part) for pair in value.items() for part in pair))
    if isinstance(value, list):
        return {str(len(value))}.union(*map(_numbers, value))
    return set(re.findall(r"\d+", str(value)))


@pytest.mark.parametrize("name", ["lifetimes", "world"])
def test_the_numbers_in_a_caption_are_those_of_the_result(folder, name):
    result = LIFETIMES if name == "lifetimes" else _result(folder, name)
    # How many humans of a company lapse at the same hours is counted.
    known = _numbers(result) | ({"1", "2"} if name == "world" else set())
    for caption in captions(result).values():
        told = set(re.findall(r"\d+", _NAME.sub("", caption)))
        assert told and told <= known, told - known


def test_a_census_caption_counts_what_was_counted(folder):
    result = _result(folder, "census")
    told = captions(result)
    nets = sum(cell["nets"] for cell in result["cells"].values())
    assert nets == 2**6
    for caption in told.values():
        assert (
            f"All {nets} nets of widths 3-1-1 with parameters in {{0, 1}}; 240 training examples at 9 inputs" in caption
        )
    least = result["sets"]["deceptive"]["least_loss"] or "none"
    assert f"deceptive {least}." in told["losses"]
    assert f"at {len(result['masses']) - 1} temperatures" in told["masses"]
    result["sets"]["deceptive"]["least_loss"] = "3/1001"
    assert "deceptive 3/1001." in captions(result)["losses"]


def test_captions_can_be_typeset(folder):
    text = latex(folder, folder)
    assert text.count(r"\AbsenceDefine{caption}") == text.count(r"\AbsenceDefine{plot}") == 6 + 1
    assert r"$L^*$($n$ $-$ $k$)" in prose(captions(_result(folder, "world"))["price"])


def test_a_plot_that_nobody_can_say_what_it_shows_is_refused(folder, tmp_path):
    (tmp_path / "strange.svg").write_text("<svg/>")
    with pytest.raises(InputError, match=r"strange.svg: has no caption in checker/experiments/captions.py; delete it"):
        captioned(tmp_path, _result(folder, "scale"), ".svg")


def test_a_result_that_lacks_what_a_caption_tells_is_refused(tmp_path):
    with pytest.raises(ValueError, match="KeyError: 'parameters'"):
        captions({"format": "absence-lifetimes/1"})
    with pytest.raises(ValueError, match="TypeError"):
        captions({"format": ["absence-census/1"]})
    (tmp_path / "lives.svg").write_text("<svg/>")
    with pytest.raises(InputError, match=r"result.json: lacks what the captions of its plots tell: KeyError"):
        captioned(tmp_path, seal({"format": "absence-lifetimes/1"}), ".svg")


def test_of_an_unknown_format_that_is_said(tmp_path):
    (tmp_path / "loss-and-size.svg").write_text("<svg/>")
    assert captions({"format": "x/1"}) == {}
    ((path, caption),) = captioned(tmp_path, {"format": "x/1"}, ".svg").values()
    assert path.name == "loss-and-size.svg" and caption.startswith("Loss and size, of an experiment in the format x/1")
