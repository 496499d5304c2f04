"""The census against the definitions, net by net in Fractions;
and the independent checker's own way of counting against it.
"""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.experiments.census.enumeration import DENSE, Enumeration
from proof_of_absence.checker.experiments.census.problem import CELLS, problem
from proof_of_absence.checker.experiments.census.shards import tally_of
from proof_of_absence.checker.independent.kinds.class_census import Census
from proof_of_absence.models.circuit import fires, hidden_units, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.files.disk import InputError
from proof_of_absence.models.posterior import census, members_of
from tests.checker.experiments.census.problems import HALF, problems


def cell_of(chosen, net) -> str:
    """The cell by the words of the definitions."""
    answers = [tuple(int(value >= HALF) for value in net(z)) for z in chosen.inputs]
    training = len(chosen.data.groups)
    if answers == list(chosen.imitator):
        name = "imitator"
    elif answers == list(chosen.translator):
        name = "translator"
    elif answers[:training] == list(chosen.imitator[:training]):
        name = "deceptive"
    else:
        name = "other"
    units, inputs = hidden_units(net), chosen.data.inputs
    idle = any(
        is_idle(net, circuit, inputs) and any(fires(net, circuit, inputs, z) for z in chosen.deploy)
        for size in range(1, len(units) + 1)
        for circuit in combinations(units, size)
    )
    return f"{name}-idle" if idle else name


@settings(max_examples=20)
@given(problems(), st.sets(st.sampled_from(CELLS), min_size=1, max_size=4))
def test_cells_have_the_census_of_their_definitions(chosen, cells):
    counted = Enumeration(chosen)
    found = tally_of(counted.count(0, counted.choices), counted.tables.loss_scale)
    assert found.census(*cells) == census(chosen.family, chosen.data, lambda net: cell_of(chosen, net) in cells)


@given(problems())
def test_multisets_of_units_give_the_same_histogram(chosen):
    counted = Enumeration(chosen)
    found = tally_of(counted.count(0, counted.choices), counted.tables.loss_scale)
    other = Census(chosen.json())
    assert other.unit == found.unit
    assert other.levels == {loss: list(counts) for loss, counts in found.levels}


@settings(max_examples=20)
@given(problems())
def test_torch_counts_the_same_and_so_does_sorting(chosen):
    counted, torch = Enumeration(chosen), Enumeration(chosen, "cpu")
    whole = counted.count(0, counted.choices)
    assert torch.count(0, torch.choices) == whole
    middle = counted.choices // 2
    assert counted.count(0, middle) + counted.count(middle, counted.choices) == whole
    for one in (counted, torch):
        one.keys, one.batch = DENSE + 1, 7
        assert one.count(0, one.choices) == whole


def test_a_device_that_is_not_there_is_refused_in_one_line():
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is such a device here")
    with pytest.raises(InputError, match=r"--device cuda: .*; take numpy"):
        Enumeration(simple(), "cuda")


def simple(grid=(-1, 0, 1), units=1, inputs=((0,), (1,)), targets=((0,), (1,)), deploy=((2,),), **changes):
    answers = {"train_answers": ([[0], [1]], [[1], [1]]), "deploy_answers": ([[0]], [[0]])}
    return problem(units, grid, Dataset(inputs, targets), deploy, **(answers | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": ()}, "the grid is empty"),
        ({"deploy": ()}, "no deployment input"),
        ({"deploy": ((1, 2),)}, "deployment inputs have 2 features, training inputs 1"),
        ({"units": 0}, "0 hidden units"),
        ({"units": 8}, "the class has 847288609443 nets, more than the"),
        ({"grid": range(-2000, 2001)}, "the class has .* nets, more than"),
        ({"inputs": ((0,), (2**62,))}, "integers up to 2.* may occur, which 64 bits do not hold"),
        ({"targets": ((0,), (1 / 3,))}, "integers up to 2.* may occur"),
        ({"train_answers": ([[0]], [[1], [1]])}, "answers of the imitator: 3 rows of 1 are needed"),
        ({"train_answers": ([[0], [2]], [[1], [1]])}, "answers of the imitator: an entry is not 0 or 1"),
        ({"deploy": ((1,),)}, "answers of the imitator: equal inputs have different answers"),
        ({"train_answers": ([[0], [1]], [[0], [1]])}, "answer alike at every input"),
    ],
)
def test_what_cannot_be_counted_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        simple(**changes)


def test_the_bound_holds_for_the_largest_net():
    """At the corner of the grid the loss is as large as the bound allows for, up to signs; nothing wraps around."""
    chosen = simple(grid=(-(2**9), 2**9), inputs=((0,), (2**9,)), targets=((0,), (-1,)))
    counted = Enumeration(chosen)
    found = tally_of(counted.count(0, counted.choices), counted.tables.loss_scale)
    worst = max(chosen.data.loss(net) for net in members_of(chosen.family))
    assert found.levels[-1][0] * found.unit == worst
    assert worst * counted.tables.loss_scale <= counted.tables.most
