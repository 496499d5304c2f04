"""What changes in the arrays that a graph was read from if some of its weights, biases or shifts do."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.graph_sources import Held, Sources
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.graph_layers import BatchNorm, Conv, Dense, GraphLayer, Scale
from proof_of_absence.models.steps import float_of

__all__ = ["array_of", "changed"]


def changed(
    like: object, before: Graph, after: Graph, sources: Sources, numbers: Callable[[str], np.ndarray]
) -> dict[str, np.ndarray]:
    """The arrays of the source, as float64, that make of the one graph the other.

    Parameters
    ----------
    like
        What messages call the source.
    numbers
        An array of the source by its name.

    Raises
    ------
    InputError
        If more differs than the source holds arrays of its own for.
    """
    if len(before.nodes) != len(after.nodes):
        raise refused(like, f"holds {len(before.nodes)} layers, and the new graph has {len(after.nodes)}")
    whole: dict[str, np.ndarray] = {}
    found: dict[str, np.ndarray] = {}
    for number, (one, other) in enumerate(zip(before.nodes, after.nodes, strict=True), 1):
        if type(one.layer) is not type(other.layer):
            raise refused(like, f"has another layer {one.name or number} than the new graph")
        for field, held in (("weights", sources.weights), ("bias", sources.bias), ("shift", sources.shift)):
            old, new = array_of(one.layer, field), array_of(other.layer, field)
            if old is None or new is None or not _differ(old, new).any():
                continue
            place = held.get(number)
            if old.shape != new.shape or place is None or place.index.shape != old.shape:
                raise refused(like, f"holds no array of its own for the {field} of {one.name or number}")
            if place.name not in found:
                whole[place.name] = numbers(place.name).astype(np.float64)
                found[place.name] = whole[place.name].copy()
            _put(like, whole[place.name], found[place.name], place, old, new)
    return found


def array_of(layer: GraphLayer, field: str) -> np.ndarray | None:
    """The weights, bias or shift of a layer; None if it has none that could be written back."""
    match layer:
        case Dense() | Conv() if field != "shift":
            return layer.weights if field == "weights" else layer.bias
        case Scale() | BatchNorm() if field == "shift":
            return layer.shift
        case _:
            return None


def _differ(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Where two arrays are not the very same numbers; of floats the sign of 0 counts."""
    if old.shape != new.shape:
        return np.ones(1, dtype=bool)
    found = np.asarray(old != new, dtype=bool)
    return found if old.dtype == object else found | (np.signbit(old) != np.signbit(new))


def _put(like: object, whole: np.ndarray, array: np.ndarray, place: Held, old: np.ndarray, new: np.ndarray) -> None:
    """Write into an array of the source what differs between two arrays that come from it."""
    held, flat = whole.reshape(-1), array.reshape(-1)
    where = np.nonzero(_differ(old, new))
    entries = zip(place.index[where].tolist(), old[where].tolist(), new[where].tolist(), strict=True)
    for entry, was, wanted in entries:
        # A weight of 0 keeps its sign.
        number: float | None = wanted if place.factor > 0 else -wanted
        if wanted or old.dtype == object:
            number = float_of(Fraction(held[entry]) + (Fraction(wanted) - Fraction(was)) / place.factor)
        if number is None:
            raise refused(like, f"has no number in {place.name} that gives {wanted}")
        flat[entry] = number
