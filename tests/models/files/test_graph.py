"""Random chains of operators, fitting or not: whatever is read, onnxruntime computes the same function of it,
exactly.
"""

import math

import numpy as np
import onnxruntime
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import ModelProto, TensorProto, helper, numpy_helper

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.graph import follow

# Small integers: float32 adds and multiplies them without rounding, so outputs are compared with ==.
ENTRIES = st.integers(-2, 2)
SIZES = st.integers(1, 3)
INPUTS = st.one_of(
    st.tuples(st.sampled_from(["batch", 1, 3]), SIZES),
    st.tuples(SIZES, st.sampled_from(["batch", 1])),
    st.tuples(st.sampled_from(["batch", 1, 3]), st.sampled_from([1, 1, 2]), SIZES),
    st.tuples(SIZES),
)


@st.composite
def chains(draw):
    """(model, shape of its input) of up to eight operators, most of them with operands that fit."""
    shape = draw(INPUTS)
    columns = len(shape) == 1 or (
        len(shape) == 2 and shape[0] != "batch" and shape[1] in ("batch", 1) and draw(st.booleans())
    )
    width = shape[0] if columns else math.prod(1 if size == "batch" else size for size in shape[1:])
    nodes, tensors, value = [], [], "x"

    def constant(array, kind=np.float32):
        tensors.append(numpy_helper.from_array(np.asarray(array, kind), f"c{len(tensors)}"))
        return tensors[-1].name

    def array(*sizes):
        return constant(draw(hnp.arrays(np.int8, sizes, elements=ENTRIES)))

    count = draw(st.integers(1, 8))
    for index in range(count):
        operator = draw(
            st.sampled_from(["Relu", "MatMul", "MatMul", "Gemm", "Gemm", "Add", "Sub", "Flatten", "Reshape"])
        )
        if index in (0, count - 1):
            operator = draw(st.sampled_from(["MatMul", "Gemm", operator]))
        attributes, inputs = {}, [value]
        if operator in ("MatMul", "Gemm"):
            new = draw(SIZES)
            left = columns if operator == "MatMul" else False
            attributes = {"transB": draw(st.integers(0, 1))} if operator == "Gemm" else {}
            sizes = (new, width) if left or attributes.get("transB") else (width, new)
            inputs.insert(0 if left else 1, array(*sizes))
            if attributes and draw(st.booleans()):
                inputs.append(array(*draw(st.sampled_from([(new,), (1, new), (1,), ()]))))
                attributes |= {"alpha": draw(st.sampled_from([1.0, 2.0])), "beta": draw(st.sampled_from([1.0, -1.0]))}
            width = new
        elif operator in ("Add", "Sub"):
            fits = [(width, 1), (1,), (1, 1)] if columns else [(width,), (1, width), (), (1, 1)]
            operand = array(*draw(st.sampled_from([*fits, (width, 1), (width,)])))
            inputs.insert(draw(st.integers(0, 1)), operand)
        elif operator == "Flatten":
            attributes = draw(st.sampled_from([{}, {"axis": 1}, {"axis": -1}, {"axis": 0}, {"axis": 2}]))
        elif operator == "Reshape":
            target = draw(st.sampled_from([(-1, width), (0, -1), (0, width), (1, -1)]))
            inputs.append(constant(target, np.int64))
        value = "y" if index == count - 1 else f"v{index}"
        nodes.append(helper.make_node(operator, inputs, [value], **attributes))
    ends = [
        helper.make_tensor_value_info(*end) for end in (("x", TensorProto.FLOAT, shape), ("y", TensorProto.FLOAT, None))
    ]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), shape


@settings(max_examples=300)
@given(chains(), st.data())
def test_what_is_read_is_what_runs(chain, data):
    model, shape = chain
    try:
        net, interface = follow("chain", ModelProto.FromString(model.SerializeToString()))
    except InputError as error:
        assert str(error).startswith("chain: ") and str(error).isprintable()
        event("refused")
        return
    event("read")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    inputs = data.draw(
        hnp.arrays(np.float32, [3 if size == "batch" else size for size in shape], elements=st.integers(-3, 3))
    )
    (outputs,) = session.run(None, {"x": inputs})

    def rows(values):
        if len(shape) == 1:
            return values.reshape(1, -1)
        return (values if interface.batch_first else values.T).reshape(
            inputs.shape[0 if interface.batch_first else 1], -1
        )

    assert rows(outputs).tolist() == net.forward(rows(inputs)).tolist()


def test_an_axis_is_an_integer():
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xz"]
    graph = helper.make_graph([helper.make_node("Flatten", ["x"], ["z"], axis=0.5)], "graph", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    with pytest.raises(InputError, match="has an attribute axis that is no integer"):
        follow("net.onnx", model)
