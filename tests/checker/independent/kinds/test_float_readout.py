"""Prices on recorded features: what is found is confirmed and so; what is tampered with is refused or as true."""

import copy
import json
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.pricing import Kernel, priced
from proof_of_absence.checker.construct.readout_facts import readout_fact
from proof_of_absence.checker.independent.kinds.float_readout import Recorded, readout_prices
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.numbers.intervals import Interval
from tests.checker.independent.kinds.float_readout import readout_prices as says
from tests.reliability.forging import entry_changed

ONE = Fraction(1)


class Tables:
    """Features in arrays, and the square of one move."""

    def __init__(self, tables, move=ONE):
        self.tables, self.move = tables, move
        self.width, self.counts = tables["training"].shape[1] + 1, {part: len(t) for part, t in tables.items()}

    def rows(self, part, rows):
        return Interval.of(np.column_stack([np.ones(len(rows)), self.tables[part][list(rows)]]))

    def free(self, part, rows, directions):
        table = [[Fraction(1), *map(Fraction, self.tables[part][i].tolist())] for i in rows]
        moved = ([k for k, d in enumerate(directions) if sum(v * row[j] for j, v in d.items())] for row in table)
        return np.array([places[0] if places else -1 for places in moved])

    def squares(self, part, rows):
        return np.full(len(rows), float(self.move) ** 2), np.full(len(rows), float(self.move) ** 2)


def found(tables, kernel, penalty=Fraction(0), move=ONE):
    features = Tables(tables, move)
    listed = {part: range(count) for part, count in features.counts.items()}
    return priced(features, kernel, listed, penalty=penalty, move=move)


def check(fact, tables, factor):
    readout_prices(json.loads(json.dumps(fact)), Recorded(tables), factor)


@st.composite
def cases(draw):
    """Small features; the last column is dead in training and the one before constant, and either may move there."""
    count = draw(st.integers(1, 2))
    entry = st.sampled_from([0.0, 1.0, -2.0, 0.5, 3.0, 2.0**-30])
    rows = st.lists(st.lists(entry, min_size=count, max_size=count), min_size=1, max_size=6)
    parts = {part: np.array(draw(rows)) for part in ("training", "deployment")}
    own = {"training": (st.just(5.0), st.just(0.0)), "deployment": (st.sampled_from([5.0, 6.0]), entry)}
    tables = {}
    for part, table in parts.items():
        extra = [[draw(own[part][0]), draw(own[part][1])] for _ in table]
        tables[part] = np.hstack([table, extra])
    return tables, Kernel(tuple(range(count + 1)), ({count + 1: ONE, 0: Fraction(-5)}, {count + 2: ONE}))


@settings(deadline=None)
@given(cases(), st.sampled_from([Fraction(0), Fraction(1, 3)]), st.sampled_from([ONE, Fraction(1, 4)]))
def test_what_is_found_is_so_and_confirmed(case, penalty, move):
    tables, kernel = case
    kernel = Kernel(tuple(range(tables["training"].shape[1] + 1))) if penalty else kernel
    result = found(tables, kernel, penalty, move)
    if result is None:
        return
    fact = readout_fact(result.readout)
    check(fact, tables, result.factor)
    # Of an input whose features are not in the row space nothing false is said: that is not shown to be in it.
    if all("free" in entry or entry["leverage"][1] for listed in fact["rows"].values() for entry in listed):
        assert says(fact, tables)


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(5)
    training = np.hstack([rng.integers(-4, 5, (12, 3)), np.full((12, 1), 5), np.zeros((12, 1))]).astype(float)
    deployment = np.array([[9.0, 1, 0, 5, 0], [1, 1, 1, 6, 0], [1, 0, 0, 5, 2], [0, 0, 0, 5, 0]])
    tables = {"training": training, "deployment": deployment}
    kernel = Kernel((0, 1, 2, 3), ({4: ONE, 0: Fraction(-5)}, {5: ONE}))
    result = found(tables, kernel)
    return tables, readout_fact(result.readout), result.factor


def test_free_moves_are_told_by_the_direction_that_shows_them(case):
    _, fact, _ = case
    assert [entry.get("free") for entry in fact["rows"]["deployment"]] == [None, 0, 1, None]


def test_the_sum_of_the_leverages_in_training_is_the_rank(case):
    _, fact, _ = case
    ends = [[int(a, 16) / int(b or "1", 16) for a, _, b in (text.partition("/") for text in entry["leverage"])]
            for entry in fact["rows"]["training"]]  # fmt: skip
    low, high = np.sum(ends, axis=0)
    assert low <= 4 <= high <= low * (1 + 1e-6)


def changed(case, **parts):
    tables, fact, factor = case
    return tables, {**copy.deepcopy(fact), **parts}, factor


def entry(fact, part, at, **parts):
    rows = copy.deepcopy(fact["rows"])
    rows[part][at] |= parts
    return {"rows": rows}


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (lambda f: {"columns": [0, 1, 2]}, "does not fit|not one direction"),
        (lambda f: {"columns": [0, 1, 2, 3, 5]}, "not one direction"),
        (lambda f: {"directions": f["directions"][:1]}, "not one direction"),
        (lambda f: {"directions": [[[4, "1"], [0, "-4"]], [[5, "1"]]]}, "not 0 in training"),
        (lambda f: {"directions": [[[4, "1"], [0, "-5"]], [[5, "0"]]]}, "not one direction"),
        (lambda f: {"penalty": "1/3"}, "with a penalty no move is free"),
        (lambda f: {"penalty": "-1"}, "the penalty is negative"),
        (lambda f: {"move": "0"}, "a move by nothing"),
        (lambda f: {"move": None}, "a move is missing"),
        (lambda f: {"move": "2"}, "training row 0: the price|deployment row 0: the price"),
        (lambda f: entry(f, "deployment", 0, leverage=["1/8", "1/4"]), "deployment row 0: the leverage"),
        (lambda f: entry(f, "deployment", 0, leverage=["4", "1/4"]), "bounds that are crossed"),
        (lambda f: entry(f, "deployment", 0, price=["1", "2"]), "deployment row 0: the price"),
        (lambda f: entry(f, "deployment", 0, free=0), "no leverage and price"),
        (lambda f: entry(f, "deployment", 1, free=1), "deployment row 1: a move there is free"),
        (lambda f: entry(f, "deployment", 0, row=4), "no such row"),
        (lambda f: entry(f, "deployment", 0, row=3), "listed twice"),
        (lambda f: {"rows": {"test": []}}, "there are no test inputs"),
        (lambda f: {"rows": {"elsewhere": []}}, "no known part"),
    ],
)
def test_another_statement_is_refused(case, parts, reason):
    tables, fact, factor = changed(case, **parts(case[1]))
    with pytest.raises(Refused, match=reason):
        check(fact, tables, factor)


def test_another_factor_or_other_features_show_nothing(case):
    tables, fact, factor = case
    for other in (factor * 1.5, factor[::-1], np.zeros_like(factor)):
        with pytest.raises(Refused):
            check(fact, tables, other)
    moved = tables | {"training": tables["training"] + np.eye(12, 5)}
    with pytest.raises(Refused):
        check(fact, moved, factor)


def test_a_factor_of_fewer_columns_shows_no_upper_bound(case):
    tables, fact, factor = case
    with pytest.raises(Refused, match="and known to be in"):
        check(fact, tables, factor[:, :-1])
    for other in (factor[:-1], factor[:, :0], factor[0], np.hstack([factor, factor])):
        with pytest.raises(Refused, match="does not fit"):
            check(fact, tables, other)


def test_of_more_columns_than_rows_the_factor_has_those_that_are_not_0():
    rng = np.random.default_rng(3)
    tables = {"training": rng.normal(size=(4, 9)), "deployment": rng.normal(size=(2, 9))}
    result = found(tables, Kernel(tuple(range(10))))
    fact = readout_fact(result.readout)
    assert result.factor.shape == (10, 4) and fact["rows"]["deployment"][0]["leverage"][1] is None
    check(fact, tables, result.factor)
    # Earlier certificates have the others too, and state less.
    padded = np.hstack([result.factor, np.zeros((10, 6))])
    with pytest.raises(Refused, match="the leverage"):
        check(fact, tables, padded)
    for entry in fact["rows"]["deployment"] + fact["rows"].get("training", []):
        entry["leverage"][0], entry["price"] = "0", ["0", None]
    check(fact, tables, padded)


def test_tampered_facts_are_refused_or_as_true(case):
    tables, fact, factor = case
    draw, refused = random.Random(7), 0
    for _ in range(300):
        other = entry_changed(copy.deepcopy(fact), draw)
        try:
            check(other, tables, factor)
        except (Refused, LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
            refused += 1
            continue
        assert says(other, tables), other
    assert refused > 150
