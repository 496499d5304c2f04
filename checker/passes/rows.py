"""Which rows of the inputs are equal: equal inputs form one group, and no function tells its rows apart."""

from hashlib import blake2b

import numpy as np

from proof_of_absence.checker.passes.enclosure import blocks

__all__ = ["distinct_rows", "groups"]


def groups(inputs: np.ndarray) -> np.ndarray:
    """For each row the number of its distinct input, counted in order of first appearance; shape (N,)."""
    marks = np.concatenate([_marks(inputs[part]) for part in blocks(len(inputs))])
    _, first, group = np.unique(marks, return_index=True, return_inverse=True)
    # Equal rows have equal marks. Where others have too, each row's content is to tell.
    if not all((inputs[part] == inputs[first[group[part]]]).all() for part in blocks(len(inputs))):
        return _by_content(inputs)
    places = np.empty(len(first), dtype=np.int64)
    places[np.argsort(first)] = np.arange(len(first))
    return np.asarray(places[group])


def distinct_rows(inputs: np.ndarray) -> np.ndarray:
    """The first row of each distinct input, in order."""
    return np.unique(groups(inputs), return_index=True)[1]


def _marks(rows: np.ndarray) -> np.ndarray:
    """A number for each row, by its content: the bits of its entries, times odd numbers, summed modulo 2^64."""
    # Adding 0 makes -0.0 the same bytes as 0.0.
    bits = np.ascontiguousarray(rows + 0.0).view(np.uint64)
    # The low bits of what once was float32 are 0.
    bits = bits ^ (bits >> np.uint64(31))
    factors = np.random.default_rng(0).integers(0, 2**63, size=rows.shape[1], dtype=np.uint64) * np.uint64(2)
    return np.asarray((bits * (factors + np.uint64(1))).sum(axis=1, dtype=np.uint64))


def _by_content(inputs: np.ndarray) -> np.ndarray:
    """As `groups`, row by row."""
    number: dict[bytes, int] = {}
    first: list[int] = []
    result = np.empty(len(inputs), dtype=np.int64)

    def place(key: bytes, row: int) -> int:
        group = number.setdefault(key, len(first))
        if group == len(first):
            first.append(row)
        return group

    for part in blocks(len(inputs)):
        for row, values in enumerate(np.ascontiguousarray(inputs[part] + 0.0), part.start):
            content = values.tobytes()
            # Digests of long rows keep memory small; rows that only share one are told apart by their content.
            group = place(content if len(content) <= 64 else blake2b(content, digest_size=16).digest(), row)
            if first[group] != row and (inputs[first[group]] + 0.0).tobytes() != content:
                group = place(content, row)
            result[row] = group
    return result
