"""ONNX models by their nodes, and a net that they spell."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from proof_of_absence.models.floatnet import FloatNet

W1 = np.array([[1, 2], [-1, 0.5], [0, 3]], np.float32)
B1 = np.array([0.5, -1, 0], np.float32)
W2 = np.array([[1, -1, 2]], np.float32)
B2 = np.array([0.25], np.float32)
NET = FloatNet([(W1, B1), (W2, B2)], np.dtype("float32"))


def node(operator, inputs, output, **attributes):
    return helper.make_node(operator, inputs.split(), [output], name=f"n_{output}", **attributes)


def model(nodes, constants, *, shape=("batch", 2), kind=TensorProto.FLOAT, opset=17, **graph):
    """The bytes of a model from x to y."""
    value = helper.make_tensor_value_info
    constants = {name: np.asarray(array) for name, array in constants.items()}
    made = helper.make_model(
        helper.make_graph(
            nodes,
            "g",
            graph.pop("inputs", [value("x", kind, shape)]),
            graph.pop("outputs", [value("y", kind, None)]),
            [numpy_helper.from_array(array, name) for name, array in constants.items()],
            **graph,
        ),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=8,
    )
    return made.SerializeToString()


CONSTANTS = {"W1": W1, "B1": B1, "W2": W2, "B2": B2, "V1": W1.T.copy(), "V2": W2.T.copy()}
TAIL = [node("Relu", "h", "r"), node("Gemm", "r W2 B2", "y", transB=1)]
HEAD = [node("Gemm", "x V1 B1", "h")]
