"""What a paper is told of experiments: nothing of one that was not run, sealed numbers and plots of one that was."""

import json

import pytest

from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.report.paper.results import latex, read
from proof_of_absence.checker.report.paper.typeset import defined
from proof_of_absence.models.files.disk import InputError

RESULT = {
    "format": "absence-experiment/1",
    "scope": "Instance: 81 nets.",
    "nets": 81,
    "by width": {"2": "1/3"},
    "x": [0.5],
}


def _run(folder, name, result):
    (folder / name).mkdir(parents=True)
    (folder / name / "result.json").write_text(json.dumps(result))


def test_no_experiments_give_nothing(tmp_path):
    assert read(tmp_path / "none") == {} and latex(tmp_path / "none", tmp_path) == ""


def test_scope_numbers_and_plots(tmp_path):
    _run(tmp_path / "build", "census", seal(RESULT))
    (tmp_path / "build" / "census" / "levels.pdf").write_bytes(b"%PDF")
    text = latex(tmp_path / "build", tmp_path / "paper")
    assert r"\AbsenceDefine{experiment}{census}{Instance: 81 nets.}" in text
    assert r"\AbsenceDefine{measured}{census.nets}{\ensuremath{81}}" in text
    assert r"\AbsenceDefine{measured}{census.x.1}{\ensuremath{1/2}}" in text
    assert r"\AbsenceDefine{plot}{census.levels}{\includegraphics" in text and r"{../build/census/levels.pdf}" in text
    told = r"Levels, of an experiment in the format absence-experiment/1, of which nothing more is known here."
    assert rf"\AbsenceDefine{{caption}}{{census.levels}}{{{told}}}" in text
    # TeX takes no name with a space in it.
    assert not any(" " in key for _, key in defined(text))


def test_a_conclusion_and_a_summary_are_printed_as_they_were_recorded(tmp_path):
    rows = [{"detector": "after hours", "runs": 3, "ends": {"never-gone": 2}, "reassigned": True, "excess": "1/64"}]
    rows[0] |= {"auroc_margin": "0.125"}
    _run(tmp_path, "lifetimes", seal(RESULT | {"conclusion": ["Below 1%.", "So it lives."], "summary": rows}))
    text = latex(tmp_path, tmp_path)
    assert r"\AbsenceDefine{conclusion}{lifetimes}{Below 1\%. So it lives.}" in text
    assert r"detector & runs & ends & reassigned & excess & \shortstack[l]{auroc \\ margin} \\ \midrule" in text
    row = r"after hours & \ensuremath{3} & never gone \ensuremath{2} & yes & \ensuremath{1/64} & \ensuremath{0.125} \\"
    assert row in text


def test_numbers_are_grouped_and_a_scope_is_a_sentence(tmp_path):
    _run(tmp_path, "census", seal(RESULT | {"nets": 48828125, "large": 7 * 10**10, "scope": "instance: all nets"}))
    text = latex(tmp_path, tmp_path)
    assert (
        r"{census.nets}{\ensuremath{48{,}828{,}125}}" in text and r"{census.large}{\ensuremath{7\cdot10^{10}}}" in text
    )
    assert r"\AbsenceDefine{experiment}{census}{instance: all nets.}" in text


def test_a_result_that_the_independent_checker_refuses_is_refused_where_it_is_asked(tmp_path):
    fact = {"kind": "separating-unit", "inputs": [["1"]], "residuals": ["1"], "weights": ["1"], "bias": "0"}
    _run(tmp_path, "more", seal(RESULT | {"facts": {"one": fact | {"inner_product": "2"}}}))
    assert read(tmp_path)
    with pytest.raises(
        InputError, match=r"more/result.json: .*one: .*; delete its folder and run the experiment again"
    ):
        read(tmp_path, check=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            json.dumps(seal(RESULT) | {"nets": 82}),
            "result.json: the digest does not fit the content; delete its folder",
        ),
        (json.dumps(RESULT), "the digest does not fit"),
        ("{", "is no JSON"),
        ("[]", "the digest does not fit"),
        ("", "is empty"),
    ],
)
def test_a_result_that_was_changed_is_refused(tmp_path, content, message):
    (tmp_path / "census").mkdir()
    (tmp_path / "census" / "result.json").write_text(content)
    with pytest.raises(InputError, match=message):
        read(tmp_path)
