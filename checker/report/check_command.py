"""The command `absence check`: what the checkers say of certificates, and of the folders of audits and experiments.

Whatever is accepted is put to the proved checker too; where the two disagree the exit code says so.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from proof_of_absence.checker.independent.check import load
from proof_of_absence.checker.independent.folder import check_whole, whole_in
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.recheck import refusals
from proof_of_absence.checker.kernel.verify import certificate_path, certificate_paths
from proof_of_absence.checker.proved import kernel_facts, trust
from proof_of_absence.checker.proved.opinion import Opinion, asked, asking, audit_summary, summary
from proof_of_absence.checker.screen.terminal import CERTIFICATES, bad_input, ending, progress, say

__all__ = ["DISAGREE", "check_command"]

# By these files a folder of an audit or a hardening is known.
RECORDED = "recorded.json"
AUDIT = "certificate.json"
FOLDERS = (AUDIT, "report.json", "hardening.json", "compression.json")
# The exit code where the two checkers disagree.
DISAGREE = 3


def check_command(
    path: Annotated[
        Path, typer.Argument(help="A certificate, or a folder of them; or the folder of an audit or an experiment.")
    ] = CERTIFICATES,
    jobs: Annotated[int, typer.Option(min=1, help="Certificates checked at a time.")] = os.cpu_count() or 1,
    net: Annotated[
        Path | None,
        typer.Option(
            help="Of an audit or a hardening: the net it was about, if it is not beside the folder.",
            show_default=False,
        ),
    ] = None,
    train: Annotated[
        Path | None, typer.Option(help="Of an audit: its training data, likewise.", show_default=False)
    ] = None,
    deploy: Annotated[Path | None, typer.Option(help="Of an audit: its deployment inputs.", show_default=False)] = None,
    test: Annotated[Path | None, typer.Option(help="Of an audit: its test inputs.", show_default=False)] = None,
    kernel: Annotated[
        bool, typer.Option("--kernel", help="Of claims: what the proved checker accepts, Coq's kernel computes again.")
    ] = False,
) -> None:
    """Re-check certificates by the independent checker; unsat answers are put to both solvers again.

    In the folder of an audit or a hardening all files must agree; one line says what was accepted, and what was not
    looked at. The proved checker is asked too, where Coq and OCaml are installed; of an audit it decides what dense
    networks do on the rows, for a minute at most, by a program that was made before. With --kernel the facts that it
    accepts become theorems of Coq, which takes minutes.
    Exit codes: 0 accepted, 1 something is refused, 2 bad input, 3 the two checkers disagree.
    """
    if not path.exists():
        remedy = "run `absence verify` first" if path == CERTIFICATES else "name a certificate, or a folder of results"
        raise bad_input(f"{path} does not exist; {remedy}")
    of_audit = path.is_dir() and any((path / name).is_file() for name in (*FOLDERS, RECORDED))
    if kernel and (of_audit or whole_in(path)):
        raise bad_input(f"{path}: --kernel is for certificates of claims; name one, or a folder of them")
    if path.is_dir() and any((path / name).is_file() for name in FOLDERS):
        _check_folder(path, net, train, deploy, test)
        return
    if net or train or deploy or test:
        raise bad_input(f"{path}: is no folder of an audit, so --net, --train, --deploy and --test have no part in it")
    if path.is_dir() and (path / RECORDED).is_file():
        _check_recorded(path)
        return
    if whole := whole_in(path):
        _check_whole(whole)
        return
    paths = certificate_paths(path) if path.is_dir() else [path]
    if not paths:
        raise bad_input(f"{path} holds no certificate; run `absence verify` first")
    obligations = {o.id: o for claim in load_claims() for o in claim.obligations}
    with ending(path, "no file was changed."), progress() as bar, closing(refusals(paths, jobs)) as answers:
        told = bar.track(answers, total=len(paths), description="checking")
        refused = {file: reason for file, reason in told if reason}
    missing = sorted(set(obligations) - {file.stem for file in paths}) if path.is_dir() else []
    for file, reason in sorted(refused.items()):
        say(f"REFUSED {file}: {reason}")
    for name in missing:
        say(f"MISSING {certificate_path(path, name)}")
    say(
        f"{len(paths) - len(refused)} of {len(paths)} certificates accepted"
        + (f", {len(missing)} missing" if missing else "")
    )
    asked_too = path.is_dir() or kernel
    agreed = not asked_too or _second_opinion([file for file in paths if file not in refused], kernel)
    raise typer.Exit(DISAGREE if not agreed else 1 if refused or missing else 0)


def _second_opinion(accepted: list[Path], kernel: bool) -> bool:
    """Whether the proved checkers refuse nothing of what was accepted; what they say is told, and what is trusted.

    With `kernel`, Coq's kernel is asked about what they accept.
    """
    found, missing = asked(accepted)
    disputed = _disputed(found)
    say(f"The proved checker was not asked: {missing}" if missing else summary(found.values()))
    if kernel and found:
        found, otherwise = _by_kernel(found)
        disputed |= otherwise
    by_name = {path.stem: opinion for path, opinion in found.items()}
    say(trust.counted(trust.table({path.stem: load(path) for path in accepted}, by_name)))
    return not disputed


def _by_kernel(found: dict[Path, Opinion]) -> tuple[dict[Path, Opinion], bool]:
    """The opinions, with what Coq's kernel decides marked; and whether it computes something otherwise."""
    with progress() as bar:
        bar.add_task("Coq computes it again", total=None)
        told = kernel_facts.told([file for file, opinion in found.items() if not opinion.malformed])
        answer = kernel_facts.decided(fact for facts in told.values() for fact in facts)
    disputed = False
    for file, facts in sorted(told.items()):
        if kinds := answer.disputes(facts):
            say(f"DISAGREE {file}: Coq's kernel refuses {', '.join(kinds)}, the others accept it; please report this")
            disputed = True
    say(kernel_facts.summary(answer, told))
    return found | {file: answer.opinion(found[file], facts) for file, facts in told.items()}, disputed


def _disputed(found: Mapping[Path, Opinion]) -> bool:
    """Whether the proved checkers refuse something that was accepted; each certificate with such is told."""
    disputed = {file: opinion for file, opinion in found.items() if opinion.refused or opinion.malformed}
    for file, opinion in sorted(disputed.items()):
        what = opinion.malformed or f"refuses {', '.join(opinion.refused)}"
        say(f"DISAGREE {file}: the proved checker {what}, the other accepts it; please report this")
    return bool(disputed)


def _check_folder(folder: Path, net: Path | None, train: Path | None, deploy: Path | None, test: Path | None) -> None:
    # The libraries behind it take a second to load.
    from proof_of_absence.checker.audit.sources import Given
    from proof_of_absence.checker.audit.tied import check_folder

    with ending(folder, "no file was changed."), _second_opinion_of_audit(folder / AUDIT):
        try:
            found = check_folder(folder, Given(net, train, deploy, test))
        except Refused as reason:
            say(f"REFUSED {reason}")
            raise typer.Exit(1) from reason
        say(found)


@contextmanager
def _second_opinion_of_audit(path: Path) -> Iterator[None]:
    """Ask the proved checkers of an audit's certificate while the body decides it, then tell what they say.

    Where the body refuses it, they are not heard. The program is not made for it.
    """
    if not path.is_file():
        yield
        return
    with asking(path) as answer:
        yield
        found, missing = answer()
    if _disputed(found):
        raise typer.Exit(DISAGREE)
    for opinion in found.values():
        say(audit_summary(opinion))
    if missing:
        say(f"The proved checker was not asked: {missing}")


def _check_recorded(folder: Path) -> None:
    from proof_of_absence.checker.recorded.tied import check_folder

    with ending(folder, "no file was changed."):
        _tell(folder / RECORDED, lambda: check_folder(folder))


def _check_whole(path: Path) -> None:
    with _second_opinion_of_audit(path) if path.name == AUDIT else nullcontext():
        _tell(path, lambda: check_whole(path))


def _tell(path: Path, check: Callable[[], str]) -> None:
    """Tell what a check accepts of a file, or why it refuses it, which ends the command."""
    try:
        found = check()
    except Refused as reason:
        say(f"REFUSED {path}: {reason}")
        raise typer.Exit(1) from reason
    say(f"accepted {path}: {found}")
