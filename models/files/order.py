"""The order of a state dictionary's layers: told by their names and shapes, and by nothing that would be a guess.

Names that may mean blocks with a skip connection, heads or several nets are refused: they may be no single chain.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TypeVar

from proof_of_absence.models.files.disk import refused

__all__ = ["NAMING", "among_norms", "ordered", "without_prefix"]

NAMING = "name the layers 0.weight, 0.bias, 2.weight, ... or fc1.weight, fc1.bias, fc2.weight, ..., or use ONNX"
SEQUENTIAL = (
    "with BatchNorm among them, name the layers by their places in a Sequential (0.weight, 1.running_mean, 3.weight), "
    "or use ONNX, which says it"
)
CHECK = "save the net as ONNX, or give its own outputs on the training inputs with --outputs"
# Wrappers that put their name before all others: DataParallel, torch.compile.
WRAPPERS = ("module.", "_orig_mod.")
FIRST = {"in", "input", "inp", "first", "embed", "embedding"}
LAST = {"out", "output", "last", "final", "classifier", "logits", "head"}
MIDDLE = {"hidden", "mid", "middle"}
SKIPS = re.compile(r"(?:^|[._0-9])(res|resid|residual|resblock|skip|shortcut|downsample|highway)(?:[._0-9]|s\b|$)")
SEVERAL = re.compile(r"(?:^|[._])(models|nets|ensemble|members|experts|heads?|branch(?:es)?|blocks?|towers?)[._]?$")
# Steps of the search for orders by shape, and layers; what takes more counts as open.
STEPS = 20_000
LAYERS = 200
T = TypeVar("T")


def without_prefix(arrays: Mapping[str, T]) -> dict[str, T]:
    """The arrays, their names without what wrappers of the whole module put before them."""
    found = dict(arrays)
    while found and (prefix := next((w for w in WRAPPERS if all(key.startswith(w) for key in found)), None)):
        found = {key.removeprefix(prefix): value for key, value in found.items()}
    return found


def ordered(source: object, shapes: Mapping[str, tuple[int, ...]], *, checked: bool = False) -> tuple[list[str], str]:
    """The layers from the input to the output, and a sentence that says what the order was told by.

    Parameters
    ----------
    shapes
        Of each layer, in the order of the file, (fan-out, fan-in).
    checked
        Take a chain that the names leave open, in the order of the file at last.

    Raises
    ------
    InputError
        If the order is not settled, or the layers may be no single chain.
    """
    names = list(shapes)
    by_number = sorted(names, key=_split)
    pairs = list(pairwise(by_number))
    if (doubt := _doubt(names, shapes)) and not checked:
        raise refused(source, f"{doubt}; {CHECK}")
    if all(_before(one, other) for one, other in pairs):
        return by_number, "The layers are ordered by the numbers in their names." if pairs else "There is one layer."
    found = list(_chains(names, shapes)) if len(names) <= LAYERS else []
    if len(found) == 1:
        return found[0], "The layers are ordered by their names and shapes, which fit in one way only."
    if found and checked:
        how = "in the order of the file" if _fits(names, shapes) else "in one of several orders that their shapes allow"
        return names if _fits(names, shapes) else found[0], f"The layers are taken {how}."
    one, other = next(pair for pair in pairs if not _before(*pair))
    why = "their shapes fit in several orders" if found else "their shapes fit in no order that the names allow"
    raise refused(source, f"cannot tell the order of the layers {one!r} and {other!r}: {why}; {NAMING}")


def among_norms(source: object, names: list[str], norms: list[str]) -> list[tuple[str, bool]]:
    """All layers of a Sequential in order, BatchNorms among them, each with whether ReLU stands before it.

    A number that is left out is a module without parameters: beside a BatchNorm it is taken for the ReLU.

    Raises
    ------
    InputError
        If the names are not numbers in one place, or do not tell of one ReLU between two linear layers.
    """
    order = sorted([*names, *norms], key=_split)
    found, since, layers = [(order[0], False)], 0, int(order[0] in names)
    for one, other in pairwise(order):
        step = _step(one, other)
        relu = step > 1 or not {one, other} & set(norms)
        since += relu
        if step and other in names:
            step = step if since == min(layers, 1) else 0
            since, layers = 0, layers + 1
        if not step:
            raise refused(source, f"cannot tell where ReLU stands between {one!r} and {other!r}; {SEQUENTIAL}")
        found.append((other, relu))
    if since:
        raise refused(source, f"cannot tell what stands before {order[-1]!r}; {SEQUENTIAL}")
    return found


def _step(one: str, other: str) -> int:
    """By how much the one number is larger in which two names differ; 0 if they differ in more."""
    first, second = _split(one), _split(other)
    differ = [(a, b) for a, b in zip(first, second, strict=False) if a != b]
    if len(first) != len(second) or len(differ) != 1:
        return 0
    ((a, b),) = differ
    return b - a if isinstance(a, int) and isinstance(b, int) else 0


def _split(name: str) -> list[str | int]:
    """Text and numbers in turn: ``net.10`` is 'net.', 10, ''."""
    return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"([0-9]+)", name))]


def _before(one: str, other: str) -> bool:
    """Whether the first difference of two names is a number, and less in the first."""
    parts = zip(_split(one), _split(other), strict=False)
    first, second = next(((a, b) for a, b in parts if a != b), ("", ""))
    return isinstance(first, int) and isinstance(second, int) and first < second


def _role(name: str) -> int | None:
    """0, 1 or 2 for a name that says first, middle or last."""
    words = set(re.split(r"[._0-9]+", name.lower())) - {"fc", "linear", "layer", "layers", "net", "model", ""}
    for role, known in enumerate((FIRST, MIDDLE, LAST)):
        if words and words <= known:
            return role
    return None


def _precedes(one: str, other: str) -> bool:
    """Whether names say that one layer comes before another."""
    if _before(one, other):
        return True
    roles = _role(one), _role(other)
    if None not in roles:
        return roles[0] < roles[1]  # type: ignore[operator]
    return roles[0] == 0 or roles[1] == 2


def _chains(names: list[str], shapes: Mapping[str, tuple[int, ...]]) -> Iterator[list[str]]:
    """At most two orders in which each layer reads what the one before it gives, and which no name contradicts."""
    below = {name: {other for other in names if _precedes(other, name)} for name in names}
    steps, given, stack = 0, 0, [[name] for name in names if not below[name]]
    while stack and given < 2:
        steps += 1
        if steps > STEPS:
            # Not searched to the end: as open as two orders.
            yield from ([], [])
            return
        order = stack.pop()
        if len(order) == len(names):
            given += 1
            yield order
            continue
        done = set(order)
        stack += [
            [*order, name]
            for name in names
            if name not in done and below[name] <= done and shapes[name][1] == shapes[order[-1]][0]
        ]


def _fits(names: list[str], shapes: Mapping[str, tuple[int, ...]]) -> bool:
    return all(shapes[above][1] == shapes[one][0] for one, above in pairwise(names))


def _doubt(names: list[str], shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Why the layers may be no single chain; empty if nothing says so."""
    if found := next((name for name in names if SKIPS.search(name.lower())), None):
        return f"the name {found!r} speaks of a skip connection, so the layers may be no single chain"
    heads = [name for name in names if re.search(r"(?:^|[._])\w*heads?(?:[._0-9]|$)", name.lower())]
    if len(heads) > 1 and len({_stem(name, "head") for name in heads}) == len(heads):
        return f"{heads[0]!r} and {heads[1]!r} may be two heads, so the layers may be no single chain"
    for stem, groups in _groups(names).items():
        seen: dict[tuple[tuple[str, ...], tuple[tuple[int, ...], ...]], str] = {}
        for number, rest in groups.items():
            if len(rest) < 2 and not SEVERAL.search(stem.lower()):
                continue
            other = seen.setdefault((rest, tuple(shapes[stem + number + end] for end in rest)), number)
            if other != number:
                return (
                    f"{stem}{other} and {stem}{number} hold layers of the same names and shapes; they may be blocks "
                    "with a skip connection, heads or several nets, no single chain"
                )
    return ""


def _stem(name: str, word: str) -> str:
    """The name up to the end of the component that holds the word."""
    place = name.lower().rindex(word)
    end = re.search(r"[.]", name[place:])
    return name[: place + end.start()] if end else name


def _groups(names: list[str]) -> dict[str, dict[str, tuple[str, ...]]]:
    """What stands before a number, the numbers found there, and what follows them: names = stem + number + rest."""
    result: dict[str, dict[str, list[str]]] = {}
    for name in names:
        for found in re.finditer(r"[0-9]+", name):
            result.setdefault(name[: found.start()], {}).setdefault(found[0], []).append(name[found.end() :])
    return {stem: {number: tuple(rest) for number, rest in by.items()} for stem, by in result.items()}
