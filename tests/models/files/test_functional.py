"""Modules with a forward method of their own: read as what torch computes, or refused."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.torch_state import from_module


class Own(nn.Module):
    """Layers that are registered in another order than they are called in."""

    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(0)
        self.out, self.fc2, self.fc1 = nn.Linear(3, 2), nn.Linear(3, 3), nn.Linear(4, 3)
        self.tail = nn.Sequential(nn.ReLU(), self.out)
        self.drop = nn.Dropout()
        self.steps = forward

    def forward(self, x):
        return self.steps(self, x)


FORWARDS = {
    "functions": lambda m, x: m.out(F.relu(m.fc2(torch.relu(m.fc1(torch.flatten(x, 1)))))),
    "methods": lambda m, x: m.out(m.fc2(m.fc1(x.flatten(1)).relu()).relu_()),
    "view": lambda m, x: m.out(F.relu(m.fc2(F.relu(m.fc1(x.view(x.size(0), -1)), inplace=True)))),
    "shape": lambda m, x: m.out(F.relu(m.fc2(F.relu(m.fc1(x.reshape(x.shape[0], -1)))))),
    "size": lambda m, x: m.out(F.relu(m.fc2(F.relu(m.fc1(x.reshape((x.size()[0], -1))))))),
    "modules within": lambda m, x: m.tail(m.fc2(torch.relu(m.fc1(m.drop(torch.flatten(x, start_dim=1)))))),
    "dropout": lambda m, x: m.out(F.relu(m.fc2(F.dropout(F.relu(m.fc1(x.flatten(1))), training=m.training)))),
    "log_softmax": lambda m, x: F.log_softmax(m.tail(m.fc2(F.relu(m.fc1(x.flatten(1))))), dim=1),
}


@pytest.mark.parametrize("form", FORWARDS)
def test_what_is_read_is_what_runs(form):
    module = Own(FORWARDS[form]).eval()
    net = from_module(module, functional=True)
    inputs = torch.randn(6, 2, 2)
    outputs = torch.tensor(net.forward(inputs.reshape(6, 4).numpy()))
    if net.reading.cut:
        outputs = torch.log_softmax(outputs, dim=1)
    with torch.no_grad():
        torch.testing.assert_close(outputs, module(inputs))
    assert bool(net.reading.cut) == (form == "log_softmax") and net.widths == (4, 3, 3, 2)
    # Where the order of the modules matters, as for Reassignment, such a module is not read.
    with pytest.raises(InputError, match="Own is not supported"):
        from_module(module)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda m, x: m.fc2(x) + x, r"Own: call_function add \(add\) is not supported, or reads another value"),
        (lambda m, x: torch.tanh(m.fc1(x)), r"call_function tanh \(tanh\) is not supported"),
        (lambda m, x: (m.fc1(x), m.fc2(x))[1], r"call_module fc2 \(fc2\) is not supported, or reads another value"),
        (lambda m, x: m.fc1(x) if x.sum() > 0 else x, "its forward method cannot be followed"),
        (lambda m, x: (m.fc1(x),), r"output output \(output\) is not supported"),
        (lambda m, x: m.fc1(x.view(-1, 4)), r"call_method view \(view\) is not supported"),
        (lambda m, x: m.fc1(x.reshape(x.size(), -1)), r"call_method reshape \(reshape\) is not supported"),
        (lambda m, x: m.fc1(torch.flatten(x, 0)), r"call_function flatten \(flatten\) is not supported"),
        (lambda m, x: m.fc1(F.dropout(x)), "is in training mode; call module.eval"),
        (lambda m, x: F.softmax(m.fc1(x), dim=0), "does not run over the features"),
        (lambda m, x: nn.Tanh()(m.fc1(x)), "the module: "),
        (lambda m, x: m.fc1(x) * 2, "call_function mul"),
    ],
)
def test_refused(forward, message):
    with pytest.raises(InputError, match=message) as caught:
        from_module(Own(forward).eval(), functional=True)
    assert str(caught.value).startswith("the module: ") and str(caught.value).isprintable()


def test_hooks_of_a_layer_that_is_called_are_seen():
    module = Own(FORWARDS["functions"]).eval()
    module.fc2.register_forward_hook(lambda *_: None)
    with pytest.raises(InputError, match=r"fc2 .* has a hook or a forward method of its own"):
        from_module(module, functional=True)


def test_a_method_or_hook_of_the_module_itself_is_seen():
    for change in (
        lambda module: module.register_forward_hook(lambda *_: None),
        lambda module: setattr(module, "forward", lambda x: x),
    ):
        module = Own(FORWARDS["functions"]).eval()
        change(module)
        with pytest.raises(InputError, match=r"Own has a hook or a forward method of its own beside its class's"):
            from_module(module, functional=True)


def test_weights_are_the_modules_own():
    module = Own(FORWARDS["functions"]).eval()
    net = from_module(module, functional=True)
    np.testing.assert_array_equal(net.layers[0].weights, module.fc1.weight.detach().numpy())
