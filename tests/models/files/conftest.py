"""Random nets as files hold them, and a file cut at every tenth of its length."""

import itertools

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from proof_of_absence.models.files import InputError
from proof_of_absence.models.floatnet import FloatNet


@st.composite
def float_nets(draw, dtype=None, bound=4.0, depth=3):
    """Nets of up to `depth` layers; with `bound` None the entries are any finite floats, subnormal ones too."""
    dtype = dtype or draw(st.sampled_from([np.float32, np.float64]))
    entries = st.floats(
        None if bound is None else -bound,
        bound,
        allow_nan=False,
        allow_infinity=False,
        width=np.dtype(dtype).itemsize * 8,
    )
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=depth + 1))
    layers = [
        (draw(hnp.arrays(dtype, (above, below), elements=entries)), draw(hnp.arrays(dtype, above, elements=entries)))
        for below, above in itertools.pairwise(widths)
    ]
    return FloatNet(layers, np.dtype(dtype))


def same(one: FloatNet, other: FloatNet) -> bool:
    """Whether the two hold the same numbers in the same type."""
    return (one.dtype, one.widths) == (other.dtype, other.widths) and all(
        (a.weights == b.weights).all() and (a.bias == b.bias).all()
        for a, b in zip(one.layers, other.layers, strict=True)
    )


@pytest.fixture
def refuses_every_cut(tmp_path):
    """Check that a reader refuses a file cut anywhere, or with one byte changed, with InputError or reads it."""

    def check(data: bytes, suffix: str, read):
        path = tmp_path / f"cut{suffix}"
        for tenth in range(10):
            path.write_bytes(data[: len(data) * tenth // 10])
            with pytest.raises(InputError) as caught:
                read(path)
            assert "\n" not in str(caught.value) and str(path) in str(caught.value)
        changed = np.random.default_rng(0)
        for _ in range(60):
            damaged = bytearray(data)
            damaged[changed.integers(len(data))] ^= 1 << changed.integers(8)
            path.write_bytes(damaged)
            try:
                read(path)
            except InputError as error:
                assert "\n" not in str(error)

    return check
