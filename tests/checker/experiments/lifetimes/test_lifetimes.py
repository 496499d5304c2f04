"""`absence lifetimes` from end to end: interrupted, killed, gone on with;
what its result says, and results that must be refused.
"""

import copy
import hashlib
import json
import shutil
import signal

import numpy as np
import pytest
from hypothesis import given

from proof_of_absence.checker.experiments.lifetimes.plan import DETECTORS, OPTIMIZERS, Plan, Run, runs
from proof_of_absence.checker.experiments.lifetimes.train import sighting, train
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.lifetimes import check_lifetimes
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.circuit import Unit, hardcode, idle_value, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.net import shallow
from proof_of_absence.models.policies import WORLD
from tests.checker.audit.problems import problems
from tests.checker.console import absence, stopped

PLAN = Plan(steps=12, seeds=1, every=6)
ARGUMENTS = ("lifetimes", "--steps", 12, "--seeds", 1, "--every", 6, "--jobs", 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a result, made in three goes."""
    folder = tmp_path_factory.mktemp("lifetimes") / "out"
    for how in (signal.SIGINT, signal.SIGKILL):
        stopped(*ARGUMENTS, "--output", folder, cwd=folder.parent, how=how, parts="out/runs/*/*.json")
    assert not (folder / "result.json").exists()
    early = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*.json")}
    assert early and len(early) < len(list(runs(PLAN)))
    # A file that was cut off is no run.
    cut = min(early)
    cut.write_bytes(cut.read_bytes()[:100])
    out = absence(*ARGUMENTS, "--output", folder, cwd=folder.parent)
    assert "dead in training" in out and "6 plots" in out
    assert all(path.stat().st_mtime_ns == at for path, at in early.items() if path != cut)
    return folder


def file_of(folder, name):
    """The file of a run, in the folder of its settings."""
    (path,) = folder.glob(f"runs/*/{name}.json")
    return path


def test_the_result_is_whole_and_accepted(made):
    assert "of 37 runs" in absence("check", made, cwd=made)
    result = check_lifetimes(made / "result.json")
    assert [made / e["file"] for e in result["runs"]] == [file_of(made, run.name) for run in runs(PLAN)]
    for name in ("lives", "losses", "sizes"):
        assert (made / f"{name}.svg").read_bytes().startswith(b"<?xml") and (made / f"{name}.pdf").exists()


def test_an_interrupted_experiment_has_the_runs_of_an_uninterrupted_one(made):
    wanted = list(runs(PLAN))
    for run in (wanted[0], wanted[1], wanted[-1]):
        record = json.loads(file_of(made, run.name).read_text())
        again = json.loads(json.dumps(train(run, PLAN, WORLD.dataset())))
        assert {key: value for key, value in record.items() if key not in ("key", "digest")} == again


def test_a_dead_detector_stays_as_it_is_until_it_is_reassigned(made):
    entries = json.loads((made / "result.json").read_text())["runs"]
    dead = {(e["optimizer"], e["reassigned"]): e for e in entries if e["detector"] == "dead"}
    for name in ("sgd", "momentum", "adam"):
        assert dead[name, False]["end"] == "alive" and dead[name, False]["untouched"]
    for name in ("sgd-l2", "adamw"):
        assert dead[name, False]["end"] == "alive" and not dead[name, False]["untouched"]
    for optimizer in OPTIMIZERS[:4]:
        assert dead[optimizer.name, True]["end"] == "reassigned" and dead[optimizer.name, True]["gone"] == 6
    bumps = [e for e in entries if e["detector"] == "bump"]
    assert bumps and all((e["gone"], e["end"]) == (1, "acts in training") for e in bumps)


def test_weight_decay_shrinks_a_dead_detector_at_the_rate_of_c18(made):
    for optimizer in OPTIMIZERS:
        if optimizer.decay in (None, 1):
            continue
        run = Run(DETECTORS[0], optimizer, False, 0)
        first, *_, last = json.loads(file_of(made, run.name).read_text())["measured"]
        assert last["size"] == pytest.approx(first["size"] * float(optimizer.decay) ** 24, rel=1e-5)


def test_what_is_planted():
    data = WORLD.dataset()
    dead, bump, entangled = DETECTORS
    inputs = np.array([[float(v) for v in z] for z in data.inputs])
    for detector in DETECTORS:
        net = shallow([([*w], b, [a]) for w, b, a in detector.units], [0])
        floats = FloatNet(
            [([list(map(float, row)) for row in x.weights], list(map(float, x.bias))) for x in net.layers]
        )
        everything = range(len(detector.units))
        deploy = np.array([[float(v) for v in z] for z in detector.deploy])
        seen = sighting(floats, everything, inputs, deploy)
        assert seen.alive(detector.exceptions) and seen.others == detector.exceptions and seen.size >= 1
        alone = [is_idle(net, {Unit(1, j)}, data.inputs) for j in everything]
        assert all(alone) if detector is dead else not any(alone)
    assert entangled.exceptions / len(data) < 0.01 and len(bump.units) == 3


def test_before_the_first_step_the_callback_sees_the_jointly_idle_bump():
    import torch

    from proof_of_absence import Reassignment
    from proof_of_absence.checker.experiments.lifetimes.train import _planted

    data = WORLD.dataset()
    torch.manual_seed(0)
    module = _planted(Run(DETECTORS[1], OPTIMIZERS[0], True, 0), 6)
    X, Y = ([[float(v) for v in row] for row in rows] for rows in (data.inputs, data.targets))
    done = Reassignment(module, X, Y)()
    assert tuple(Unit(1, j) for j in DETECTORS[1].circuit) in done.units and done.drop > 0


@given(problem=problems())
def test_a_sighting_against_fractions(problem):
    net, data = problem.net.exact(), Dataset(problem.inputs.tolist(), problem.targets.tolist())
    if net.widths[-1] > 1:
        return
    net = FloatNet(problem.net.layers)
    circuit = {Unit(1, 0), Unit(1, net.widths[1] - 1)}
    deploy = problem.inputs + 1.5
    seen = sighting(net, sorted(unit.index for unit in circuit), problem.inputs, deploy)
    exact = net.exact()
    nothing = hardcode(exact, circuit, {Unit(2, 0): 0})
    sent = [[(a - b) for (a,), (b,) in zip(exact.outputs(z), nothing.outputs(z), strict=True)]
            for z in (data.inputs, deploy.tolist())]  # fmt: skip
    assert seen.others == len(data) - sent[0].count(seen.value)
    assert all(sent[0].count(v) <= sent[0].count(seen.value) for v in sent[0])
    assert (seen.spread, seen.size) == tuple(max(abs(v - seen.value) for v in column) for column in sent)
    constant = idle_value(exact, circuit, data.inputs)
    assert (constant == {Unit(2, 0): seen.value}) if seen.others == 0 else constant is None


def altered(made, folder, edit, name="dead.sgd.reassigned.0", reseal=True):
    """A copy of the result in which `edit(result, run)` changed something.

    Sealed again, so that only the content is wrong.
    """
    shutil.copytree(made, folder)
    result = json.loads((folder / "result.json").read_text())
    path = file_of(folder, name)
    run = json.loads(path.read_text())
    (entry,) = [e for e in result["runs"] if folder / e["file"] == path]
    edit(result, run, entry)
    if reseal:
        path.write_text(json.dumps(seal(run)))
        entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        result = seal(result)
    (folder / "result.json").write_text(json.dumps(result))
    return folder / "result.json"


def both(key, value):
    """Change what the run and the result say alike."""

    def edit(result, run, entry):
        run[key] = entry[key] = value(run[key])

    return edit


def in_run(change):
    return lambda result, run, entry: change(run)


def weight(run, text):
    run["splices"][0]["before"][0]["weights"][0][0] = text


TAMPERED = {
    "final loss": (both("final_loss", lambda v: v + "1"), "the final loss: stated .*, recomputed"),
    "alive": (both("gone", lambda v: None), "other nets are kept|out of order"),
    "earlier": (both("gone", lambda v: 3), "other nets are kept"),
    "end": (
        both("end", lambda v: "silent at deployment"),
        "how its life ended: stated 'silent at deployment', recomputed",
    ),
    "others": (both("others", lambda v: 1), "the rows on which it acts: stated 1, recomputed"),
    "untouched": (both("untouched", lambda v: not v), "planted ones is told wrongly"),
    "one side": (lambda result, run, entry: entry.update(gone=3), "gone, as the result has it: stated 3, recomputed"),
    "planted": (
        in_run(lambda r: r["nets"]["0"][0]["bias"].__setitem__(6, "-0x1.0p+3")),
        "what is measured at step 0, .*: stated .*, recomputed",
    ),
    "size": (
        in_run(lambda r: r["measured"][0].update(size=9.0)),
        "what is measured at step 0, size: stated 9.0, recomputed",
    ),
    "drop": (
        in_run(lambda r: r["splices"][0].update(drop="1")),
        "the drop of the splice at step .*: stated 1, recomputed",
    ),
    "no drop": (in_run(lambda r: r["splices"][0].update(drop="0")), "does not lower the loss"),
    "worse": (
        in_run(lambda r: r["splices"][0].update(after=r["splices"][0]["before"])),
        "the drop of the splice at step .*: stated .*, recomputed 0",
    ),
    "circuit": (in_run(lambda r: r["splices"][0].update(circuits=[[5, 6]])), "not idle|changes other units"),
    "too few": (
        in_run(lambda r: r["splices"][0].update(circuits=r["splices"][0]["circuits"][:1])),
        "changes other units",
    ),
    "when": (in_run(lambda r: r["splices"][0].update(step=7)), "at which none was due"),
    "hidden": (in_run(lambda r: r.update(splices=[])), "how its life ended: stated .*, recomputed"),
    "sum": (lambda result, run, entry: entry.update(drop="1"), "the sum of the drops: stated .*, recomputed"),
    "type": (in_run(lambda r: weight(r, "0x1.fffffffffffffp+0")), "is no float32"),
    "double": (in_run(lambda r: weight(r, "0x1.0p-150")), "is no float32"),
    "large": (in_run(lambda r: weight(r, "0x1.0p+128")), "malformed: OverflowError"),
    "infinite": (in_run(lambda r: weight(r, "inf")), "a weight is not finite"),
    "number": (in_run(lambda r: weight(r, 1)), "a weight is missing"),
    "floor": (lambda result, run, entry: result.update(noise_floor="0"), "the noise floor: stated 0, recomputed"),
    "summary": (
        lambda result, run, entry: result["summary"][0].update(idle=0),
        "the summary, entry 0, idle: stated 0, recomputed",
    ),
    "twice": (lambda result, run, entry: result["runs"].append(copy.deepcopy(result["runs"][0])), "listed twice"),
    "place": (lambda result, run, entry: result["runs"][0].update(file="../x.json"), "lies elsewhere"),
    "seeds": (lambda result, run, entry: result["parameters"].update(seeds=2), "a run is left out"),
    "seed": (both("seed", lambda v: 1), "a seed is none of the plan's"),
    "another net": (in_run(lambda r: r["nets"].update({"00": r["nets"]["0"]})), "other nets are kept"),
    "measured twice": (in_run(lambda r: r["measured"].insert(0, r["measured"][0] | {"size": 9.0})), "measured twice"),
    "no step": (both("alive", lambda v: True), "a step is no number"),
    "late": (in_run(lambda r: r["splices"][0].update(step=18)), "at which none was due"),
    "early": (in_run(lambda r: r["splices"][0].update(step=0)), "at which none was due"),
    "no unit": (in_run(lambda r: r["splices"][0].update(circuits=[])), "reassigns no unit"),
    "none": (lambda result, run, entry: result.update(runs=[]), "no run at all"),
    "training": (
        lambda result, run, entry: result["detectors"]["dead"]["deploy"].append(result["data"]["inputs"][0]),
        "a deployment input is a training input",
    ),
    "beyond": (
        lambda result, run, entry: result["detectors"]["dead"]["deploy"][0].__setitem__(0, str(2**53 + 1)),
        "is beyond 2\\^53",
    ),
    "wide": (in_run(lambda r: [row.append("0x0.0p+0") for row in r["nets"]["0"][0]["weights"]]), "wrong dimension"),
    "outputs": (in_run(lambda r: [v.append(v[0]) for v in r["nets"]["0"][1].values()]), "another number of outputs"),
    "stranger": (
        lambda result, run, entry: result["detectors"]["dead"]["circuit"].append(10**6),
        "no such unit",
    ),
    "tolerant": (lambda result, run, entry: result["detectors"]["dead"].update(exceptions=200), "too many exceptions"),
    "malformed": (in_run(lambda r: r.pop("nets")), "malformed: KeyError"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_is_not_so_is_refused(made, tmp_path, case):
    edit, message = TAMPERED[case]
    path = altered(made, tmp_path / "copy", edit)
    with pytest.raises(Refused, match=message):
        check_lifetimes(path)


def test_files_that_were_changed_are_refused(made, tmp_path):
    path = altered(made, tmp_path / "a", lambda result, run, entry: result.update(noise_floor="0"), reseal=False)
    assert "REFUSED" in absence("check", path.parent, cwd=tmp_path, expect=1)
    with pytest.raises(Refused, match=r"the digest of result\.json does not fit"):
        check_lifetimes(path)
    path = altered(made, tmp_path / "b", lambda result, run, entry: None)
    file = file_of(tmp_path / "b", "dead.sgd.plain.0")
    file.unlink()
    with pytest.raises(Refused, match=r"dead\.sgd\.plain\.0\.json: No such file"):
        check_lifetimes(path)
    shutil.copy(file_of(made, "dead.adam.plain.0"), file)
    with pytest.raises(Refused, match="is not the file that the result was made from"):
        check_lifetimes(path)


def test_bad_input_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    out = absence("lifetimes", "--output", "file", cwd=tmp_path, expect=2)
    assert out == "absence: file is not a folder; name another with --output\n"
