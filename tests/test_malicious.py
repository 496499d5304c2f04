"""Malicious and broken files, given to the console script:
one clear line, exit code 2 or REFUSED, nothing run, nothing written.

Each within limits: memory is measured, and what hangs is killed and fails.
"""

import io
import itertools
import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.checker.console import ABSENCE, contents

MEMORY = 2**30  # bytes; torch and numpy take a third of it
SECONDS = 60
GOOD = {"0.weight": np.ones((2, 1), np.float32), "0.bias": np.zeros(2, np.float32)}
GOOD |= {"2.weight": np.ones((1, 2), np.float32), "2.bias": np.zeros(1, np.float32)}


class Shell:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch was-run",)


def npz(header: bytes | None = None, data: bytes = b"", name: str = "X.npy", **more: bytes) -> bytes:
    """An archive with one array made by hand."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        if header is not None:
            archive.writestr(name, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)
        for other, content in more.items():
            archive.writestr(other, content)
    return stream.getvalue()


def header(shape: str, kind: str = "<f8") -> bytes:
    return f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}".ljust(117).encode() + b"\n"


def saved(**arrays) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def tensors(size: int, text: bytes) -> bytes:
    return struct.pack("<Q", size) + text


def onnx(change) -> bytes:
    """A small ONNX net after a change to its protobuf."""
    from onnx import TensorProto, helper

    node = [helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1), helper.make_node("Relu", ["h"], ["r"])]
    node.append(helper.make_node("Gemm", ["r", "v", "c"], ["y"], transB=1))
    arrays = {"w": (2, 1), "b": (2,), "v": (1, 2), "c": (1,)}
    constants = [
        helper.make_tensor(name, TensorProto.FLOAT, shape, np.ones(shape).ravel()) for name, shape in arrays.items()
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 1]) for name in "xy"]
    model = helper.make_model(helper.make_graph(node, "net", ends[:1], ends[1:], constants))
    change(model.graph)
    return model.SerializeToString()


def huge(graph):
    graph.initializer[0].dims[:] = [2**40, 2**20]


def elsewhere(graph):
    graph.initializer[0].ClearField("float_data")
    graph.initializer[0].data_location = 1
    graph.initializer[0].external_data.add(key="location", value="../../../../etc/passwd")


def cyclic(graph):
    graph.node[0].input[0] = "r"


def bomb(graph):
    from onnx import TensorProto, helper

    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [2**31, 2**31])
    graph.initializer.append(shape)
    graph.node.insert(0, helper.make_node("ConstantOfShape", ["shape"], ["w2"]))
    graph.node[1].input[1] = "w2"


def long(graph):
    from onnx import helper

    names = ["x", *(f"t{k}" for k in range(50_000))]
    graph.node[0].input[0] = names[-1]
    for k, (a, b) in enumerate(itertools.pairwise(names)):
        graph.node.insert(k, helper.make_node("Loop" if k == 40_000 else "Identity", [a], [b]))


def expanded(graph):
    from onnx import TensorProto, helper

    graph.initializer.append(helper.make_tensor("shape", TensorProto.INT64, [2], [1, 2**40]))
    graph.node.insert(2, helper.make_node("Expand", ["r", "shape"], ["wide"]))
    graph.node[3].input[0] = "wide"


def kernel(graph):
    from onnx import helper

    graph.node.insert(2, helper.make_node("Unsqueeze", ["r", "axes"], ["deep"]))
    graph.node.insert(3, helper.make_node("MaxPool", ["deep"], ["pooled"], kernel_shape=[2**40], pads=[2**39, 2**39]))
    graph.node[4].input[0] = "pooled"
    graph.initializer.append(helper.make_tensor("axes", 7, [1], [1]))


NETS = {
    "pickle.pt": lambda: pickle.dumps(Shell()),
    "zipped.pt": lambda: npz(**{"archive/data.pkl": pickle.dumps(Shell()), "archive/version": b"3\n"}),
    "pickle.onnx": lambda: pickle.dumps(Shell()),
    "length.safetensors": lambda: tensors(2**63 - 1, b"{}"),
    "deep.safetensors": lambda: tensors(200_000, b'{"a":' * 40_000),
    "outside.safetensors": lambda: tensors(
        66, b'{"0.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,9999]}}'.ljust(66)
    ),
    "shape.safetensors": lambda: tensors(
        84, b'{"0.weight":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,4]}}'.ljust(84)
    ),
    "dims.onnx": lambda: onnx(huge),
    "elsewhere.onnx": lambda: onnx(elsewhere),
    "cyclic.onnx": lambda: onnx(cyclic),
    "bomb.onnx": lambda: onnx(bomb),
    "long.onnx": lambda: onnx(long),
    "expanded.onnx": lambda: onnx(expanded),
    "kernel.onnx": lambda: onnx(kernel),
    "noise.onnx": lambda: bytes(range(256)) * 100,
    "empty.onnx": lambda: b"",
}
DATA = {
    "pickle": lambda: pickle.dumps(Shell()),
    "objects": lambda: npz(header("(1, 1)", "|O"), pickle.dumps(Shell())),
    "shape": lambda: npz(header("(1099511627776, 1)")),
    "negative": lambda: npz(header("(-1, 1)")),
    "code": lambda: npz(header("__import__('os').system('touch was-run')")),
    "bomb": lambda: npz(header("(536870912, 1)"), bytes(2**24)),
    "inflated": lambda: npz(header("(1, 1)"), bytes(2**28)),
    "nan": lambda: saved(X=[[np.nan]], Y=[[0.0]]),
    "infinite": lambda: saved(X=[[1.0]], Y=[[np.inf]]),
    "none": lambda: saved(X=np.zeros((0, 1)), Y=np.zeros((0, 1))),
    "twice": lambda: saved(X=[[1.0]], inputs=[[1.0]], Y=[[1.0]]),
    "words": lambda: saved(X=[["one"]], Y=[[1.0]]),
    "outside": lambda: npz(header("(1, 1)"), bytes(8), name="../../X.npy"),
}
REGIONS = {
    "deep": lambda: b"(" * 1_000_000,
    "number": lambda: b"(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= X_0 1e999999999))",
    "digits": lambda: b"(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= X_0 " + b"9" * 1_000_000 + b"))",
    "binary": lambda: bytes(range(256)),
}
CERTIFICATES = {
    "deep": lambda: b"[" * 1_000_000,
    "list": lambda: b"[1, 2]",
    "nan": lambda: b'{"format": NaN}',
    "digits": lambda: b'{"format": ' + b"9" * 1_000_000 + b"}",
    "pickle": lambda: pickle.dumps(Shell()),
    "fields": lambda: json.dumps({"format": "absence-certificate/1", "fact": {}}).encode(),
}


# The system counts in a process's greatest memory what the process that started it had; so a small
# one starts it, and tells.
START = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, used = os.wait4(process.pid, 0)
os.write(int(sys.argv[1]), json.dumps([os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024]).encode())
os._exit(0)
"""


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of the console script, which is killed when it takes too long."""
    told, tell = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", START, str(tell), ABSENCE, *arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"COLUMNS": "200"},
        pass_fds=(tell,), start_new_session=True, encoding="utf-8",
    )  # fmt: skip
    os.close(tell)
    with os.fdopen(told) as stream:
        try:
            output, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            pytest.fail(f"took more than {SECONDS} s")
        code, memory = json.loads(stream.read())
    assert code >= 0, f"killed by signal {-code}"
    assert memory < MEMORY, f"took {memory >> 20} MiB"
    return code, output


def audit(folder: Path, net: str = "good.safetensors", train: str = "good.npz", *more: str) -> None:
    """The audit refuses its input in one line and leaves nothing."""
    from safetensors.numpy import save

    (folder / "good.safetensors").write_bytes(save(GOOD))
    (folder / "good.npz").write_bytes(saved(X=[[0.0], [1.0]], Y=[[0.0], [1.0]]))
    before = contents(folder)
    code, output = run(folder, "audit", net, "--train", train, "--activation", "relu", *more)
    assert code == 2, output
    assert output.startswith("absence: ") and output.count("\n") == 1, output
    assert contents(folder) == before


@pytest.mark.parametrize("name", NETS)
def test_nets(tmp_path, name):
    (tmp_path / name).write_bytes(NETS[name]())
    audit(tmp_path, name)


@pytest.mark.parametrize("name", DATA)
def test_data(tmp_path, name):
    (tmp_path / "bad.npz").write_bytes(DATA[name]())
    audit(tmp_path, "good.safetensors", "bad.npz")


@pytest.mark.parametrize("name", REGIONS)
def test_regions(tmp_path, name):
    (tmp_path / "bad.vnnlib").write_bytes(REGIONS[name]())
    audit(tmp_path, "good.safetensors", "good.npz", "--region", "bad.vnnlib")


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates(tmp_path, name):
    path = tmp_path / "C8.main.json"
    path.write_bytes(CERTIFICATES[name]())
    before = contents(tmp_path)
    code, output = run(tmp_path, "check", path.name)
    assert code == 1 and output.startswith(f"REFUSED {path.name}: ") and "Traceback" not in output, output
    assert contents(tmp_path) == before
