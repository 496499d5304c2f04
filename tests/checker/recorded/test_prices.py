"""Bounds of Gram matrices, ranks, relations and leverages against exact rationals, also where columns nearly depend."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.numbers.linear_algebra import rank, solve_some
from proof_of_absence.checker.passes.modular import PRIMES
from proof_of_absence.checker.recorded import prices, relations
from proof_of_absence.checker.recorded.columns import Columns
from proof_of_absence.checker.recorded.engine import Asked, examine
from proof_of_absence.checker.recorded.gram import Gram
from proof_of_absence.checker.recorded.relations import candidates, pivot_columns, zero
from proof_of_absence.checker.recorded.row_space import RowSpace
from proof_of_absence.models.files.recording import read_recording

WILD = st.sampled_from([0.0, 1.0, -2.0, 0.1, 1 / 3, 1e8, -1e-7, 2.0**-30])


@st.composite
def tables(draw, rows=9, columns=4, entries=WILD):
    shape = draw(st.integers(1, rows)), draw(st.integers(1, columns))
    table = np.array(draw(st.lists(entries, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))).reshape(shape)
    for j in range(1, shape[1]):
        how = draw(st.sampled_from(["free", "equal", "near", "sum"]))
        if how == "equal":
            table[:, j] = table[:, 0]
        if how == "near":
            table[:, j] = table[:, 0] * (1 + 2.0 ** -draw(st.sampled_from([10, 30, 50])) * np.arange(shape[0]))
        if how == "sum":
            table[:, j] = table[:, :j].sum(axis=1)
    return table


def exact(table):
    return [[Fraction(1), *map(Fraction, row)] for row in table.tolist()]


def gram_of(rows):
    columns = list(zip(*rows, strict=True))
    return [[sum(a * b for a, b in zip(one, other, strict=True)) for other in columns] for one in columns]


@given(tables(), st.integers(1, 4))
def test_the_gram_matrix_is_off_by_no_more_than_its_bound(table, size):
    one, other = Gram(table.shape[1]), Gram(table.shape[1])
    for k, start in enumerate(range(0, len(table), size)):
        (other if k % 2 else one).see(table[start : start + size])
    one.merge(other)
    found = one.interval(list(range(table.shape[1] + 1)))
    for row, values, errors in zip(gram_of(exact(table)), found.value.tolist(), found.error.tolist(), strict=True):
        for x, value, error in zip(row, values, errors, strict=True):
            assert abs(x - Fraction(value)) <= Fraction(error)


@given(tables(), st.integers(1, 4))
def test_rows_that_span_are_found_in_blocks_and_in_parts(table, size):
    blocks = [np.arange(s, min(s + size, len(table))) for s in range(0, len(table), size)]
    spaces = [RowSpace(table.shape[1]) for _ in range(2)]
    for k, rows in enumerate(blocks):
        spaces[k % 2].see(rows, table[rows])
    spaces[1].settle()
    spaces[0].see(spaces[1].rows, spaces[1].values)
    found = spaces[0].rank
    assert found == rank(exact(table)) == rank(exact(table[spaces[0].rows]))
    pivots = pivot_columns(spaces[0].values)
    assert len(pivots) == found == rank([[row[j] for j in pivots] for row in exact(table)])


@given(tables(entries=st.sampled_from([0.0, 1.0, 0.5, -3.0, 2.0**-40, 7.0])))
def test_relations_are_those_of_the_rationals(table):
    space = RowSpace(table.shape[1])
    space.see(np.arange(len(table)), table)
    space.settle()
    pivots = pivot_columns(space.values)
    others = [j for j in range(table.shape[1] + 1) if j not in pivots]
    found = candidates(space.values, pivots, others, len(table))
    rows = exact(table)
    for other, relation in zip(others, found, strict=True):
        own = solve_some([[row[j] for j in pivots] for row in rows], [row[other] for row in rows])
        scale = -relation[other]
        assert own is None or {j: x / scale for j, x in relation.items()} == (
            {j: x for j, x in zip(pivots, own, strict=True) if x} | {other: -1}
        )
        assert zero(table, [relation])[:, 0].tolist() == [not sum(v * r[j] for j, v in relation.items()) for r in rows]


@pytest.mark.parametrize(("rows", "columns"), [(12, 20), (20, 26), (40, 40)])
def test_relations_of_hundreds_of_digits_are_found(rows, columns):
    table = np.random.default_rng(0).normal(size=(rows, columns))
    space = RowSpace(columns)
    space.see(np.arange(rows), table)
    assert space.rank == rows
    pivots = pivot_columns(space.values)
    others = [j for j in range(columns + 1) if j not in pivots]
    found = candidates(space.values, pivots, others, rows)
    assert [max(relation) for relation in found] == others
    assert max(value.numerator for relation in found for value in relation.values()) > 10**100
    for relation in found:
        for row in exact(table):
            assert not sum(v * row[j] for j, v in relation.items())


def test_relations_that_would_be_too_long_are_undecided_and_priced_nowhere(tmp_path, monkeypatch):
    monkeypatch.setattr(relations, "LONGEST", 10_000)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", X=rng.normal(size=(20, 30)), deploy=rng.normal(size=(3, 30)))
    audit = examine([read_recording(tmp_path / "a.npz")])
    (layer,) = audit.layers
    assert audit.exit_code == 3 and layer.priced is None and layer.rank.low == layer.rank.high == 20
    assert layer.undecided == (
        "what 11 columns depend on is not known: the exact coefficients for 20 columns may have more digits than are "
        "looked for",
        "no price is known at any deployment row",
    )


@pytest.mark.parametrize("primes", [1, 2, 4])
def test_columns_that_depend_modulo_primes_alone_are_independent(tmp_path, primes):
    rng = np.random.default_rng(0)
    table = rng.integers(-3, 4, (40, 5)).astype(np.float64)
    for k, prime in enumerate(PRIMES[:primes]):
        table[:, k] *= prime
    table[:, 4] = table[:, 0] + table[:, 3]
    np.savez(tmp_path / "a.npz", X=table, deploy=table[:2] + 1)
    (layer,) = examine([read_recording(tmp_path / "a.npz")]).layers
    assert layer.rank.low == layer.rank.high == 5 == rank(exact(table)) and len(layer.joint) == 1


@given(tables(), st.data())
def test_zero_is_exact_however_far_apart_the_numbers_are(table, data):
    coefficient = st.sampled_from([Fraction(0), Fraction(1), Fraction(-1, 3), Fraction(10) ** 30, Fraction(1, 7)])
    width = table.shape[1] + 1
    relation = dict(enumerate(data.draw(st.lists(coefficient, min_size=width, max_size=width))))
    own = [sum(v * row[j] for j, v in relation.items()) == 0 for row in exact(table)]
    assert zero(table, [relation])[:, 0].tolist() == own


@pytest.mark.parametrize("near", [2.0**-10, 2.0**-20, 2.0**-26, 2.0**-40])
@pytest.mark.parametrize("penalty", [Fraction(0), Fraction(1, 7)])
@pytest.mark.parametrize("exactly", [True, False])
def test_leverages_of_columns_that_nearly_depend_are_exact_or_lie_within_the_bounds(
    tmp_path, monkeypatch, near, penalty, exactly
):
    if not exactly:
        monkeypatch.setattr(prices, "moderate", lambda rows, width: False)
    rng = np.random.default_rng(1)
    train, deploy = rng.normal(size=(30, 3)), rng.normal(size=(4, 3))
    train[:, 2] = train[:, 1] + near * rng.normal(size=30)
    np.savez(tmp_path / "a.npz", X=train, deploy=deploy)
    found = examine([read_recording(tmp_path / "a.npz")], Asked(penalty=penalty)).layers[0].priced
    gram = gram_of(exact(train))
    for j in range(1, 4):
        gram[j][j] += penalty
    listed = found.parts["deployment"]
    assert found.exact == exactly == (listed.exact is not None)
    for k, (row, (low, high)) in enumerate(zip(exact(deploy), listed.leverage.tolist(), strict=True)):
        own = sum(u * x for u, x in zip(solve_some(gram, row), row, strict=True))
        assert Fraction(low) <= own <= Fraction(high)
        assert high <= low * (1 + 2.0**-5)
        assert not exactly or listed.exact[k] == own


def test_a_number_that_is_not_finite_is_refused():
    for value in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match="holds NaN or infinity in column 1"):
            Columns(2).see(np.array([[0.0, 1.0], [0.0, value]]))
