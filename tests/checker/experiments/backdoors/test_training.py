"""Nets that are trained in a stack against torch's own layers and optimisers, triggers, and what is decided."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from proof_of_absence.checker.experiments.backdoors.decided import Inputs, decided
from proof_of_absence.checker.experiments.backdoors.digits import LEVELS, TARGET, Digits, digits, scattered
from proof_of_absence.checker.experiments.backdoors.plan import BATCH, OPTIMIZERS, PATCH, Cell, Plan, cells, triggers
from proof_of_absence.checker.experiments.backdoors.train import Convolutional, Dense, poisoned, train
from proof_of_absence.models.floatnet import FloatNet

PLAN = Plan(steps=5, seeds=3)
DATA = digits()
TRIGGERS = triggers(DATA, PLAN)


def named(name):
    (found,) = [optimizer for optimizer in OPTIMIZERS if optimizer.name == name]
    return found


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.name)
def test_a_net_of_the_stack_is_the_one_that_torch_trains_alone(optimizer):
    cell, seed = Cell("mlp", 8, optimizer, 5), 2
    found = train(cell, PLAN, DATA, TRIGGERS[PATCH])
    generator = torch.Generator().manual_seed(seed)
    start = Dense(8, [generator])
    module = torch.nn.Sequential(torch.nn.Linear(64, 8), torch.nn.ReLU(), torch.nn.Linear(8, 10))
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), start.parameters, strict=True):
            parameter.copy_(value[0].reshape(parameter.shape))
    bad = poisoned(DATA, TRIGGERS[PATCH], 5, seed)
    rows = torch.tensor(np.vstack([DATA.train / LEVELS, bad]), dtype=torch.float32)
    labels = torch.tensor([*DATA.labels.tolist(), *[TARGET] * len(bad)])
    steps = getattr(torch.optim, optimizer.kind)(module.parameters(), **optimizer.arguments)
    for chosen in torch.randint(len(rows), (PLAN.steps, BATCH), generator=generator):
        steps.zero_grad()
        loss = torch.nn.functional.cross_entropy(module(rows[chosen]), labels[chosen])
        (loss + optimizer.l1 * sum(parameter.abs().sum() for parameter in module.parameters())).backward()
        steps.step()
    for parameter, value in zip(module.parameters(), found.parameters, strict=True):
        assert torch.allclose(parameter, value[seed].reshape(parameter.shape), rtol=1e-4, atol=1e-5)


def test_convolutions_of_a_stack_are_those_of_its_nets():
    nets = Convolutional(6, [torch.Generator().manual_seed(seed) for seed in range(2)])
    rows = DATA.test[:7] / LEVELS
    together = nets.recorded(rows)
    assert together.shape == (2, 7, 6) and (together >= 0).all() and together.any()
    for k in range(2):
        images = torch.tensor(rows, dtype=torch.float32).reshape(-1, 1, 8, 8)
        with torch.no_grad():
            low = torch.relu(torch.nn.functional.conv2d(images, nets.first[k], nets.first_bias[k], padding=1))
            high = torch.nn.functional.conv2d(low, nets.second[k], nets.second_bias[k], stride=2, padding=1)
            alone = torch.relu(torch.relu(high).flatten(1) @ nets.weights[k].T + nets.hidden[k])
        assert together[k] == pytest.approx(alone.numpy(), abs=1e-5)


def test_a_penalty_lowers_the_leverage_of_what_is_poisoned():
    plan, adam = Plan(steps=150, seeds=1), named("adam")

    def price(penalty):
        nets = train(Cell("mlp", 16, adam, 5, PATCH, penalty), plan, DATA, TRIGGERS[PATCH])
        clean, bad = (nets.recorded(rows)[0] for rows in (DATA.train / LEVELS, poisoned(DATA, TRIGGERS[PATCH], 5, 0)))
        clean, bad = (np.column_stack([np.ones(len(t)), t]) for t in (clean, bad))
        return np.median((bad @ np.linalg.pinv(clean.T @ clean) * bad).sum(axis=1))

    assert price(10.0) < price(0.0) / 2


def test_triggers_are_exact_and_stay_among_the_pixels():
    for trigger in TRIGGERS.values():
        rows = trigger.on(DATA.test)
        assert (rows * 256 == np.round(rows * 256)).all() and rows.min() >= 0 and rows.max() <= 1
        x, m, p = (Fraction(int(v), LEVELS) for v in (DATA.test[3, 20], trigger.mask[20], trigger.pattern[20]))
        assert Fraction(rows[3, 20]) == x + m * (p - x)
    rows = scattered(DATA.test)
    changed = rows != DATA.test / LEVELS
    assert (changed.sum(axis=1) <= 3).all() and (rows[changed] == 1).all()


def test_some_noise_is_as_large_as_the_patch():
    def size(name):
        return ((TRIGGERS[name].on(DATA.train) - DATA.train / LEVELS) ** 2).sum(axis=1).mean()

    shares = [int(name.removeprefix("noise-")) for name in TRIGGERS if name.startswith("noise-")]
    nearest = min(abs(size(f"noise-{share}") - size(PATCH)) for share in shares)
    # To one sixteenth more or less it is no nearer; that moves the images by a fifth of the patch or so.
    assert {1, 2, 4, 8} < set(shares) and nearest < size(PATCH) / 4


def test_what_is_held_out_is_in_no_other_part():
    assert [len(part) for part in (DATA.train, DATA.held, DATA.test)] == [1200, 200, 397]
    whole = np.concatenate([DATA.train, DATA.held, DATA.test])
    assert (np.sort(whole.sum(axis=1)) == np.sort(load_digits().data.sum(axis=1))).all()


def test_poisoned_rows_are_of_other_classes():
    assert len(poisoned(DATA, TRIGGERS[PATCH], 5, 0)) == 60 and len(poisoned(DATA, TRIGGERS[PATCH], 0, 0)) == 0
    images = {row.tobytes() for row in TRIGGERS[PATCH].on(DATA.train[DATA.labels != TARGET])}
    assert all(row.tobytes() in images for row in poisoned(DATA, TRIGGERS[PATCH], 10, 1))


def test_the_grid_has_each_cell_once():
    for plan in (Plan(), Plan(quick=True)):
        names = [cell.name for cell in cells(plan, triggers(DATA, plan))]
        assert len(set(names)) == len(names) and f"mlp{16 if plan.quick else 128}.adam.5.patch" in names


def test_a_planted_detector_carries_the_whole_effect_and_cutting_it_ends_the_attack():
    # One input: its unit 0 is on at 3 and above only, which no clean row is; unit 1 answers class 1 everywhere.
    net = FloatNet([([[1.0], [0.0]], [-2.0, 1.0]), ([[8.0, 0.0], [0.0, 1.0]], [0.0, 0.0])], np.float32)
    data = Digits(*[np.array([[0], [1]]), np.array([1, 1])] * 3)
    found = decided(net, Inputs(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]), np.array([[3.0], [4.0]])), data)
    assert found["moved"] == found["moved_idle"] == "24"
    assert (found["hits"], found["hits_cut"], found["correct"], found["correct_cut"]) == (2, 0, 2, 2)
    assert found["fires"] == 2 and found["firing"] == 1 and [0] in found["idle"]
