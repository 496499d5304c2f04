"""Answers that are kept are whole wherever the run is ended, few files hold many, and what is damaged is no answer."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit import answers as module
from proof_of_absence.checker.audit.answers import Answers
from proof_of_absence.checker.audit.engine import examine
from proof_of_absence.checker.numbers.deadline import Deadline, within
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.files import disk
from proof_of_absence.models.floatnet import FloatNet


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self):
        return self.now


class Killed(BaseException):
    """The process ends here, as far as the files are concerned."""


def told(folder, names, subject="a"):
    """What the next run is told of these names."""
    answers = Answers(folder, subject)
    return {name: value for name in names if (value := answers.named(name).read()) is not None}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(), st.floats(0, 3)), max_size=20), st.integers(0, 99))
def test_a_run_that_is_killed_leaves_whole_answers_and_loses_the_last_of_them(tmp_path_factory, puts, when):
    """Killed at the write of that number, before its file is there; all that earlier writes held is there."""
    folder, clock, writes = tmp_path_factory.mktemp("answers"), Clock(), [0]
    seen, put = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        keep = module.keep

        def ends(path, *rest):
            writes[0] += 1
            if writes[0] > when:
                (folder / f".{path.name}.999999999.1.tmp").write_text('{"answers": {"a"')
                raise Killed
            keep(path, *rest)
            seen.update(put)

        patch.setattr(module, "keep", ends)
        try:
            with Answers(folder, "a", clock) as answers:
                for name, value, passed in puts:
                    clock.now += passed
                    put[name] = value
                    answers.named(name).write(value)
        except Killed:
            pass
    assert told(folder, "abcde") == seen
    # And the run after that adds to them.
    with Answers(folder, "a", clock) as answers:
        answers.named("f").write(7)
    assert told(folder, "abcdef") == seen | {"f": 7}


def test_a_write_that_the_system_ends_leaves_the_files_as_they_were(tmp_path, monkeypatch):
    with Answers(tmp_path, "a") as answers:
        answers.put("x", 1)

    def fails(*arguments):
        raise OSError("no space")

    monkeypatch.setattr(disk.os, "replace", fails)
    with pytest.raises(OSError, match="no space"), Answers(tmp_path, "a") as answers:
        answers.put("y", 2)
    assert told(tmp_path, "xy") == {"x": 1} and len(list(tmp_path.iterdir())) == 1


def test_files_are_few_however_long_a_run_takes(tmp_path):
    """An answer each tenth of a second for an hour."""
    clock = Clock()
    with Answers(tmp_path, "a", clock) as answers:
        for number in range(36000):
            clock.now += 0.1
            answers.put(str(number), number)
    assert len(list(tmp_path.iterdir())) < 80
    assert len(told(tmp_path, map(str, range(36000)))) == 36000


def test_of_two_answers_the_later_counts_and_of_other_contents_none(tmp_path):
    for value in range(11):
        with Answers(tmp_path, "a") as answers:
            answers.put("x", value)
    assert told(tmp_path, "x") == {"x": 10}
    assert told(tmp_path, "x", "b") == told(None, "x") == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"answers": {"x": 1}}'])
def test_what_is_damaged_or_of_others_is_no_answer(tmp_path, content):
    with Answers(tmp_path, "a") as answers:
        answers.put("x", 1)
    (path,) = tmp_path.iterdir()
    part = json.loads(path.read_text())
    for name in (path.name.replace("-1.json", "-2.json"), path.name.replace("-1.json", "-x.json"), "0123.json"):
        path.with_name(name).write_bytes(content)
    assert told(tmp_path, "x") == {"x": 1}
    path.write_bytes(content)
    assert told(tmp_path, "x") == {}
    path.write_text(json.dumps(part | {"answers": {"x": 2}}))
    assert told(tmp_path, "x") == {}


def test_without_time_no_file_is_read(tmp_path):
    with Answers(tmp_path, "a") as answers:
        answers.put("x", 1)
    with within(Deadline(0)):
        assert told(tmp_path, "x") == {}


NET = FloatNet([(np.eye(40, 1) + 1, np.full(40, -9.0)), (np.ones((1, 40)), [0.0])])
ROWS = np.arange(5.0).reshape(-1, 1)
BOX = Region("box", ((Fraction(0), Fraction(20)),))


def test_an_audit_keeps_many_answers_in_one_file_and_none_that_is_open(tmp_path):
    whole = examine(NET, ROWS, ROWS, regions=[BOX], seconds=None, keep=tmp_path)
    assert len(whole.audit.regions) == 40 and {r.verdict for r in whole.audit.regions} == {"sat"}
    (path,) = tmp_path.glob("answers-*.json")
    assert len(json.loads(path.read_text())["answers"]) == 40
    again = examine(NET, ROWS, ROWS, regions=[BOX], seconds=None, keep=tmp_path)
    assert "regions" in again.kept and [path] == list(tmp_path.glob("answers-*.json"))


def test_no_question_is_put_when_the_time_is_over(tmp_path, monkeypatch):
    """Each is open with its reason, and nothing is kept of it."""
    from proof_of_absence.checker.audit import regions

    clock, stages = Clock(), []
    monkeypatch.setattr(regions, "witnesses", lambda asked: setattr(clock, "now", 99.0) or [None] * len(asked))
    audit = examine(
        NET, ROWS, ROWS, regions=[BOX], deadline=Deadline(50, clock), keep=tmp_path, progress=stages.append
    ).audit
    assert [(r.verdict, r.reason) for r in audit.regions] == [("timeout", "out of time")] * 40
    assert sum(name.startswith("region") for name in stages) == 1
    assert not list(tmp_path.glob("answers-*.json"))
