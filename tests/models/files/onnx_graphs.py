"""Small ONNX graphs made at random, a few for each operator, and what onnxruntime makes of them."""

import onnxruntime

__all__ = ["run"]


def run(data, inputs):
    """The first output of a model's bytes at an input, as onnxruntime computes it without rewriting the graph."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: inputs})[0]
