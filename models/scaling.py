"""Fitted scaling laws of language models: the loss of a training run, by the number of parameters and of tokens.

A law is a measurement with a fit through it, of transformers at their sizes; it is no theorem about any class of nets.
"""

from fractions import Fraction
from typing import NamedTuple

__all__ = ["BESIROGLU", "HOFFMANN", "LAWS", "RESOLUTION", "ScalingLaw", "Spread"]


class ScalingLaw(NamedTuple):
    """L(N, D) = irreducible + capacity / N^alpha + data / D^beta, in nats a token, for N parameters and D tokens."""

    name: str
    source: str
    irreducible: Fraction
    capacity: Fraction
    alpha: Fraction
    data: Fraction
    beta: Fraction


def _law(name: str, source: str, *coefficients: str) -> ScalingLaw:
    return ScalingLaw(name, source, *map(Fraction, coefficients))


HOFFMANN = _law(
    "hoffmann",
    "Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, arXiv 2203.15556, Approach 3, "
    "as printed (rounded)",
    *("1.69", "406.4", "0.34", "410.7", "0.28"),
)
BESIROGLU = _law(
    "besiroglu",
    "Besiroglu et al. 2024, Chinchilla Scaling: A Replication Attempt, arXiv 2404.10102 "
    "(a fit to the same runs, read off a figure)",
    *("1.8172", "482.01", "0.3478", "2085.43", "0.3658"),
)
LAWS = {law.name: law for law in (HOFFMANN, BESIROGLU)}


class Spread(NamedTuple):
    """By how much the final loss of equal training runs varies: one standard deviation, in nats a token."""

    nats: Fraction
    source: str


RESOLUTION = Spread(
    Fraction("0.002"),
    "github.com/KellerJordan/modded-nanogpt, README: standard deviation between runs of the validation loss, "
    "at 124 million parameters and 0.73 billion tokens",
)
