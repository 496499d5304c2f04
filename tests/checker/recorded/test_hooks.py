"""What enters linear layers of torch models is recorded as it is; a run that was ended goes on from there."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from proof_of_absence import InputError, audit
from proof_of_absence.checker.independent.results.recorded import check_recorded
from tests.checker.console import contents

torch = pytest.importorskip("torch")
from proof_of_absence.checker.recorded import hooks  # noqa: E402

TRAIN = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
DEPLOY = torch.randn(10, 6, generator=torch.Generator().manual_seed(1)) * 3


class Net(torch.nn.Module):
    """A block of ReLU units, one of which is dead on small inputs, and a head."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Dropout(0.5))
        self.head = torch.nn.Linear(5, 2)
        self.unused = torch.nn.Linear(3, 3)
        self.calls = 0
        with torch.no_grad():
            self.body[0].weight[2], self.body[0].bias[2] = torch.eye(6)[0], -3.0

    def forward(self, x, scale=1.0):
        self.calls += 1
        return self.head(self.body(x) * scale)


def by_hand(net, x):
    """What enters the head."""
    return torch.relu(net.body[0](x)).detach().numpy()


def test_what_enters_a_layer_is_recorded_and_prices_come_as_arrays(tmp_path):
    net = Net().train()
    found = audit(net, TRAIN.split(7), layers=["head", "body.0"], deploy=[(x, None) for x in DEPLOY.split(4)],
                  test=[TRAIN[:5]],
                  output=tmp_path / "out")  # fmt: skip
    assert net.training and net.body.training and not net.head._forward_pre_hooks
    head, body = found.layers
    assert (head.name, head.rows, head.inputs, body.columns) == ("head", 40, 10, 6)
    entering, there = by_hand(net, TRAIN), by_hand(net, DEPLOY)
    assert [one.column for one in head.constant] == [j for j in range(5) if len(set(entering[:, j])) == 1]
    assert head.constant[0].moves == (there[:, head.constant[0].column] != 0).sum() > 0
    shapes = {name: {part: array.shape for part, array in prices.items()} for name, prices in found.prices.items()}
    own = {"deployment": (10, 2), "training": (40, 2), "test": (5, 2)}
    assert shapes == {"head": own, "body.0": own}
    phi, at = (np.column_stack([np.ones(len(x)), x]) for x in (TRAIN.double().numpy(), DEPLOY.double().numpy()))
    own = 1 / (40 * np.einsum("ij,jk,ik->i", at, np.linalg.inv(phi.T @ phi), at))
    low, high = found.prices["body.0"]["deployment"].T
    assert (low <= own * (1 + 1e-9)).all() and (own <= high * (1 + 1e-9)).all()
    assert (found.prices["body.0"]["test"] == found.prices["body.0"]["training"][:5]).all()
    assert len(check_recorded(tmp_path / "out" / "recorded.json")["layers"]) == 2


def test_shards_that_were_written_before_are_taken_and_others_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(hooks, "SHARD", 60)
    net = Net()
    first = audit(net, TRAIN.split(7), layers=["head"], output=tmp_path / "out").certificate
    assert net.calls == 6 and len(list((tmp_path / "out/shards").glob("*.safetensors"))) == 3
    assert audit(net, TRAIN.split(7), layers=["head"], output=tmp_path / "out").certificate == first
    assert net.calls == 6
    # A damaged shard, and all after it.
    damaged = sorted((tmp_path / "out/shards").glob("*.safetensors"))[1]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert audit(net, TRAIN.split(7), layers=["head"], output=tmp_path / "out").certificate == first
    assert net.calls == 10
    # Other inputs from the third batch on.
    changed = torch.cat([TRAIN[:20], TRAIN[20:] + 1])
    other = audit(net, changed.split(7), layers=["head"], output=tmp_path / "out").layers[0]
    assert net.calls == 14
    assert (other.train[0].sha256, len(other.train)) == (first["layers"][0]["train"][0]["sha256"], 3)
    # Another model records everything anew.
    with torch.no_grad():
        net.body[0].bias += 1
    audit(net, changed.split(7), layers=["head"], output=tmp_path / "out", force=True)
    assert net.calls == 20
    check_recorded(tmp_path / "out" / "recorded.json")


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"padding": "same", "dilation": 2},
                                     {"padding": (1, 2), "padding_mode": "reflect"}])  # fmt: skip
def test_a_convolution_is_linear_in_its_patches(tmp_path, options):
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(2, 3, (3, 2), **options).double()
    images = torch.randn(4, 2, 6, 5, dtype=torch.float64)
    (path,) = hooks.record(torch.nn.Sequential(layer), [images[:2], images[2:]], ["0"], tmp_path)["0"]
    from safetensors.torch import load_file

    rows = load_file(path)["X"]
    answers = rows @ layer.weight.reshape(3, -1).T + layer.bias
    torch.testing.assert_close(answers, layer(images).permute(0, 2, 3, 1).reshape(-1, 3))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_other_types_are_recorded_as_they_are(tmp_path, dtype):
    kind = getattr(torch, dtype)
    net = torch.nn.Sequential(torch.nn.Linear(6, 3)).to(kind)
    (layer,) = audit(net, [{"input": TRAIN.to(kind)}], layers=["0"], output=tmp_path / "a").layers
    assert layer.dtype == dtype and layer.rows == 40
    check_recorded(tmp_path / "a" / "recorded.json")


BAD = {
    "two layers have this name": {"layers": ["head", "head"]},
    "the model has no such layer; linear are body.0, head, unused": {"layers": ["tail"]},
    "is a ReLU, which is not linear": {"layers": ["body.1"]},
    "no layer is named": {"layers": []},
    "got no input: the model does not call this layer itself": {"layers": ["head", "unused"]},
    "there is no batch": {"layers": ["head"], "X": []},
    "gets NaN or infinity in the train batches": {"layers": ["head"], "X": [TRAIN, TRAIN * float("nan")]},
    "gets NaN or infinity in the deploy batches": {"layers": ["head"], "deploy": [DEPLOY * float("inf")]},
    "has no part in an audit of recorded activations": {"layers": ["head"], "loss": "squared"},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, message):
    given = {"X": [TRAIN], "output": tmp_path / "out"} | BAD[message]
    before = contents(tmp_path)
    with pytest.raises(InputError, match=re.escape(message)) as told:
        audit(Net(), **given)
    assert "\n" not in str(told.value) and contents(tmp_path) == before and not (tmp_path / "out").exists()


def test_a_grouped_convolution_is_refused():
    with pytest.raises(InputError, match="a Conv2d of 2 groups"):
        hooks.checked_layers(torch.nn.Sequential(torch.nn.Conv2d(2, 2, 1, groups=2)), ["0"])


KILLED = """
import sys, time, torch
from pathlib import Path
from proof_of_absence import audit
from proof_of_absence.checker.recorded import hooks
from tests.checker.recorded.test_hooks import TRAIN, Net
hooks.SHARD = 30
seen = 0
class Slow(Net):
    def forward(self, x):
        global seen
        seen += 1
        time.sleep(float(sys.argv[2]))
        return super().forward(x)
audit(Slow(), TRAIN.split(4), layers=["head"], output=sys.argv[1])
print(seen)
"""


def test_after_kill_9_the_run_goes_on_and_comes_to_the_same(tmp_path):
    root = Path(__file__).parents[3]

    def start(seconds):
        words = [sys.executable, "-c", KILLED, str(tmp_path / "out"), str(seconds)]
        return subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, text=True)

    running, end = start(0.2), time.monotonic() + 60
    while len(list(tmp_path.glob("out/shards/*.safetensors"))) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    running.kill()
    running.communicate()
    assert not (tmp_path / "out/recorded.json").exists()
    again = start(0)
    told, _ = again.communicate(timeout=60)
    assert again.returncode == 0 and 0 < int(told) < 10
    check_recorded(tmp_path / "out" / "recorded.json")
    whole = audit(Net(), TRAIN.split(4), layers=["head"]).certificate["layers"][0]["facts"]
    assert json.loads((tmp_path / "out" / "recorded.json").read_text())["layers"][0]["facts"] == whole
