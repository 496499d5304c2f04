"""Boxes of inputs: from VNN-LIB files, and the least one that holds the data."""

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from proof_of_absence.models.files.vnnlib import read_boxes

__all__ = ["Region", "box_of", "read_regions"]


@dataclass(frozen=True)
class Region:
    """A closed box of inputs, by its name and the bounds (low, high) of each coordinate."""

    name: str
    bounds: tuple[tuple[Fraction, Fraction], ...]


def read_regions(path: str | os.PathLike[str]) -> list[Region]:
    """The boxes of a VNN-LIB file; each name tells what of the file plays no part, and that the box is closed.

    Raises
    ------
    InputError
        As `read_boxes`.
    """
    boxes = read_boxes(path)
    regions = []
    for number, box in enumerate(boxes, 1):
        name = Path(path).name + (f", box {number} of {len(boxes)}" if len(boxes) > 1 else "")
        if box.output_assertions:
            several = "s about outputs are" if box.output_assertions > 1 else " about outputs is"
            name += f" (its {box.output_assertions} assertion{several} not used)"
        if box.strict:
            several = "s hold" if box.strict > 1 else " holds"
            name += f" (closed: {box.strict} strict bound{several} with equality too)"
        regions.append(Region(name, box.bounds))
    return regions


def box_of(inputs: np.ndarray) -> Region:
    """The least box that holds the inputs, shape (N, d)."""
    ends = zip(inputs.min(axis=0).tolist(), inputs.max(axis=0).tolist(), strict=True)
    return Region("training box", tuple((Fraction(low), Fraction(high)) for low, high in ends))
