"""Random edits of what audits and hardenings of graphs leave, sealed and told again; what passes must say the same.

`make reliability` runs thousands. See forging.py, which does so for chains of dense layers.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import onnx
from onnx import numpy_helper

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from proof_of_absence.checker.audit.sources import Given  # noqa: E402
from proof_of_absence.checker.audit.tied import check_folder  # noqa: E402
from proof_of_absence.checker.graph.rebuilt import Called, activation_of, rebuilt  # noqa: E402
from proof_of_absence.checker.graph.report.report_json import report_text, to_json  # noqa: E402
from proof_of_absence.checker.graph.report.view import report_of  # noqa: E402
from proof_of_absence.checker.independent.refusal import Refused  # noqa: E402
from proof_of_absence.checker.independent.results.graph import read_subject  # noqa: E402
from proof_of_absence.checker.screen.answers import html_page  # noqa: E402
from tests.reliability.forged_folders import Example  # noqa: E402
from tests.reliability.forging import array_changed, bytes_changed, entry_changed, resealed  # noqa: E402
from tests.reliability.graph_folders import differs, made, stated  # noqa: E402

CERTIFICATE, REPORT, PAGE, LIST = "certificate.json", "report.json", "report.html", "hardening.json"
REPEATED = ("net", "data", "unpriced", "undecided", "not_asked")


def told_again(folder: Path, report: dict[str, Any]) -> None:
    """Write the report and the page as the program would, of the certificate and of what only the report says."""
    with suppress(Exception):
        certificate = json.loads((folder / CERTIFICATE).read_text())
        graph = read_subject(folder, certificate["files"]).graph
        nodes = [
            Called(k, graph.nodes[k - 1].name, activation_of(graph.nodes[k - 1].attributes), graph.shapes[k])
            for k in graph.activations
        ]
        audit = rebuilt(certificate, nodes, report)
        (folder / PAGE).write_text(html_page(report_of(audit)), encoding="utf-8")
        (folder / REPORT).write_text(report_text(to_json(audit)), encoding="utf-8")


def repeated(folder: Path, report: dict[str, Any]) -> None:
    """Seal a certificate that repeats what a changed report says of the net, the data, and what is open."""

    def repeat(content: dict[str, Any]) -> dict[str, Any]:
        content["about"] |= {part: report[part] for part in REPEATED if part in report}
        if isinstance(data := content["about"]["data"], dict):
            content["about"]["data"] = {k: v for k, v in data.items() if k not in ("loss", "noise_floor")}
        return content

    with suppress(LookupError, TypeError):
        resealed(folder, CERTIFICATE, repeat)


def weight_changed(path: Path, draw: random.Random) -> bytes:
    """The model with one number changed."""
    model = onnx.load(path)
    tensor = draw.choice(model.graph.initializer)
    array = numpy_helper.to_array(tensor).copy()
    where = tuple(draw.randrange(size) for size in array.shape)
    array[where] = draw.choice([0, array[where] + 1, -array[where], array[where] * 1.0000001])
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return model.SerializeToString()


def edited(example: Example, path: Path, draw: random.Random) -> str:
    """Make one edit of the file, or of it and all that goes with it; the sort of edit."""
    folder = example.folder
    sorts = ["bytes", "bytes", "left out", "another file"]
    sorts += {".json": ["entry"] * 6, ".npz": ["number"] * 4, ".onnx": ["weight"] * 3}.get(path.suffix, [])
    # A program that lies changes facts, and tells of them.
    sorts += ["told again"] * 8 * (path.name == REPORT) + ["lying program"] * 8 * (path.name == CERTIFICATE)
    sort = draw.choice(sorts)
    report = json.loads((folder / REPORT).read_text()) if (folder / REPORT).is_file() else {}
    match sort:
        case "bytes":
            path.write_bytes(bytes_changed(path.read_bytes(), draw))
        case "left out":
            path.unlink()
        case "another file":
            path.write_bytes(draw.choice(example.files).read_bytes())
        case "number":
            path.write_bytes(array_changed(path, draw))
        case "weight":
            path.write_bytes(weight_changed(path, draw))
        case _ if path.name == CERTIFICATE:
            resealed(folder, CERTIFICATE, lambda content: _changed(content, draw))
        case "told again":
            report = entry_changed(report, draw)
            repeated(folder, report)
        case _:
            content = _changed(json.loads(path.read_text()), draw)
            path.write_text(json.dumps(content, indent=1 if path.name == LIST else None, ensure_ascii=False) + "\n")
    if path.parent == folder and path.name not in (CERTIFICATE, REPORT, PAGE) and draw.randrange(2):
        with suppress(Exception):
            resealed(folder, CERTIFICATE, lambda content: content)
    if sort in ("told again", "lying program", "number") and report:
        told_again(folder, report)
    return sort


def _changed(content: Any, draw: random.Random) -> Any:
    """JSON with one or two entries changed; facts and what is taken out more often than digests."""
    for _ in range(draw.choice([1, 1, 1, 2])):
        part = draw.choice(["facts", "facts", "about", None, *("removed", "cuts", "left")])
        if part == "facts" and isinstance(content, dict) and content.get(part) and not draw.randrange(4):
            content[part].pop(draw.randrange(len(content[part])))
        elif isinstance(content, dict) and content.get(part):
            content[part] = entry_changed(content[part], draw)
        elif content:
            content = entry_changed(content, draw)
    return content


def case(examples: list[Example], seed: int) -> tuple[str, str, str]:
    """(file, sort of edit, what came of it) of one random case; the folder is then as it was."""
    draw = random.Random(seed)
    example = draw.choice(examples)
    before, old = {path: path.read_bytes() for path in example.files}, stated(example.folder)
    inside = [path for path in before if path.parent == example.folder]
    told = [path for path in inside if path.name in (CERTIFICATE, REPORT, LIST)]
    # What was given in Python has no file beside its folder.
    beside = [one for one in before if one not in inside] or inside
    path = draw.choice(draw.choice([inside, inside, told, told, beside]))
    try:
        sort = edited(example, path, draw)
        try:
            line = check_folder(example.folder, Given())
        except Refused as reason:
            one_line = "\n" not in str(reason) and str(reason).startswith("/")
            return path.name, sort, "refused" if one_line else f"WRONG refusal: {reason}"
        except Exception as error:
            return path.name, sort, f"WRONG {type(error).__name__}: {error}"
        return path.name, sort, f"accepted: {came(example, before, old, line)}"
    finally:
        for one in {*before, *example.files}:
            if one not in before:
                one.unlink()
            elif not one.is_file() or one.read_bytes() != before[one]:
                one.write_bytes(before[one])


def came(example: Example, before: dict[Path, bytes], old: dict[str, Any], line: str) -> str:
    """What an accepted folder is against the one before: a kind of what changes no statement, or STATES and what."""
    changed = [one for one in before if not one.is_file() or one.read_bytes() != before[one]]
    if not changed:
        return "unchanged"
    accepted, _, told = line.partition("Not looked at: ")
    beside = [one for one in changed if one.parent == example.root and one.name != "hard.onnx"]
    if taken := [one.name for one in beside if f"{one.name} (sha256" in accepted or one.name in accepted]:
        return f"STATES {taken[0]}"
    try:
        new = stated(example.folder)
    except (OSError, ValueError, LookupError, TypeError) as error:
        return f"STATES nothing: {error}"
    if "the new network, which is not beside" in told:
        old, new = ({name: value for name, value in one.items() if name != "the new net"} for one in (old, new))
    if (page := example.folder / PAGE) in changed and page.with_name(REPORT) not in changed:
        return "STATES another page"
    if part := differs(old, new, told):
        return f"STATES another {part}"
    if beside:
        return "a file beside the folder, not taken for the audited one"
    return "how the same is shown, or what is not looked at"


def wrong(told: str) -> bool:
    """Whether what came of a case is a fault of the checker."""
    return "WRONG" in told or "STATES" in told


def main() -> None:
    """Make so many edits, print what came of them; exit 1 if something was accepted that states more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counted: Counter[tuple[str, str]] = Counter()
    faults = 0
    with tempfile.TemporaryDirectory() as root:
        examples = made(Path(root))
        for seed in range(options.seed, options.seed + options.cases):
            name, sort, told = case(examples, seed)
            counted[name, told.split(": /")[0]] += 1
            if wrong(told):
                faults += 1
                print(f"{name}, seed {seed}, {sort}: {told}", flush=True)
    for (name, told), count in sorted(counted.items()):
        print(f"{count:6} {name}: {told}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
