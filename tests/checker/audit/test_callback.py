"""`proof_of_absence.Reassignment` in a training loop:
the drop against fractions, what stays as it was, optimisers, and what it cannot take.
"""

import copy
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import proof_of_absence
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.circuit import Unit, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.torch_state import from_module
from tests.checker.audit.problems import problems

# Unit 1.1 is silent on the inputs.
WEIGHTS = ([[1.0], [1.0]], [0.0, -9.0], [[1.0, 5.0]], [0.0])
INPUTS, TARGETS = [[0.0], [1.0], [2.0]], [[0.0], [1.0], [1.0]]


def module_of(net):
    """The net as torch builds it, in its own type."""
    layers = []
    for weights, bias in net.layers:
        linear = torch.nn.Linear(weights.shape[1], weights.shape[0], dtype=getattr(torch, str(net.dtype)))
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weights))
            linear.bias.copy_(torch.tensor(bias))
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def small(dtype=torch.float32, weights=WEIGHTS):
    model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)).to(dtype)
    with torch.no_grad():
        for tensor, values in zip(model.parameters(), weights, strict=True):
            tensor.copy_(torch.tensor(values))
    return model


def contents(model) -> list[bytes]:
    return [tensor.detach().numpy().tobytes() for tensor in model.parameters()]


@given(problem=problems(), limit=st.integers(1, 4))
def test_the_loss_falls_by_what_is_certified(problem, limit):
    model, data = module_of(problem.net), problem.data
    before = contents(model)
    reassign = proof_of_absence.Reassignment(
        model, problem.inputs, problem.targets, loss="squared", limit=limit, certificate=True
    )
    done = reassign()
    after = from_module(model)
    assert after.dtype == problem.net.dtype
    old, new = data.loss(problem.net.exact()), data.loss(after.exact())
    if not done:
        assert contents(model) == before and done.drop == 0 and done.reason and reassign.history == []
        assert ("noise floor" in done.reason) == (old == data.noise_floor)
        return
    assert old - new == done.drop > 0 and reassign.history == [done] and len(done.units) <= limit
    for circuit in done.units[:1]:
        assert is_idle(problem.net.exact(), circuit, data.inputs)
    # Units that no reassignment names are as they were.
    kept = [j for j in range(problem.net.widths[1]) if j not in {u.index for c in done.units for u in c}]
    for one, other in zip(problem.net.layers[0], after.layers[0], strict=True):
        assert (one[kept] == other[kept]).all()
    assert (problem.net.layers[1].weights[:, kept] == after.layers[1].weights[:, kept]).all()
    # Where the output bias alone does it, a unit that was empty already is as it was, and any circuit may be named.
    moved = any((one != other).any() for one, other in zip(problem.net.layers[0], after.layers[0], strict=True))
    moved = moved or (problem.net.layers[1].weights != after.layers[1].weights).any()
    check_fact(done.certificate)
    lower = done.certificate["facts"][-1]
    with pytest.raises(Refused, match=r"the drop: stated .*, recomputed"):
        check_fact(lower | {"drop": str(done.drop + 1)})
    with pytest.raises(Refused, match=r"outside the circuit differs|the bias of unit|is not lower"):
        check_fact(lower | {"circuit": [[1, kept[0]]]} if kept and moved else lower | {"before": lower["after"]})


def classifier():
    """A classifier of digits-like data, trained to accuracy 1, that has an idle unit; inputs and labels."""
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, 200)
    centres = np.where(rng.random((10, 16)) < 0.3, 1.5, 0.0)
    inputs = torch.tensor((centres[labels] + rng.random((200, 16))).astype(np.float32))
    model = torch.nn.Sequential(torch.nn.Linear(16, 20), torch.nn.ReLU(), torch.nn.Linear(20, 10))
    with torch.no_grad():
        model[0].bias[3] = -1000
    labels = torch.tensor(labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return model, inputs, labels


def cross_entropy_of(model, inputs, labels) -> float:
    with torch.no_grad():
        return float(torch.nn.functional.cross_entropy(model(inputs).double(), labels))


def accuracy(model, inputs, labels) -> float:
    with torch.no_grad():
        return float((model(inputs).argmax(dim=1) == labels).double().mean())


def test_a_classifier_is_never_told_that_another_loss_than_its_own_fell():
    trained, inputs, labels = classifier()
    one_hot = torch.nn.functional.one_hot(labels, 10).double()
    assert accuracy(trained, inputs, labels) == 1
    before = cross_entropy_of(trained, inputs, labels)
    with pytest.raises(InputError, match="say loss=cross-entropy"):
        proof_of_absence.Reassignment(trained, inputs, one_hot)
    for targets, options in ((labels, {}), (one_hot, {"loss": "cross-entropy"})):
        model = copy.deepcopy(trained)
        reassign = proof_of_absence.Reassignment(model, inputs, targets, certificate=True, **options)
        done = reassign()
        fall = before - cross_entropy_of(model, inputs, labels)
        assert done and done.loss == "cross-entropy of the softmax" and reassign.reason
        assert fall > 0 and fall == pytest.approx(float(done.drop), rel=1e-2)
        assert accuracy(model, inputs, labels) == 1
        check_fact(done.certificate)
        drop = done.certificate["facts"][-1]
        with pytest.raises(Refused, match="not lower by that much"):
            check_fact(drop | {"over": str(done.drop * 2)})
        with pytest.raises(Refused, match="the circuit is not idle"):
            check_fact(drop | {"before": drop["after"]})
    # Asked for, the squared loss falls; the cross-entropy rises, and nobody is told that it fell.
    model = copy.deepcopy(trained)
    done = proof_of_absence.Reassignment(model, inputs, one_hot, loss="squared")()
    assert done and done.loss == "mean squared error" and cross_entropy_of(model, inputs, labels) > before


def test_a_certificate_of_a_deep_classifier_is_not_promised():
    layers = [torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2)]
    with pytest.raises(InputError, match="the cross-entropy of the softmax is for a module with one hidden layer"):
        proof_of_absence.Reassignment(torch.nn.Sequential(*layers), INPUTS, [0, 1, 1], certificate=True)
    with pytest.raises(InputError, match=r"^Y: is missing"):
        proof_of_absence.Reassignment(torch.nn.Sequential(*layers), INPUTS, None)


@given(problem=problems(idle=False))
def test_with_nothing_idle_nothing_changes(problem):
    data, net = Dataset(problem.inputs.tolist(), problem.targets.tolist()), problem.net.exact()
    model = module_of(problem.net)
    before = contents(model)
    done = proof_of_absence.Reassignment(model, problem.inputs, problem.targets, loss="squared")()
    idle = [j for j in range(net.widths[1]) if is_idle(net, {Unit(1, j)}, data.inputs)]
    if done.reason == "no idle circuit":
        assert not idle and contents(model) == before


def test_a_circuit_that_is_idle_only_jointly_is_seen():
    # relu(z + 4) + relu(4 - z) = 8 on the data.
    model = small(weights=([[1.0], [-1.0]], [4.0, 4.0], [[0.25, 0.25]], [0.0]))
    inputs = np.linspace(-4, 4, 9)[:, None]
    done = proof_of_absence.Reassignment(model, inputs, np.abs(inputs))()
    assert done.units == ((Unit(1, 0), Unit(1, 1)), (Unit(1, 1),))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_in_a_loop_each_call_that_changes_something_lowers_the_loss(dtype):
    torch.manual_seed(0)
    model = small(dtype)
    inputs, targets = torch.tensor(INPUTS, dtype=dtype), torch.tensor(TARGETS, dtype=dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    reassign = proof_of_absence.Reassignment(model, inputs, targets, every=3)
    optimizer.register_step_post_hook(reassign)
    for step in range(1, 7):
        optimizer.zero_grad()
        (model(inputs) - targets).square().mean().backward()
        optimizer.step()
        assert len(reassign.history) == (step >= 3)
    (done,) = reassign.history
    assert done.step == 3 and done.units == ((Unit(1, 1),),) and reassign.steps == 6
    assert {tensor.dtype for tensor in model.parameters()} == {dtype}
    assert reassign().reason == "not due: it acts at every 3 calls"


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
        lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
        lambda p: torch.optim.AdamW(p, lr=0.01),
        lambda p: torch.optim.RMSprop(p, lr=0.01, centered=True),
    ],
)
def test_the_state_of_what_was_replaced_is_reset_and_no_other(make):
    model = small()
    inputs, targets = torch.tensor(INPUTS), torch.tensor(TARGETS)
    # Unit 1.1 is on, so that it has a state; then it is silenced.
    with torch.no_grad():
        model[0].bias[1] = 1.0
    optimizer = make(model.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        (model(inputs) - targets).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        model[0].bias[1] = -9.0
    old = copy.deepcopy([optimizer.state[tensor] for tensor in model.parameters()])
    done = proof_of_absence.Reassignment(model, inputs, targets)(optimizer)
    assert done.units == ((Unit(1, 1),),)
    fresh = ([[False], [True]], [False, True], [[False, True]], [True])
    moved = 0
    for tensor, before, reset in zip(model.parameters(), old, map(torch.tensor, fresh), strict=True):
        for name, value in optimizer.state[tensor].items():
            if isinstance(value, torch.Tensor) and value.shape == tensor.shape:
                assert (value[reset] == 0).all() and (value[~reset] == before[name][~reset]).all()
                moved += int((before[name][reset] != 0).any())
            else:
                assert value == before[name]
    assert moved


def test_without_a_drop_the_optimizer_keeps_its_state():
    model = small()
    inputs = torch.tensor(INPUTS)
    optimizer = torch.optim.Adam(model.parameters())
    (model(inputs) - 1).square().mean().backward()
    optimizer.step()
    old = copy.deepcopy([optimizer.state[tensor] for tensor in model.parameters()])
    with torch.no_grad():
        for tensor, values in zip(model.parameters(), WEIGHTS, strict=True):
            tensor.copy_(torch.tensor(values))
    done = proof_of_absence.Reassignment(model, INPUTS, INPUTS)(optimizer)
    assert not done and "noise floor" in done.reason
    for before, tensor in zip(old, model.parameters(), strict=True):
        assert all((optimizer.state[tensor][name] == value).all() for name, value in before.items())


def plain(*, bias=True, frozen=False):
    model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1, bias=bias))
    model[0].weight.requires_grad_(not frozen)
    return model


def shared():
    model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU(), torch.nn.Linear(1, 1))
    model[2].weight = model[0].weight
    return model


def twice():
    layer = torch.nn.Linear(1, 1)
    return torch.nn.Sequential(layer, torch.nn.ReLU(), layer)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (plain(bias=False), "the module: has a Linear without bias in its last two layers"),
        (plain(frozen=True), "the module: has frozen parameters"),
        (shared(), "the module: uses a layer twice, or shares a tensor between layers"),
        (twice(), "the module: uses a layer twice"),
        (torch.nn.Linear(1, 1), "the module: has no hidden layer"),
        (torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Tanh()), "Tanh"),
        (small().bfloat16(), "has weights of 16 bits; reassignment writes float32 or float64"),
        (
            torch.nn.Sequential(*small(), torch.nn.LogSoftmax(1)),
            "ends with LogSoftmax, and the loss here is",
        ),
        (3, "int is not supported"),
        (small(weights=([[1.0], [float("nan")]], *WEIGHTS[1:])), "holds NaN or infinity"),
    ],
)
def test_modules_it_cannot_take(model, message):
    with pytest.raises(InputError, match=message) as caught:
        proof_of_absence.Reassignment(model, INPUTS, TARGETS)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([[1.0, 2.0]], [[1.0]]), {}, "^X: has 2 columns, the module reads 1$"),
        ((INPUTS, [[1.0, 2.0]] * 3), {}, "^the targets: have 2 columns, the net has 1 outputs$"),
        ((INPUTS, TARGETS[:2]), {}, "^Y: has 2 rows, X has 3$"),
        ((INPUTS, [[float("inf")]] * 3), {}, "^Y: holds NaN or infinity$"),
        ((INPUTS, TARGETS), {"every": 0}, "^every: is 0; it takes a whole number"),
        ((INPUTS, TARGETS), {"limit": 1.5}, "^limit: is 1.5; it takes a whole number"),
    ],
)
def test_arguments_it_cannot_take(arguments, options, message):
    with pytest.raises(InputError, match=message):
        proof_of_absence.Reassignment(small(), *arguments, **options)


def test_what_goes_wrong_later_is_told_and_changes_nothing():
    model = small()
    reassign = proof_of_absence.Reassignment(model, INPUTS, TARGETS)
    before = contents(model)
    with pytest.raises(InputError, match=r"^the optimizer: is a str, no torch\.optim\.Optimizer$"):
        reassign("adam")
    with pytest.raises(InputError, match="does not hold the module's parameters"):
        reassign(torch.optim.SGD(small().parameters(), lr=1.0))
    lbfgs = torch.optim.LBFGS(model.parameters(), max_iter=2)
    inputs, targets = torch.tensor(INPUTS), torch.tensor(TARGETS)

    def closure():
        lbfgs.zero_grad()
        loss = (model(inputs) - targets).square().mean()
        loss.backward()
        return loss

    lbfgs.step(closure)
    with pytest.raises(InputError, match="with no entry for each parameter"):
        reassign(lbfgs)
    with torch.no_grad():
        model[0].bias[0] = float("nan")
    with pytest.raises(InputError, match="holds NaN or infinity"):
        reassign()
    assert contents(model) != before and reassign.history == []


def test_layers_that_overlap_in_memory_are_put_back():
    model = small()
    pool = torch.zeros(4)
    with torch.no_grad():
        pool.copy_(torch.tensor([0.0, -9.0, 1.0, 5.0]))
    # The output weights begin where the hidden biases end.
    model[0].bias = torch.nn.Parameter(pool[:2])
    model[2].weight = torch.nn.Parameter(pool[1:3].reshape(1, 2))
    before = contents(model)
    with pytest.raises(InputError, match="overlap in memory"):
        proof_of_absence.Reassignment(model, INPUTS, TARGETS)()
    assert contents(model) == before


def test_the_drop_is_a_fraction_also_where_nothing_is_done():
    done = proof_of_absence.Reassignment(small(), INPUTS, TARGETS, every=2)()
    assert done.drop == Fraction(0) and done.units == () and not done
