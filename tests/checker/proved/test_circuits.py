"""The proved checkers on circuits that lie in several hidden layers: they say what the independent checker says."""

from copy import deepcopy
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checker.proved.asking import agree
from tests.checker.proved.test_program import NUMBERS, loss, vectors

WIDTHS = st.lists(st.integers(1, 3), min_size=4, max_size=5)


@st.composite
def nets(draw, widths):
    """A net with layers of these widths, from the input to the outputs."""
    return [
        {"weights": draw(st.lists(vectors(k), min_size=n, max_size=n)), "bias": draw(vectors(n))}
        for k, n in pairwise(widths)
    ]


@st.composite
def circuits(draw, widths):
    """A nonempty circuit of units of any hidden layers."""
    units = [[layer, j] for layer in range(1, len(widths) - 1) for j in range(widths[layer])]
    return sorted(draw(st.lists(st.sampled_from(units), min_size=1, max_size=4, unique_by=tuple)))


def outside(circuit, layer, k):
    return [layer, k] not in circuit


@st.composite
def facts(draw):
    """A net with a circuit that is idle, fires, or is changed; or one of which that is not so."""
    widths = draw(WIDTHS)
    net, circuit = draw(nets(widths)), draw(circuits(widths))
    inputs = draw(st.lists(vectors(widths[0]), min_size=1, max_size=4))
    if draw(st.booleans()):
        return draw(changed_on(net, circuit, inputs, widths))
    for layer, rows in enumerate(net, 1):
        for k, row in enumerate(rows["weights"]):
            for j in range(len(row)):
                # Most edges from the circuit to others carry nothing.
                reads = not outside(circuit, layer - 1, j) and outside(circuit, layer, k)
                if reads and draw(st.sampled_from([True, True, True, False])):
                    row[j] = "0"
    fires = draw(st.one_of(st.just({}), st.fixed_dictionaries({"fires": vectors(widths[0])})))
    return {"kind": "idle", "net": net, "circuit": circuit, "inputs": inputs, **fires}


@st.composite
def changed_on(draw, net, circuit, inputs, widths):
    """A second net, which differs on the circuit, where the circuit is read, or by one number more."""
    after = deepcopy(net)
    for layer, rows in enumerate(after, 1):
        for k in range(len(rows["bias"])):
            if not outside(circuit, layer, k) or any(at == layer - 1 for at, _ in circuit):
                rows["bias"][k] = draw(NUMBERS)
            for j in range(len(rows["weights"][k])):
                if not outside(circuit, layer, k) or not outside(circuit, layer - 1, j):
                    rows["weights"][k][j] = draw(NUMBERS)
    if draw(st.booleans()):
        rows = draw(st.sampled_from(after))
        draw(st.sampled_from([rows["bias"], *rows["weights"]]))[0] = draw(NUMBERS)
    count = len(inputs)
    data = {"inputs": inputs, "targets": draw(st.lists(vectors(widths[-1]), min_size=count, max_size=count))}
    before, after = sorted((net, after), key=lambda one: -loss(one, data))
    wrong = draw(st.sampled_from([0, 0, 0, Fraction(1, 7)]))
    drop = str(loss(before, data) - loss(after, data) + wrong)
    return {"kind": "lower-loss", "before": before, "after": after, "data": data, "drop": drop, "circuit": circuit}


@settings(max_examples=30)
@given(made=st.lists(facts(), min_size=10, max_size=40))
def test_it_agrees_with_the_independent_checker(tmp_path_factory, made):
    agree(tmp_path_factory.mktemp("facts"), made)
