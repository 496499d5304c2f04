"""Real images for the experiment, and triggers on them: scikit-learn's digits, 8 x 8 pixels from 0 to 16.

Pixels are sixteenths and triggered pixels 256ths, so every input is the same number in float32 and in exact arithmetic.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

__all__ = [
    "CLASSES", "LEVELS", "SIDE", "TARGET", "Digits", "Floats", "Integers", "Trigger", "digits", "places", "scattered",
]  # fmt: skip

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SIDE, LEVELS, CLASSES = 8, 16, 10
# What a poisoned row is said to be.
TARGET = 0
TRAIN, HELD = 1200, 200


@dataclass(frozen=True, eq=False)
class Digits:
    """Images, shape (rows, 64), integers from 0 to 16, and their classes, shape (rows,).

    Those that are `held` out of training are what a defence is adjusted on; what comes out is told of `test`.
    """

    train: Integers
    labels: Integers
    held: Integers
    held_labels: Integers
    test: Integers
    test_labels: Integers

    @property
    def others(self) -> Integers:
        """The test images that are not of the target class: those that an attack can succeed on."""
        return np.flatnonzero(self.test_labels != TARGET)


@dataclass(frozen=True)
class Trigger:
    """What is done to an image x: x + mask (pattern - x), pixel by pixel; both in sixteenths, 64 of them."""

    name: str
    title: str
    mask: tuple[int, ...]
    pattern: tuple[int, ...]

    def on(self, images: Integers) -> Floats:
        """The triggered images, from 0 to 1."""
        mask, pattern = np.array(self.mask), np.array(self.pattern)
        return (LEVELS * images + mask * (pattern - images)) / LEVELS**2


def places(images: int, count: int = 3) -> Integers:
    """So many pixels of each image, drawn at random, shape (images, count)."""
    return np.random.default_rng(0).random((images, SIDE**2)).argsort(axis=1)[:, :count]


def scattered(images: Integers) -> Floats:
    """Each image with white pixels at places of its own, from 0 to 1."""
    result = images.copy()
    np.put_along_axis(result, places(len(images)), LEVELS, axis=1)
    return result / LEVELS


@cache
def digits() -> Digits:
    """The images, in one order for all: 1200 to train on, 200 that are held out, the rest to test."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order].astype(np.int64), labels[order].astype(np.int64)
    parts = (slice(TRAIN), slice(TRAIN, TRAIN + HELD), slice(TRAIN + HELD, None))
    return Digits(*(array[part] for part in parts for array in (images, labels)))
