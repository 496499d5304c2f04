"""The Coq definitions against models/: on random rational nets both give the same outputs, circuits and losses.

The executable twin in compute.v is proved equal to net.v; here vm_compute runs it and Python's
forward pass is the oracle.
"""

import random
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from proof_of_absence.checker.independent.coq import ALIASES, command, compiled
from proof_of_absence.checker.kernel.discharge import coq_sources
from proof_of_absence.models.circuit import Unit, hidden_units, idle_value
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs.universal import FOLDER

CASES = 25


def q(value: Fraction) -> str:
    """A binary rational of Coq, in lowest terms."""
    sign = "Zpos" if value > 0 else "Zneg"
    return f"(Qmake {f'({sign} {abs(value.numerator)})' if value else 'Z0'} {value.denominator})"


def row(values) -> str:
    return f"[:: {'; '.join(map(q, values))}]"


def examples(draw: random.Random, number: int, *, off_by: int = 0) -> list[str]:
    """A random net and data as three statements: an output, a circuit's contribution, the summed squared error."""
    d, n, m, count = (draw.randint(1, 4) for _ in range(4))

    def numbers(length):
        return [Fraction(draw.randint(-9, 9), draw.randint(1, 5)) for _ in range(length)]

    units = [(numbers(d), *numbers(1), numbers(m)) for _ in range(n)]
    shift, x = numbers(m), numbers(d)
    data = Dataset([numbers(d) for _ in range(count)], [numbers(m) for _ in range(count)])
    net = shallow(units, shift)
    chosen = {unit for unit in hidden_units(net) if draw.random() < 0.5} or {Unit(1, 0)}
    sent = idle_value(net, chosen, [x])
    output = [net(x)[0] + off_by, *net(x)[1:]]
    mask = f"[:: {'; '.join('true' if Unit(1, j) in chosen else 'false' for j in range(n))}]"
    pairs = "; ".join(f"({row(z)}, {row(y)})" for z, y in zip(data.inputs, data.targets, strict=True))
    us = f"[:: {'; '.join(f'({row(w)}, {q(b)}, {row(a)})' for w, b, a in units)}]"
    statements = [
        f"leval Qops {us} {row(shift)} {row(x)} = {row(output)}",
        f"lcircuit Qops {m} {us} {mask} {row(x)} = {row(sent[Unit(2, k)] for k in range(m))}",
        f"lsse Qops {us} {row(shift)} [:: {pairs}] = {q(data.loss(net) * len(data))}",
    ]
    return [f"Example e{number}_{i} : {s}. Proof. by vm_compute. Qed." for i, s in enumerate(statements)]


def run(tmp_path: Path, lines: list[str]) -> subprocess.CompletedProcess:
    folder = compiled(tuple(source for source in coq_sources(FOLDER) if source[0] in (ALIASES, "net.v", "compute.v")))
    header = [
        "From Coq Require Import QArith.",
        "From mathcomp Require Import all_ssreflect.",
        "From absence Require Import compute.",
    ]
    script = tmp_path / "twin.v"
    script.write_text("\n".join([*header, *lines]) + "\n")
    return subprocess.run(command(script, Path(folder)), capture_output=True, text=True)


@pytest.mark.parametrize("seed", [0, 1])
def test_both_compute_the_same(tmp_path, seed):
    draw = random.Random(seed)
    done = run(tmp_path, [line for number in range(CASES) for line in examples(draw, number)])
    assert done.returncode == 0, done.stderr[-2000:]


def test_another_output_is_refused(tmp_path):
    assert run(tmp_path, examples(random.Random(2), 0, off_by=1)).returncode != 0
