"""Commands that replace what an earlier run left: each writes an old one, then a new one, below a folder.

What is not written to the disk is made before, or made small: the writing is tried, again and again.
"""

import json
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import typer
from onnx import numpy_helper

import proof_of_absence
from proof_of_absence.checker import cli
from proof_of_absence.checker.audit import entry
from proof_of_absence.checker.audit.engine import examine
from proof_of_absence.checker.audit.folder import write_folder
from proof_of_absence.checker.audit.harden_command import harden_command
from proof_of_absence.checker.experiments.census import pictures as census_pictures
from proof_of_absence.checker.experiments.census.command import census_command
from proof_of_absence.checker.experiments.lifetimes import command as lifetimes_commands
from proof_of_absence.checker.experiments.lifetimes import experiment
from proof_of_absence.checker.experiments.lifetimes import pictures as lifetimes_pictures
from proof_of_absence.checker.experiments.scale import command
from proof_of_absence.checker.experiments.world import command as world_commands
from proof_of_absence.checker.experiments.world import pictures as world_pictures
from proof_of_absence.checker.experiments.world.sweep import Sweep, run
from proof_of_absence.checker.graph.certify import Audited
from proof_of_absence.checker.graph.engine import examine as examine_graph
from proof_of_absence.checker.graph.folder import write_folder as write_graph_folder
from proof_of_absence.checker.kernel.kept import keep
from proof_of_absence.checker.report.site import folder as pages_of
from proof_of_absence.checker.screen.terminal import console, errors
from proof_of_absence.models.files import onnx, read_network
from proof_of_absence.models.files.whole import Owner
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.objective import objective
from proof_of_absence.models.scaling import HOFFMANN, RESOLUTION
from tests.reliability.graph_folders import network

NOTES = {"notes.txt": "mine", "stages/1.json": "kept"}
X, Y = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [1.5], [1.0]])
NET = FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 5.0]], [0.0])], np.float32)


def audit(folder: Path) -> Callable[[Path, bool], object]:
    """An audit of one net, with the improved net beside the folder; the new one knows of deployment."""
    found = [
        examine(NET, X, objective(1, Y, None, None), deploy=rows, deadline=None, written=True)
        for rows in (None, X + 20)
    ]  # fmt: skip
    return lambda folder, new: write_folder(folder / "out", found[new], improved=folder / "better.onnx", force=True)


def harden(folder: Path) -> Callable[[Path, bool], object]:
    """Two nets, hardened and made smaller under one name."""
    data, nets = folder / "train.npz", [folder / "one.onnx", folder / "other.onnx"]
    np.savez(data, X=X)
    for path, weight in zip(nets, (1.0, 3.0), strict=True):
        layers = [([[1.0], [1.0], [2.0]], [0.0, -9.0, 0.0]), ([[weight, 5.0, 0.0]], [0.0])]
        onnx.write(path, FloatNet(layers, np.float32))
    return lambda folder, new: ended(harden_command, nets[new], data, folder / "out.onnx", compress=True, force=True)


def site(folder: Path) -> Callable[[Path, bool], object]:
    """A small site."""
    pages = [{"index.html": b"old", "a/b.css": b"old"}, {"index.html": b"new", "c.css": b"new"}]
    return lambda folder, new: pages_of.write(folder / "out", pages[new])


def scale(folder: Path) -> Callable[[Path, bool], object]:
    """Two results, which are computed before."""
    made = {k: command.experiment([HOFFMANN], 10**9, 10**10, k, RESOLUTION) for k in (10**5, 10**6)}
    command.experiment = lambda laws, parameters, tokens, detector, spread, watch: made[detector]
    command._picture = lambda *_: Plain()
    words = {"parameters": "1e9", "tokens": "1e10", "law": ["hoffmann"], "force": True}
    return lambda folder, new: ended(
        command.scale_command, detector="1e6" if new else "1e5", output=folder / "out", **words
    )


def tables(folder: Path) -> Callable[[Path, bool], object]:
    """The tables of no claims, with what experiments found."""
    cli.load_claims = tuple
    told = ["old", "new"]

    def write(folder: Path, new: bool) -> None:
        cli.results.latex = lambda *_, **__: told[new]
        ended(cli.tables_command, output=folder / "out", certificates=folder / "none", measured=folder / "no")

    return write


class Plain:
    """A plot that is not drawn, which would take most of the time."""

    def savefig(self, stream, **_):
        stream.write(b"a plot")


def world(folder: Path) -> Callable[[Path, bool], object]:
    """Two sweeps, which are made before."""
    options = [{"order": (0, 5), "mixing": (rate,), "scheduled": 6, "trigger": 3, "units": 1} for rate in (0, 1)]
    made = {json.dumps(str(sweep.mixing)): run(sweep) for sweep in (Sweep(**words) for words in options)}
    world_commands._result = lambda sweep: made[json.dumps(str(sweep.mixing))]
    world_commands._show = lambda *_: None
    world_pictures.draw = drawn
    words = {"order": "0,5", "scheduled": 6, "trigger": 3, "units": 1, "force": True}
    return lambda folder, new: ended(
        world_commands.world_command, mixing="1" if new else "0", output=folder / "out", **words
    )


def census(folder: Path) -> Callable[[Path, bool], object]:
    """Two classes, each counted in one shard."""
    census_pictures.draw = drawn
    return lambda folder, new: ended(
        census_command, grid="0,2" if new else "0,1", hidden=1, output=folder / "out", device="numpy", force=True
    )


def lifetimes(folder: Path) -> Callable[[Path, bool], object]:
    """One run of each of two plans, in this process and without training: it is made again each time."""
    (first, *_) = experiment.runs(experiment.Plan(seeds=1))
    experiment.runs = lambda plan: [first]
    experiment.ProcessPoolExecutor = Here
    told = dict(zip(experiment.OF, first.of, strict=True)) | {"splices": []}
    told |= dict.fromkeys(experiment.FOUND, 0) | {"end": "alive", "final_loss": "0"}
    experiment._run = lambda file, key, plan, run: keep(file, key, told | {"steps": plan.steps})
    lifetimes_pictures.draw = lambda folder, *_: drawn(None, folder)
    return lambda folder, new: ended(
        lifetimes_commands.lifetimes_command, output=folder / "out", steps=2 if new else 1, seeds=1, every=1, jobs=1,
        force=True,
    )  # fmt: skip


def audit_in_python(folder: Path) -> Callable[[Path, bool], object]:
    """Two audits of one net by the function; they are made before, for they tell of times."""
    found = [
        examine(NET, X, objective(1, Y, None, None), deploy=rows, deadline=None, written=True)
        for rows in (None, X + 20)
    ]
    entry.examine = lambda *_, deploy, **__: found[deploy is not None]
    return lambda folder, new: proof_of_absence.audit(
        NET, X, Y, deploy=X + 20 if new else None, output=folder / "out", force=True
    )


def harden_in_python(folder: Path) -> Callable[[Path, bool], object]:
    """The proof of a hardening by the function; the new one knows of deployment."""
    return lambda folder, new: proof_of_absence.harden(
        NET, X, X + 20 if new else None, output=folder / "out", force=True
    )


def graph(folder: Path) -> Callable[[Path, bool], object]:
    """A picture of no claims."""
    cli.load_claims = tuple
    told = ["old", "new"]

    def write(folder: Path, new: bool) -> None:
        cli.draw.claims = lambda *_: told[new]
        folder.mkdir(exist_ok=True)
        ended(cli.graph, "claims", output=folder / "claims.svg", certificates=folder / "none", force=False)

    return write


def audit_of_a_graph(folder: Path) -> Callable[[Path, bool], object]:
    """An audit of a convolutional net; the new one knows of deployment."""
    path, rows, deploy = folder / "net.onnx", np.arange(15.0).reshape(3, 5), np.full((1, 5), 20.0)
    path.write_bytes(network().SerializeToString())
    net = read_network(path)
    assert isinstance(net, Graph)
    made = []
    for known in (None, deploy):
        found = examine_graph(net, rows, objective(2, rows[:, :2], None, None), deploy=known)
        made.append(Audited(found, net, rows, rows[:, :2], known))
    owner = Owner("audit", "net")
    return lambda folder, new: write_graph_folder(folder / "out", made[new], owner, force=True)


def harden_of_a_graph(folder: Path) -> Callable[[Path, bool], object]:
    """Two convolutional nets, hardened under one name."""
    data, nets = folder / "train.npz", [folder / "one.onnx", folder / "other.onnx"]
    np.savez(data, X=np.arange(10.0).reshape(2, 1, 1, 5) % 8)
    for path, weight in zip(nets, (1, 3), strict=True):
        made = network()
        (tensor,) = (one for one in made.graph.initializer if one.name == "u")
        tensor.CopyFrom(numpy_helper.from_array(weight * numpy_helper.to_array(tensor), "u"))
        path.write_bytes(made.SerializeToString())
    return lambda folder, new: ended(harden_command, nets[new], data, folder / "out.onnx", force=True)


def drawn(_: object, folder: Path, *more: Path) -> list[Path]:
    """A plot that is not drawn."""
    path = (more[0] if more else folder) / "plot.svg"
    path.write_bytes(b"a plot")
    return [path]


class Here(Executor):
    """Does at once what it is given."""

    def __init__(self, *_, **__):
        pass

    def submit(self, work, *words):
        done: Future = Future()
        try:
            done.set_result(work(*words))
        except Exception as error:
            done.set_exception(error)
        return done


def ended(work: Callable[..., object], *words, **options) -> None:
    """Run a command; an exception if it does not end well, or as a command does that found something."""
    with console.capture(), errors.capture():
        try:
            work(*words, **options)
        except typer.Exit as end:
            if end.exit_code > 1:
                raise


# Each gives a function that writes its targets below a folder; and the targets, in their order.
SCENARIOS = {
    "audit": (audit, ("better.onnx", "out")),
    "harden": (harden, ("out.onnx.proof", "out.onnx.compression", "out.onnx")),
    "site": (site, ("out",)),
    "scale": (scale, ("out",)),
    "tables": (tables, ("out",)),
    "graph": (graph, ("claims.svg",)),
    "world": (world, ("out",)),
    "census": (census, ("out",)),
    "lifetimes": (lifetimes, ("out",)),
    "audit in Python": (audit_in_python, ("out",)),
    "harden in Python": (harden_in_python, ("out",)),
    "audit of a graph": (audit_of_a_graph, ("out",)),
    "harden of a graph": (harden_of_a_graph, ("out.onnx.proof", "out.onnx")),
}
# What they change in our modules, so that a test can take it back.
PATCHED = (
    (entry, ("examine",)),
    (command, ("experiment", "_picture")), (cli, ("load_claims",)), (cli.results, ("latex",)), (cli.draw, ("claims",)),
    (world_commands, ("_result", "_show")), (world_pictures, ("draw",)), (census_pictures, ("draw",)),
    (experiment, ("runs", "ProcessPoolExecutor", "_run")), (lifetimes_pictures, ("draw",)),
)  # fmt: skip
