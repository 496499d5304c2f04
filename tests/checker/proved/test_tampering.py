"""Some hundred audits that were tampered with: `tests/reliability/proved_audits.py` makes thousands."""

import json
from functools import reduce
from operator import getitem

import pytest

from proof_of_absence.checker.proved.opinion import Answer, opinions
from tests.reliability.audit_oracles import SAYS
from tests.reliability.proved_audits import SORTS, Independent, batch, examples, put, wrong

pytestmark = [pytest.mark.usefixtures("made"), pytest.mark.filterwarnings("ignore:Reading `.npy`")]


@pytest.fixture(scope="module")
def known(tmp_path_factory, made):
    return examples(tmp_path_factory.mktemp("audits"))


def test_the_examples_have_every_kind_that_is_decided(known):
    assert {example.facts[k]["kind"] for example in known for k in example.decided} == set(SAYS)


@pytest.mark.parametrize("part", range(3))
def test_the_checkers_say_the_same_and_what_they_accept_is_true(known, part):
    came = batch(known, range(10**6 + 100 * part, 10**6 + 100 * (part + 1)))
    assert not [(case.seed, what) for case, what in came if wrong(what)]
    assert {"refused", "accepted, still true"} < {what for _, what in came}
    assert {case.sort for case, _ in came} == set(SORTS)


def empty_lists(node, path=()):
    """The paths to all lists without entries."""
    if node == []:
        yield path
    elif isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from empty_lists(value, (*path, key))


@pytest.mark.parametrize("nothing", [{}, "", False, 0, [[]]])
def test_what_is_no_list_does_not_stand_for_one_without_entries(known, nothing, tmp_path):
    """To Python some of these are gone through, and have no entries."""
    emptied = []
    for example in known:
        for k in example.decided:
            for *way, last in empty_lists(example.facts[k]):
                certificate = json.loads(json.dumps(example.certificate))
                reduce(getitem, way, certificate["facts"][k])[last] = nothing
                folder = tmp_path / str(len(emptied))
                folder.mkdir()
                emptied.append((put(example, certificate, folder), certificate, k))
    assert {certificate["facts"][k]["kind"] for _, certificate, k in emptied} > {"circuit", "readout-prices"}
    found = opinions([path for path, *_ in emptied])
    for path, certificate, k in emptied:
        assert found[path].facts[k][1] in (Answer.REFUSED, Answer.LEFT)
        assert Independent(path.parent, certificate).refuses(certificate["facts"][k])
