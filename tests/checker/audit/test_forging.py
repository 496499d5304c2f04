"""Some hundred forged folders: `tests/reliability/forging.py` makes ten thousand of them."""

import random

import pytest

from proof_of_absence.checker.audit.sources import Given
from proof_of_absence.checker.audit.tied import check_folder
from proof_of_absence.checker.independent.refusal import Refused
from tests.reliability.forged_folders import made
from tests.reliability.forging import case, edited, wrong

PARTS, CASES = 4, 70


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    return made(tmp_path_factory.mktemp("forged"))


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_still_accepted_states_the_same(examples, part):
    told = [case(examples, seed) for seed in range(10**6 + part * CASES, 10**6 + (part + 1) * CASES)]
    assert not [one for one in told if wrong(one[2])]
    assert {"refused"} < {came.split(":")[0] for _, _, came in told}


def test_each_example_is_accepted_as_it_is(examples):
    for example in examples:
        assert check_folder(example.folder, Given()).startswith("Accepted: ")


@pytest.mark.parametrize("name", ["report.json", "certificate.json", "improved.onnx", "report.html", "net.npz"])
def test_a_file_that_is_left_out_is_missed(examples, name):
    folder = examples[0].folder
    kept = (folder / name).read_bytes()
    (folder / name).unlink()
    try:
        with pytest.raises(Refused, match=name.replace(".", r"\.")):
            check_folder(folder, Given())
    finally:
        (folder / name).write_bytes(kept)


def test_the_cases_make_every_sort_of_edit(examples):
    before = {path: path.read_bytes() for path in examples[0].files}
    sorts = set()
    for seed in range(200):
        draw = random.Random(seed)
        sorts.add(edited(examples[0], draw.choice([p for p in before if p.parent == examples[0].folder]), draw))
        for path, content in before.items():
            path.write_bytes(content)
    every = {"bytes", "left out", "another file", "entry", "number", "weight", "told again", "lying program"}
    assert sorts == every
