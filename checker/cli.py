"""The `absence` command: verify claims, audit networks, run experiments, re-check certificates, draw, make tables.

Exit codes: 0 all as it should be, 1 something is not, 2 bad input, 130 interrupted. `audit` adds 3, undecided; `check`
adds 3, the two checkers disagree.
"""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table

from proof_of_absence.checker.audit.command import audit_command
from proof_of_absence.checker.audit.harden_command import harden_command
from proof_of_absence.checker.experiments.backdoors.command import backdoors_command
from proof_of_absence.checker.experiments.census.command import census_command
from proof_of_absence.checker.experiments.lifetimes.command import lifetimes_command
from proof_of_absence.checker.experiments.scale.command import scale_command
from proof_of_absence.checker.experiments.world.command import world_command
from proof_of_absence.checker.independent.check import load
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel import lock
from proof_of_absence.checker.kernel.binding import accepted
from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.kernel.claims import claim_graph, load_claims, select, statuses
from proof_of_absence.checker.kernel.obligation import Claim, Verdict
from proof_of_absence.checker.kernel.verify import Result, certificate_path, certificate_paths, remove_strays, verify
from proof_of_absence.checker.proved.opinion import asked
from proof_of_absence.checker.report import draw, overview, trusted
from proof_of_absence.checker.report.check_command import check_command
from proof_of_absence.checker.report.paper import citations, results, tables
from proof_of_absence.checker.report.paper.typeset import defined
from proof_of_absence.checker.report.site.command import site_command
from proof_of_absence.checker.screen.terminal import (
    CERTIFICATES,
    Certificates,
    Commands,
    Force,
    bad_input,
    console,
    ending,
    errors,
    progress,
    say,
    to_folder,
)
from proof_of_absence.models.files.disk import content, refused
from proof_of_absence.models.files.whole import begins, placeable, replacing

app = typer.Typer(
    cls=Commands,
    help="Machine-checked: the lowest-loss MLP carries no separable shift detector. "
    "Begin with `absence verify`, then `absence show C8`.",
    epilog="Exit codes: 0 all as it should be, 1 something is not, 2 bad input, 130 interrupted; "
    "audit adds 3, undecided; check adds 3, the two checkers disagree.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
CLAIMS, NETWORKS, EXPERIMENTS = "Claims", "Networks", "Experiments"
LARGEST_TEX = 2**20
# By this first line a picture of ours is known, and may be replaced.
DRAWN = "<!-- Drawn by `absence graph`. -->\n"
# What `show` is given for what all claims rest on.
TRUST = "trust"


def _select(names: list[str] | None) -> list[Claim]:
    claims = load_claims()
    try:
        return select(claims, [name.upper() for name in names or []])
    except KeyError as error:
        named, known = error.args[0], [claim.id for claim in claims]
        of = named.partition(".")[0]
        what = f"ask for its claim, {of}" if of in known else f"the claims are {', '.join(known)}"
        raise bad_input(f"there is no claim {named!r}; {what}") from error


@app.command("verify", rich_help_panel=CLAIMS)
def verify_command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CLAIM]...", help="Claims; all if none is named.")
    ] = None,
    certificates: Certificates = CERTIFICATES,
    jobs: Annotated[int, typer.Option(min=1, help="Obligations discharged at a time.")] = os.cpu_count() or 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ignore certificates of earlier runs.")] = False,
    kernel: Annotated[
        bool, typer.Option(help="Discharge the Coq proofs too; without, universal scope is left out.")
    ] = True,
) -> None:
    """Discharge every obligation of the claims and of all they rest on, and leave a certificate of each."""
    claims = _select(names)
    to_folder(certificates, "--certificates")
    left_out = [] if kernel else [o.id for c in claims for o in c.obligations if o.scope.is_theorem]
    if left_out:
        claims = [replace(c, obligations=tuple(o for o in c.obligations if o.id not in left_out)) for c in claims]
    started = time.monotonic()
    seen: dict[str, Result] = {}

    def table() -> Table:
        return overview.claim_table(claims, dict(seen))

    # The table is made when it is shown, not at each result.
    with Live(get_renderable=table, console=console, transient=not console.is_terminal) as live:

        def done(claim: Claim, result: Result) -> None:
            seen[result.obligation.id] = result

        kept = "certificates written so far are kept, the next run goes on from there."
        with ending(certificates, kept, "--certificates"):
            decided = verify(claims, certificates, jobs=jobs, fresh=fresh, on_result=done)
        live.refresh()
    if not console.is_terminal:
        console.print(table())
    if not names:
        remove_strays(certificates, load_claims())
    for line in overview.open_ends(decided):
        say(line)
    status = statuses(claims, {name: result.verdict for name, result in decided.items()})
    green = all(s.closed is Verdict.PROVED for s in status.values())
    say(overview.summary(claims, decided, time.monotonic() - started))
    if left_out:
        say(f"Left out, and not proved: {', '.join(left_out)}")
    if other := lock.unlocked():
        say(other)
    say(f"Certificates in {certificates}{os.sep}")
    raise typer.Exit(0 if green else 1)


@app.command(rich_help_panel=CLAIMS)
def show(
    name: Annotated[str, typer.Argument(metavar="CLAIM", help="Such as C8; or `trust`.")],
    certificates: Certificates = CERTIFICATES,
) -> None:
    """Show a claim: statement, premises, proof, obligations, certificates, and what is trusted for each.

    `absence show trust` counts what all the claims rest on, and lists the theorems of the proved checker.
    """
    to_folder(certificates, "--certificates")
    claims = load_claims()
    if name.lower() == TRUST:
        found = dict(_certificates(certificates))
        told, missing = asked(list(found), make=False)
        by_name = {path.stem: certificate for path, certificate in found.items()}
        console.print(trusted.page(by_name, {path.stem: opinion for path, opinion in told.items()}, missing))
        if lacking := overview.not_checked(claims, by_name):
            say(lacking)
        return
    (claim,) = [c for c in _select([name]) if c.id == name.upper()]
    paths = [path for o in claim.obligations if (path := certificate_path(certificates, o.id)).exists()]
    told, missing = asked(paths, make=False)
    console.print(overview.claim_page(claim, claim_graph(claims), certificates, told, missing))


app.command("check", rich_help_panel=CLAIMS)(check_command)


@app.command(rich_help_panel=CLAIMS)
def graph(
    target: Annotated[
        str, typer.Argument(help="`claims`, or an obligation whose certificate holds a net or prices.")
    ] = "claims",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="SVG file to write.", show_default="build/NAME.svg")
    ] = None,
    certificates: Certificates = CERTIFICATES,
    force: Force = False,
) -> None:
    """Draw the claim graph with its status, a net and its circuit, or a curve of prices (C22.curve), as SVG."""
    to_folder(certificates, "--certificates")
    claims, missing = load_claims(), ""
    if target == "claims":
        verdicts = {path.stem: Verdict(c["verdict"]) for path, c in _certificates(certificates)}
        picture, missing = (
            draw.claims(claim_graph(claims), statuses(claims, verdicts)),
            overview.not_checked(claims, verdicts),
        )
    elif all(target != o.id for claim in claims for o in claim.obligations):
        raise bad_input(f"there is no obligation {target!r}; name one such as C7.deployment, or `claims`")
    else:
        path = certificate_path(certificates, target)
        try:
            picture = draw.picture_of(load(path)["fact"])
        except Refused as reason:
            raise bad_input(f"{path}: {reason}; run `absence verify` first") from reason
        except LookupError as error:
            raise bad_input(f"{path}: {error}; name one such as C7.deployment") from error
    output = output or Path("build") / f"{target}.svg"
    if output.resolve().is_relative_to(certificates.resolve()):
        raise bad_input(f"{output}: lies in {certificates}, which is read here; choose another place with --output")
    if os.path.lexists(output) and not force and not begins(output, DRAWN.encode()):
        raise bad_input(f"{output}: was not drawn here; choose another place with --output, or replace it with --force")
    _write(output, DRAWN + picture)
    say(f"Wrote {output}")
    if missing:
        say(missing)


@app.command("tables", rich_help_panel=CLAIMS)
def tables_command(
    papers: Annotated[
        list[Path] | None, typer.Argument(metavar="[TEX]...", help="LaTeX files whose citations are to be checked.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the LaTeX files.")] = Path("paper/tables"),
    certificates: Certificates = CERTIFICATES,
    measured: Annotated[Path, typer.Option("--experiments", help="Folder of the experiments.")] = Path(
        "build/experiments"
    ),
    again: Annotated[
        bool, typer.Option("--check/--no-check", help="Re-check certificates and results first, which takes a minute.")
    ] = True,
    force: Force = False,
) -> None:
    """Write LaTeX tables of claims, obligations and numbers, from the certificates; check what a paper cites.

    A certificate is taken if the independent checker accepts it, its words are the obligation's, and its fact is what
    the obligation builds now. Not done again here: unsat answers are not put to the solvers, nor theorems to Coq
    (`absence check` does that); training is not repeated, and plots are taken as they lie. With --no-check only the
    seals are compared.
    """
    to_folder(certificates, "--certificates")
    to_folder(measured, "--experiments")
    claims = load_claims()
    with ending(output, "no table is written, and earlier ones are left as they were."):
        placeable(output, tables.OWNER, force=force, read=[certificates, measured, *(papers or [])])
        by_path = _accepted(certificates, claims) if again else dict(_certificates(certificates))
        found = {path.stem: certificate for path, certificate in by_path.items()}
        texts = {path: _tex(path) for path in papers or []}
        # TeX runs in the folder above that of the tables.
        experiments = tables.NOTE + results.latex(measured, output.parent, check=again)
        # A text that is not there leaves nothing out.
        further = tables.further(citations.left_out(texts.values(), claims) if texts else [])
        told, missing_program = asked(list(by_path))
        opinions = {path.stem: opinion for path, opinion in told.items()}
        files = tables.make(claims, found, opinions) | {"experiments.tex": experiments, "further.tex": further}
        with replacing(output, tables.OWNER, force=force) as new:
            for name, text in files.items():
                write(new / name, text)
    say(
        f"Wrote {len(files)} files to {output}{os.sep}"
        + ("" if again else "; certificates and results were not re-checked")
    )
    wrong = list(citations.faults(texts, claims, defined("".join(files.values())))) if texts else []
    for line in wrong:
        errors.print(line, highlight=False, markup=False, soft_wrap=True)
    if missing_program:
        errors.print(f"The proved checker was not asked, and is not counted: {missing_program}", highlight=False)
    if missing := overview.not_checked(claims, found):
        errors.print(missing, highlight=False)
    raise typer.Exit(1 if wrong or missing else 0)


app.command("site", rich_help_panel=CLAIMS)(site_command)
app.command("audit", rich_help_panel=NETWORKS)(audit_command)
app.command("harden", rich_help_panel=NETWORKS)(harden_command)
app.command("world", rich_help_panel=EXPERIMENTS)(world_command)
app.command("census", rich_help_panel=EXPERIMENTS)(census_command)
app.command("lifetimes", rich_help_panel=EXPERIMENTS)(lifetimes_command)
app.command("backdoors", rich_help_panel=EXPERIMENTS)(backdoors_command)
app.command("scale", rich_help_panel=EXPERIMENTS)(scale_command)


def _tex(path: Path) -> str:
    try:
        return content(path, limit=LARGEST_TEX).decode()
    except UnicodeDecodeError as error:
        raise refused(path, f"is not in UTF-8: {error}; convert it") from error


def _write(path: Path, text: str) -> None:
    try:
        write(path, text)
    except OSError as error:
        raise bad_input(f"{path} cannot be written: {error.strerror}; choose another place with --output") from error


def _certificates(directory: Path) -> list[tuple[Path, dict[str, Any]]]:
    found = []
    for path in certificate_paths(directory):
        try:
            found.append((path, load(path)))
        except Refused as reason:
            raise bad_input(f"{path}: {reason}; delete it and run `absence verify`") from reason
    return found


def _accepted(directory: Path, claims: tuple[Claim, ...]) -> dict[Path, dict[str, Any]]:
    """Every certificate in the folder, all of them accepted; the first that is not ends the command."""
    obligations = {o.id: o for claim in claims for o in claim.obligations}
    found = {}
    with progress() as bar:
        for path in bar.track(certificate_paths(directory), description="checking"):
            try:
                found[path] = accepted(path, obligations, solve=False)
            except Refused as reason:
                raise bad_input(f"{path}: {reason}; delete it and run `absence verify`") from reason
    return found


def main() -> None:
    """Run the command line."""
    app()
