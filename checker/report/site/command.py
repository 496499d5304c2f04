"""`absence site`: examine the certificates, make the pages, put them in their folder.
Exit codes 0, 1, 2 as in `checker.cli`.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.screen.terminal import (
    CERTIFICATES,
    Certificates,
    Force,
    ending,
    needs,
    progress,
    say,
    to_folder,
)

__all__ = ["site_command"]


def site_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the site.")] = Path("build/site"),
    certificates: Certificates = CERTIFICATES,
    experiments: Annotated[Path, typer.Option("--experiments", help="Folder of the experiments' results.")] = Path(
        "build/experiments"
    ),
    solve: Annotated[
        bool, typer.Option("--solve", help="Put unsat answers to both solvers, and theorems to Coq, once more.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Certificates checked at a time.")] = os.cpu_count() or 1,
    force: Force = False,
) -> None:
    """Write a static site of the claims: statements, proofs, obligations, certificates, pictures, experiments.

    Each status is from certificates that the independent checker accepts now; the rest is shown as not checked or
    refused, and the exit code is then 1.
    """
    with needs("site"):
        from proof_of_absence.checker.report.site.contents import Site
        from proof_of_absence.checker.report.site.coq_types import types
        from proof_of_absence.checker.report.site.definitions import compilations, notes
        from proof_of_absence.checker.report.site.examine import examine
        from proof_of_absence.checker.report.site.experiments import read
        from proof_of_absence.checker.report.site.folder import replaceable, write
        from proof_of_absence.checker.report.site.pages import pages
    to_folder(output)
    to_folder(certificates, "--certificates")
    to_folder(experiments, "--experiments")
    claims = load_claims()
    with ending(output, "no site is written, and an earlier one is left as it was."):
        replaceable(output, (certificates, experiments), force=force)
        with progress() as bar:
            task = bar.add_task("checking", total=sum(len(claim.obligations) for claim in claims))
            findings = examine(claims, certificates, jobs=jobs, solve=solve, progress=lambda: bar.advance(task))
            bar.add_task("reading where Coq's names are stated", total=None)
            places = list(compilations(findings.values()))
            site = Site(claims, findings, read(experiments), solve, notes(places))
            bar.add_task("asking Coq for the names' types", total=None)
            site = replace(site, types=types(site.sources, places))
        write(output, pages(site), force=force)
    for finding in site.open_ends:
        say(f"{finding.state.upper()} {finding.obligation.id}: {finding.reason}")
    for experiment in site.refused_results:
        say(f"REFUSED {experiments / experiment.name}: {experiment.refused}")
    accepted = len(findings) - len(site.open_ends)
    say(f"{accepted} of {len(findings)} certificates accepted; open {output / 'index.html'} in a browser")
    raise typer.Exit(1 if site.open_ends or site.refused_results else 0)
