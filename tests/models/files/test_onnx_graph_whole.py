"""Whole graphs made at random, of both float types: what onnxruntime computes on small integers, exactly."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.onnx import sourced
from proof_of_absence.models.graph_layers import Conv, Dense
from tests.models.files.onnx_graphs import run
from tests.models.files.onnx_models import model, node

# Beyond it float32 holds no longer every integer.
EXACT = 2**23


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("whole") / "net.onnx"


class Made:
    """Nodes and constants so far, and the values with their shapes (without the batch)."""

    def __init__(self, draw, shape, dtype):
        self.draw, self.dtype = draw, dtype
        self.nodes, self.constants, self.values = [], {}, [("x", shape)]

    def constant(self, *shape, elements=None):
        name = f"c{len(self.constants)}"
        numbers = (st.integers(-2, 2) if elements is None else elements).map(float)
        self.constants[name] = self.draw(hnp.arrays(self.dtype, shape, elements=numbers))
        return name

    def integers(self, numbers):
        name = f"c{len(self.constants)}"
        self.constants[name] = np.array(numbers, np.int64)
        return name

    def put(self, operator, reads, shape, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(node(operator, reads, name, **attributes))
        self.values.append((name, shape))
        return name

    def step(self):
        """One more operator on one of the values."""
        value, shape = self.draw(st.sampled_from(self.values[-3:]))
        kinds = ["Relu", "Clip", "LeakyRelu", "Neg", "Scaled", "Shifted", "Sum", "Concat", "MatMul", "Flatten"]
        kinds += ["Transpose", "Slice", "Sub"]
        # onnxruntime has convolutions and pools of float32 alone.
        if len(shape) > 1 and min(shape) > 0 and self.dtype == np.float32:
            kinds += ["Conv", "MaxPool", "BatchNormalization"] * 2
        kind = self.draw(st.sampled_from(kinds))
        rest = shape[1:]
        match kind:
            case "Relu" | "Neg":
                self.put(kind, value, shape)
            case "LeakyRelu":
                self.put(kind, value, shape, alpha=2.0)
            case "Clip":
                low, high = self.constant(elements=st.integers(-9, 0)), self.constant(elements=st.integers(1, 9))
                self.put("Clip", f"{value} {low} {high}", shape)
            case "Scaled":
                self.put("Mul", f"{value} {self.constant(*shape)}", shape)
            case "Shifted":
                self.put("Add", f"{self.constant(*shape)} {value}", shape)
            case "Sum" | "Sub":
                others = [name for name, other in self.values if other == shape]
                self.put("Add" if kind == "Sum" else "Sub", f"{value} {self.draw(st.sampled_from(others))}", shape)
            case "Concat":
                axis = self.draw(st.integers(0, len(shape) - 1))
                longer = [*shape[:axis], 2 * shape[axis], *shape[axis + 1 :]]
                self.put("Concat", f"{value} {value}", longer, axis=axis + 1)
            case "MatMul":
                out = self.draw(st.integers(1, 3))
                self.put("MatMul", f"{value} {self.constant(shape[-1], out)}", [*shape[:-1], out])
            case "Flatten":
                self.put("Flatten", value, [int(np.prod(shape))])
            case "Transpose":
                order = self.draw(st.permutations(range(len(shape))))
                self.put("Transpose", value, [shape[k] for k in order], perm=[0, *(k + 1 for k in order)])
            case "Slice":
                axis = self.draw(st.integers(0, len(shape) - 1))
                start = self.draw(st.integers(0, shape[axis] - 1))
                told = [self.integers([number]) for number in (start, 99, axis + 1)]
                shorter = [*shape[:axis], shape[axis] - start, *shape[axis + 1 :]]
                self.put("Slice", " ".join([value, *told]), shorter)
            case "Conv":
                kernel = [self.draw(st.integers(1, 2)) for _ in rest]
                out, group = self.draw(st.integers(1, 2)), self.draw(st.sampled_from([1, shape[0]]))
                weights = self.constant(out * group, shape[0] // group, *kernel)
                read = f"{value} {weights}" + (f" {self.constant(out * group)}" if self.draw(st.booleans()) else "")
                self.put("Conv", read, [out * group, *rest], group=group, auto_pad="SAME_UPPER")
            case "MaxPool":
                counts = [-(-size // 2) for size in rest]
                self.put("MaxPool", value, [shape[0], *counts], kernel_shape=[2] * len(rest), strides=[2] * len(rest),
                         auto_pad="SAME_LOWER")  # fmt: skip
            case "BatchNormalization":
                told = [self.constant(shape[0]) for _ in range(3)]
                told.append(self.constant(shape[0], elements=st.sampled_from([1])))
                self.put("BatchNormalization", " ".join([value, *told]), shape, epsilon=0.0)


@given(st.data())
@settings(max_examples=150)
def test_whole_graphs(place, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float32, np.float64]))
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    made = Made(data.draw, shape, dtype)
    for _ in range(data.draw(st.integers(1, 7))):
        made.step()
    name = made.values[-1][0]
    made.nodes.append(node("Neg", name, "y"))
    batch = data.draw(st.sampled_from(["n", 1, 2]))
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    bytes_ = model(made.nodes, made.constants, shape=(batch, *shape), kind=kind)
    inputs = data.draw(hnp.arrays(dtype, (1 if batch == 1 else 2, *shape), elements=st.integers(-3, 3).map(float)))
    place.write_bytes(bytes_)
    net, sources = sourced(place)
    values = [net.values(row.reshape(-1).tolist()) for row in inputs]
    assume(max(abs(x) for row in values for value in row for x in value) < EXACT)
    found = [[float(x) for x in row[-1]] for row in values]
    assert found == run(bytes_, inputs).reshape(len(inputs), -1).tolist()
    assert net.dtype == dtype
    # What the file holds is what the layers have.
    for number, held in sources.weights.items():
        layer = net.nodes[number - 1].layer
        assert isinstance(layer, Dense | Conv)
        stored = made.constants[held.name].reshape(-1)[held.index] * float(held.factor)
        assert np.array_equal(stored, layer.weights)


@given(st.data())
def test_constants_that_are_computed(place, data):
    """Arithmetic of constants, before they meet a value; where floats round it, the file is refused."""
    small = st.integers(-8, 8).map(float)
    one, other = (data.draw(hnp.arrays(np.float32, (2,), elements=small)) for _ in range(2))
    operator = data.draw(st.sampled_from(["Add", "Sub", "Mul", "Div"]))
    assume(operator != "Div" or other.all())
    nodes = [node(operator, "a b", "c"), node("Neg", "c", "d"), node("Add", "x d", "y")]
    bytes_ = model(nodes, {"a": one, "b": other})
    place.write_bytes(bytes_)
    # Quotients by 3, 5, 6 and 7 are no floats, as a rule.
    rounds = operator == "Div" and not np.array_equal((one / other).astype(np.float64) * other, one)
    if rounds:
        with pytest.raises(InputError, match="export the model with constants folded"):
            sourced(place)
    else:
        found = sourced(place)[0]([0, 0])
        assert [float(x) for x in found] == run(bytes_, np.zeros((1, 2), np.float32))[0].tolist()


def test_weights_of_16_bits_are_exact(place):
    weights = np.float16([[0.1, 0.2], [0.3, -1]])
    nodes = [node("Unsqueeze", "x a", "u"), node("Conv", "u W", "y")]
    bytes_ = model(nodes, {"W": weights.reshape(2, 1, 2), "a": np.array([1])}, kind=TensorProto.FLOAT16)
    place.write_bytes(bytes_)
    net = sourced(place)[0]
    assert net.nodes[-1].layer.weights.reshape(2, 2).tolist() == weights.astype(np.float64).tolist()
    assert net.dtype == np.float32 and "FLOAT16 are taken as float32" in net.reading.notes[-1]
