"""What is said of answers on the wrong side, by evaluation."""

from tests.checker.independent.kinds.read import dataset_of, net_of


def zero_one_loss(fact):
    outputs = net_of(fact["net"]).outputs(dataset_of({"inputs": fact["inputs"], "targets": fact["inputs"]}).inputs)
    if any(len(f) != 1 for f in outputs):
        return False
    right = [bool(f > 0) is side for (f,), side in zip(outputs, fact["sides"], strict=True)]
    return right.count(False) == fact["wrong"]


SAYS = {
    "zero-one-loss": zero_one_loss,
}
