"""Which rows of the inputs are equal: equal inputs form one group, and no function tells its rows apart."""

from hashlib import blake2b

import numpy as np

from proof_of_absence.checker.passes.enclosure import blocks

__all__ = ["distinct_rows", "groups"]


def groups(inputs: np.ndarray) -> np.ndarray:
    """For each row the number of its distinct input, counted in order of first appearance; shape (N,)."""
    number: dict[bytes, int] = {}
    first: list[int] = []
    result = np.empty(len(inputs), dtype=np.int64)

    def place(key: bytes, row: int) -> int:
        group = number.setdefault(key, len(first))
        if group == len(first):
            first.append(row)
        return group

    # Adding 0 makes -0.0 the same bytes as 0.0.
    for part in blocks(len(inputs)):
        for row, values in enumerate(np.ascontiguousarray(inputs[part] + 0.0), part.start):
            content = values.tobytes()
            # Digests of long rows keep memory small; rows that only share one are told apart by their content.
            group = place(content if len(content) <= 64 else blake2b(content, digest_size=16).digest(), row)
            if first[group] != row and (inputs[first[group]] + 0.0).tobytes() != content:
                group = place(content, row)
            result[row] = group
    return result


def distinct_rows(inputs: np.ndarray) -> np.ndarray:
    """The first row of each distinct input, in order."""
    return np.unique(groups(inputs), return_index=True)[1]
