"""A graph against the one before: every output at every row as a Fraction, every array entry by entry."""

from fractions import Fraction

import numpy as np

from tests.checker.independent.kinds.graph_idle import columns, number, unread


def same_architecture(before, after):
    """All but weights and biases are equal, and a weight that is another is 0."""
    if len(before.nodes) != len(after.nodes) or before.shapes != after.shapes:
        return False
    for old, new in zip(before.nodes, after.nodes, strict=True):
        if type(old.layer) is not type(new.layer) or old.reads != new.reads:
            return False
        for name in vars(old.layer).keys() - {"weights", "bias"}:
            one, other = vars(old.layer)[name], vars(new.layer)[name]
            if not (np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other):
                return False
        if hasattr(old.layer, "weights"):
            pairs = zip(old.layer.weights.reshape(-1), new.layer.weights.reshape(-1), strict=True)
            if any(a != b and b for a, b in pairs):
                return False
    return True


def graph_hardened(before, after, train, fact):
    if not same_architecture(before, after):
        return False
    outputs = [[net(list(map(Fraction, row))) for row in train.tolist()] for net in (before, after)]
    worst = max(abs(a - b) for one, other in zip(*outputs, strict=True) for a, b in zip(one, other, strict=True))
    left = {}
    for node in after.activations:
        skipped = unread(after, node)
        left[node] = [
            e for e, values in enumerate(columns(after, train, node)) if len(set(values)) == 1 and e not in skipped
        ]
    counts = {
        part: [
            [k, changed]
            for k, (old, new) in enumerate(zip(before.nodes, after.nodes, strict=True), 1)
            if hasattr(old.layer, name)
            and (changed := int((getattr(old.layer, name) != getattr(new.layer, name)).sum()))
        ]
        for part, name in (("weights", "weights"), ("biases", "bias"))
    }
    stated = {part: fact[part] for part in counts}
    kept = [[node, entries] for node, entries in left.items() if entries]
    return worst <= number(fact["deviation"]) and stated == counts and fact["left"] == kept
