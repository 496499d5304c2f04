"""How many units of a trained net are stable on a box, and how small `harden --compress` makes it, with a certificate.

The peer is in print: Serra, Yu, Kumar and Ramalingam (NeurIPS 2021) find 637 of the 800 units of a 2 x 400 CIFAR-10 net
stable, in 115 s of Gurobi, in floats, without a certificate. Their net is not public; ours have their shape.
"""

import os
import platform
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits

from proof_of_absence.checker.audit.compress import compress_net
from proof_of_absence.checker.audit.compress_certify import certify_compression
from proof_of_absence.checker.independent.results.compression import check_compression
from proof_of_absence.checker.region.boxes import Region, read_regions
from proof_of_absence.models.files import read_net
from proof_of_absence.models.floatnet import FloatNet

WIDTH = 400
TRAINED = 1400
EPOCHS = 30


@dataclass(frozen=True)
class Case:
    """A net, and the box on which its outputs are to stay."""

    name: str
    net: FloatNet
    region: Region


def digits_net(penalty: float, seed: int = 0) -> tuple[FloatNet, float]:
    """A 64-400-400-10 net trained on scikit-learn's digits with an L1 penalty on all weights; its test accuracy."""
    torch.manual_seed(seed)
    digits = load_digits()
    # The first are for training.
    shown, unseen = torch.tensor(digits.data / 16, dtype=torch.float32).split([TRAINED, len(digits.data) - TRAINED])
    labels, right = torch.tensor(digits.target).split([TRAINED, len(digits.data) - TRAINED])
    net = torch.nn.Sequential(
        torch.nn.Linear(64, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU(),
        torch.nn.Linear(WIDTH, 10),
    )  # fmt: skip
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(EPOCHS):
        for rows in torch.randperm(TRAINED).split(64):
            loss = torch.nn.functional.cross_entropy(net(shown[rows]), labels[rows])
            loss = loss + penalty * sum(p.abs().sum() for p in net.parameters())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        accuracy = float((net(unseen).argmax(1) == right).float().mean())
        layers = [(m.weight.numpy(), m.bias.numpy()) for m in net if isinstance(m, torch.nn.Linear)]
    return FloatNet(layers, np.float32), accuracy


def main(
    data: Annotated[Path | None, typer.Option(help="A folder with mnist-net_256x2.onnx and its box.")] = None,
    search: Annotated[float, typer.Option(help="Seconds of the search for what bounds leave open, for each net.")] = 60,
    wide: Annotated[bool, typer.Option(help="On a terminal of 120 columns.")] = False,
) -> None:
    """Print a line for each net: units, stable ones, what went and how, seconds to find it and to check it."""
    cases = []
    for penalty in (0.0, 1e-4, 1e-3):
        net, accuracy = digits_net(penalty)
        pixels = Region("all images", ((Fraction(0), Fraction(1)),) * 64)
        cases.append(Case(f"digits, L1 {penalty:g}, {accuracy:.0%} right", net, pixels))
    if data:
        (box,) = read_regions(data / "prop_2_0.03.vnnlib")
        cases.append(Case("mnist-net_256x2, one image within 0.03", read_net(data / "mnist-net_256x2.onnx"), box))
    heads = ("units", "by bounds", "by search", "vary", "open", "off", "empty", "merged", "left", "seconds", "check")
    table = Table("net and box", *heads)
    for case in cases:
        started = time.perf_counter()
        found = compress_net(case.net, case.region, seconds=search)
        seconds = time.perf_counter() - started
        how = Counter(removal.how for removal in found.removed)
        with tempfile.TemporaryDirectory() as folder:
            path = certify_compression(Path(folder), found)
            started = time.perf_counter()
            check_compression(path)
            check = time.perf_counter() - started
        units = sum(case.net.widths[1:-1])
        known = found.stability
        by_search = len(known.searched)
        counts = [units, found.stable - by_search, by_search, known.varying, len(known.undecided)]
        counts += [how["off"], how["empty"], how["merged"], len(found.left)]
        table.add_row(case.name, *map(str, counts), f"{seconds:.1f}", f"{check:.1f}")
    Console(width=120 if wide else None).print(table)
    print("Serra et al. 2021, CIFAR-10 2 x 400 (as printed): 637 of 800 stable, 115 s of Gurobi, no certificate")
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}")


if __name__ == "__main__":
    typer.run(main)
