"""The checker's own graphs: what is written is read back, and evaluated as the rationals say."""

import hashlib
import json
import math
import zipfile
from fractions import Fraction
from functools import reduce
from math import isqrt
from operator import getitem

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values import graph_compare, graph_exact
from proof_of_absence.checker.independent.values.arrays import all_arrays
from proof_of_absence.checker.independent.values.graph_bounded import bounded
from proof_of_absence.checker.independent.values.graph_files import read_graph
from proof_of_absence.checker.kernel.graph_json import array_bytes, graph_arrays, graph_text
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import (
    AveragePool,
    BatchNorm,
    Clip,
    Concat,
    Conv,
    Dense,
    LeakyRelu,
    MaxPool,
    Rearrange,
    Relu,
    Scale,
    Sum,
)
from proof_of_absence.models.windows import Window
from tests.checker.changed import changed
from tests.graphs import LAYERS, graphs

# Graphs of which many values tie, with inputs; and such with batch normalisations.
TAME = ("halves", "floats", "near")
PROBLEMS, NORMED = graphs(kinds=TAME), graphs(names=(*LAYERS, "BatchNorm"), kinds=TAME)
# The oracle's roots, and what its values are off by at the very most.
NEAR, APART = 10**80, Fraction(1, 10**40)


def read(net):
    """The net as the checker reads it."""
    return read_graph(json.loads(graph_text(net)), graph_arrays(net))


def values(net, rows):
    """Of each node the values at the rows, Fractions."""
    found = [net.values(list(map(Fraction, row))) for row in rows]
    return [np.array([one[k] for one in found], dtype=object) for k in range(len(net.shapes))]


@given(graphs(names=(*LAYERS, "BatchNorm")))
def test_shapes_and_names_are_read_back(problem):
    net, _ = problem
    again = read(net)
    assert (again.shapes, again.activations, again.readers) == (net.shapes, net.activations, net.readers)
    assert again.is_rational or not net.is_rational
    assert [node.name for node in again.nodes] == [node.name for node in net.nodes]
    assert array_bytes(graph_arrays(net)) == array_bytes(graph_arrays(net))


@given(graphs())
def test_the_exact_pass_is_the_definition(problem):
    net, rows = problem
    again, wanted = read(net), values(net, rows)
    for number in range(1, len(net.shapes)):
        part = graph_exact.exact(again, rows, number, np.arange(net.sizes[number]))
        assert (part.whole * part.scale == wanted[number]).all()


@given(PROBLEMS, st.data())
def test_chosen_entries_are_those_of_all(problem, data):
    net, rows = problem
    number = data.draw(st.integers(1, len(net.nodes)))
    entries = np.array(data.draw(st.lists(st.integers(0, net.sizes[number] - 1), min_size=1, max_size=4)))
    part = graph_exact.exact(read(net), rows, number, entries)
    assert (part.of(entries) * part.scale == values(net, rows)[number][:, entries]).all()


@given(PROBLEMS)
def test_bounds_hold_for_every_entry(problem):
    net, rows = problem
    wanted = values(net, rows)
    for number, (value, radius) in bounded(read(net), rows, range(1, len(net.shapes))):
        for x, v, r in zip(wanted[number].reshape(-1), value.reshape(-1), radius.reshape(-1), strict=True):
            assert abs(x - Fraction(v)) <= Fraction(r)
            assert r <= 1e-9 * (1 + abs(v))


@given(graphs(kinds=("wild",)))
def test_bounds_hold_where_floats_underflow_and_overflow(problem):
    net, rows = problem
    wanted = values(net, rows)
    for number, (value, radius) in bounded(read(net), rows, range(1, len(net.shapes))):
        for x, v, r in zip(wanted[number].reshape(-1), value.reshape(-1), radius.reshape(-1), strict=True):
            assert r == np.inf or abs(x - Fraction(v)) <= Fraction(r)


@given(PROBLEMS, st.data())
def test_bounds_hold_in_a_box(problem, data):
    net, rows = problem
    radius = np.array([[data.draw(st.sampled_from([0.0, 0.5, 2.0])) for _ in row] for row in rows])
    signs = [[data.draw(st.sampled_from([-1, 0, Fraction(1, 3), 1])) for _ in row] for row in rows]
    inside = [
        [Fraction(x) + Fraction(r) * s for x, r, s in zip(*row, strict=True)]
        for row in zip(rows.tolist(), radius.tolist(), signs, strict=True)
    ]
    wanted = values(net, inside)
    for number, (value, off) in bounded(read(net), rows, range(1, len(net.shapes)), radius):
        for x, v, r in zip(wanted[number].reshape(-1), value.reshape(-1), off.reshape(-1), strict=True):
            assert abs(x - Fraction(v)) <= Fraction(r)


def approximate(net):
    """The net with rational numbers for its roots, so close that what is equal seems so, and nothing else."""
    nodes = []
    for node in net.nodes:
        layer = node.layer
        if isinstance(layer, BatchNorm):
            roots = [Fraction(isqrt(int(x * NEAR**2)), NEAR) for x in layer.square]
            gain = np.array([f / r for f, r in zip(layer.factor, roots, strict=True)], dtype=object)
            across = (-1, *(1 for _ in net.shapes[node.reads[0]][1:]))
            layer = Scale(gain.reshape(across), (layer.shift - gain * layer.mean).reshape(across))
        nodes.append(Node(layer, node.reads, node.name))
    return Graph(net.input_shape, nodes, net.dtype)


@given(NORMED)
def test_roots_are_enclosed_and_bounded(problem):
    net, rows = problem
    again, wanted = read(net), values(approximate(net), rows)
    for number, (value, radius) in bounded(again, rows, range(1, len(net.shapes))):
        assert (abs(wanted[number] - exactly(value)) <= exactly(radius) + APART).all()
        low, high = graph_compare.enclosed(again, rows, number)
        assert (low.whole * low.scale <= wanted[number] + APART).all()
        assert (high.whole * high.scale >= wanted[number] - APART).all()
        assert (high.whole * high.scale - low.whole * low.scale <= Fraction(1, 2**40)).all()


@given(NORMED)
def test_what_has_one_value_is_told_from_what_has_not(problem):
    net, rows = problem
    again, wanted = read(net), values(approximate(net), rows)
    for number in range(1, len(net.shapes)):
        entries = np.arange(net.sizes[number])[::-1]
        same = graph_compare.as_at(again, rows[:1], rows, number, entries)
        assert (same == (abs(wanted[number] - wanted[number][:1]) < APART)[:, entries]).all()
        ends = graph_compare.value_at(again, rows[:1], number, entries)
        for (low, high), x in zip(ends, wanted[number][0, entries], strict=True):
            assert low - APART <= x <= high + APART and high - low <= Fraction(1, 2**40)


NET = Graph((2, 4), [
    Node(Conv([[[1.0, 0.5]], [[2.0, -1.0]]], [0.0, 1.0], Window((2,), (3,), before=(1,)), 2), (0,), "c"),
    Node(Relu(), (1,), "r"),
    Node(MaxPool(Window((2,), (2,))), (2,)),
    Node(AveragePool(Window((2,), (2,)), [1, 2]), (2,)),
    Node(Sum((1, -1)), (3, 4)),
    Node(Concat(1), (3, 5)),
    Node(BatchNorm([1, 2], [0, 1], [Fraction(1, 2), 4], [0, Fraction(1, 3)]), (6,)),
    Node(Scale([[Fraction(1, 3)], [2]], [1, 2, 3, 4]), (7,)),
    Node(LeakyRelu(Fraction(1, 10)), (8,)),
    Node(Clip(None, Fraction(6)), (9,)),
    Node(Rearrange([[7, -1, 0]], "Slice", Fraction(1, 2)), (10,)),
    Node(Dense([[1.0, 2.0, 0.1]], [0.5]), (11,)),
])  # fmt: skip
STATED, ARRAYS = json.loads(graph_text(NET)), graph_arrays(NET)
# Numbers that are too small, too large, or no numbers; and all that is none.
WRONG = [None, True, -1, 0, 7, 2**31 - 1, 2**62, 10**30, 0.5, math.nan, "", "1/0", "f" * 10, {}]
WRONG += [[], [1], [2**31 - 1] * 7]


def places(node, path=()):
    """Every place in the JSON."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield (*path, key)
        yield from places(value, (*path, key))


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_whatever_is_put_anywhere_is_read_within_bounds_or_refused(value):
    for path in places(STATED):
        if repr(reduce(getitem, path, STATED)) != repr(value):
            try:
                net = read_graph(changed(STATED, path, value), ARRAYS)
            except Refused:
                continue
            assert path[-1] not in ("kind", "format", "dtype", "shape", "counts") and net.widest <= 2**24
            if net.widest <= 64:
                list(bounded(net, np.zeros((1, net.sizes[0])), range(1, 13)))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("node_1_weights", np.full((2, 1, 2), np.nan)),
        ("node_1_weights", np.full((2, 1, 2), np.inf)),
        ("node_1_weights", np.ones((2, 1, 2), np.float32)),
        ("node_1_weights", np.ones((2, 2, 2))),
        ("node_1_weights", np.ones((2, 1, 3))),
        ("node_1_weights", np.array([["1.0"]], dtype=object)),
        ("node_1_bias", np.ones(3)),
        ("node_1_bias", np.ones((0,))),
        ("node_4_divisors", np.array([0, 1])),
        ("node_4_divisors", np.array([1, 2**40])),
        ("node_4_divisors", np.array([1.0, 1.0])),
        ("node_11_index", np.array([[-2]])),
        ("node_11_index", np.array([[8]])),
        ("node_11_index", np.array([[0]], np.uint64)),
        ("node_12_weights", np.ones((1, 4))),
        ("node_12_extra", np.ones(1)),
        ("other", np.ones(1)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name, array):
    with pytest.raises(Refused):
        read_graph(STATED, ARRAYS | {name: array})


@pytest.mark.parametrize("name", ARRAYS)
def test_a_missing_array_is_refused(name):
    with pytest.raises(Refused, match="malformed: KeyError"):
        read_graph(STATED, {key: array for key, array in ARRAYS.items() if key != name})


def test_a_value_that_is_too_large_is_refused_before_it_is_made():
    window = {"kernel": [1], "counts": [2**30], "strides": [1], "dilations": [1], "before": [0]}
    with pytest.raises(Refused, match="node 3: its value has more than"):
        read_graph(changed(STATED, ("nodes", 2, "window"), window), ARRAYS)
    wide = {"kind": "concat", "reads": [0] * 1024, "name": "", "axis": 0}
    with pytest.raises(Refused, match="its value has more than"):
        read_graph({**STATED, "input_shape": [2**15], "nodes": [wide]}, {})
    many = [{"kind": "relu", "reads": [0], "name": ""}] * 17
    with pytest.raises(Refused, match="the values of the graph have more than"):
        read_graph({**STATED, "input_shape": [2**24], "nodes": many}, {})


def test_an_array_that_says_it_is_larger_than_its_file_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "graph.npz", "w") as archive, archive.open("node_1_bias.npy", "w") as stream:
        header = {"descr": "<f8", "fortran_order": False, "shape": (2**40,)}
        np.lib.format.write_array_header_1_0(stream, header)
    digest = hashlib.sha256((tmp_path / "graph.npz").read_bytes()).hexdigest()
    with pytest.raises(Refused, match="is no npz file of plain arrays of the size"):
        all_arrays(tmp_path, {"file": "graph.npz", "sha256": digest})


def exactly(array):
    return np.array([[Fraction(x) for x in row] for row in array.tolist()], dtype=object)


def test_what_is_cut_is_known_without_a_sum_of_roots(monkeypatch):
    def refuse():
        raise AssertionError("sums of roots")

    monkeypatch.setattr(graph_compare, "Summing", refuse)
    primes = [2, 3, 5, 7, 11]
    nodes = [
        Node(BatchNorm([1] * 5, [0] * 5, primes, [0] * 5), (0,)),
        Node(Dense(-np.ones((1, 5)), [0]), (1,)), Node(Relu(), (2,)), Node(Dense([[1.0]], [0.5]), (3,)),
    ]  # fmt: skip
    own = read(Graph((5,), nodes))
    assert graph_compare.value_at(own, np.ones((1, 5)), 3, np.array([0])) == [(0, 0)]
    assert graph_compare.value_at(own, np.ones((1, 5)), 4, np.array([0])) == [(Fraction(1, 2),) * 2]
