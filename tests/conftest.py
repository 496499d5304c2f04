"""What the tests share: one verified chain; strategies for rationals, nets, datasets, idle circuits made on purpose."""

import fcntl
import itertools
import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP

# Not tests: they take an hour, and `make reliability` runs them.
collect_ignore = ["reliability"]

# A shell that puts the tests in the background has the interrupt ignored, by them and by what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("absence", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("absence")


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def cache_of_this_run(shared):
    """Nothing that was kept before this run, by a checker that may be another, is taken for decided."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(shared / "cache"))
        yield


@pytest.fixture(scope="session")
def discharged(shared) -> Path:
    """A folder in which the console script has verified the whole chain, once for all workers.

    Copy it before you change it.
    """
    folder, done = shared / "discharged", shared / "discharged.out"
    with open(shared / "discharged.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir(exist_ok=True)
            command = [Path(sys.executable).with_name("absence"), "verify"]
            run = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"}
            )
            assert run.returncode == 0, run.stdout + run.stderr
            done.write_text(run.stdout)
    return folder


SMALL = st.fractions(-4, 4, max_denominator=5)
# Beyond what float64 holds exactly, on both sides, and mixed with what it does hold.
WILD = st.one_of(
    SMALL,
    st.integers(-(2**53) - 2, 2**53 + 2).map(Fraction),
    st.builds(Fraction, st.integers(-(10**40), 10**40), st.integers(1, 10**30)),
    st.builds(lambda sign, power: sign * Fraction(2) ** power, st.sampled_from([-1, 1]), st.integers(-1100, 1100)),
)


def vectors(size: int, entries=SMALL):
    """Vectors of a given size."""
    return st.lists(entries, min_size=size, max_size=size).map(tuple)


@st.composite
def nets(draw, widths=None, entries=SMALL, outputs=2, depth=3):
    """Nets with the given widths, or of up to `depth` hidden layers."""
    if widths is None:
        widths = [draw(st.integers(1, 3)) for _ in range(draw(st.integers(1, depth + 1)))]
        widths.append(draw(st.integers(1, outputs)))
    layers = [
        Affine([draw(vectors(fan_in, entries)) for _ in range(fan_out)], draw(vectors(fan_out, entries)))
        for fan_in, fan_out in itertools.pairwise(widths)
    ]
    return MLP(tuple(layers))


@st.composite
def datasets(draw, d=None, m=None, rows=6):
    """Datasets of a few rows; inputs come from a small pool, so they repeat."""
    d, m = d or draw(st.integers(1, 2)), m or draw(st.integers(1, 2))
    pool = draw(st.lists(vectors(d, st.integers(-2, 2)), min_size=1, max_size=4))
    chosen = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=rows))
    return Dataset(chosen, [draw(vectors(m)) for _ in chosen])


@st.composite
def idle_nets(draw, d=1, m=1, hidden=2):
    """(net, circuit, data): a shallow net, its circuit idle on the data: silent, constant, or constant only jointly."""
    data = draw(datasets(d, m))
    rest = draw(nets((d, hidden, m)))
    w, send = draw(vectors(d)), draw(vectors(m))
    reach = max(abs(sum(a * b for a, b in zip(w, z, strict=True))) for z in data.inputs)
    flat, negated = [0] * d, [-x for x in w]
    units = draw(
        st.sampled_from([
            [(w, -reach, send)],  # silent
            [(flat, 2, send)],  # constant
            [(w, reach, send), (negated, reach, send)],  # their sum is the constant 2 reach
        ])
    )  # fmt: skip
    below, above = rest.layers
    wide = Affine((*below.weights, *(u[0] for u in units)), (*below.bias, *(u[1] for u in units)))
    rows = [(*row, *(u[2][k] for u in units)) for k, row in enumerate(above.weights)]
    circuit = frozenset(Unit(1, hidden + j) for j in range(len(units)))
    return MLP((wide, Affine(rows, above.bias))), circuit, data
