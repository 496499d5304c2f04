"""What the terminal shows: the table of claims while they are verified, the page of one claim, the summary."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

import networkx as nx
from pylatexenc.latex2text import LatexNodes2Text
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proof_of_absence.checker.independent.check import load
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.claims import necessity, statuses
from proof_of_absence.checker.kernel.obligation import REACHES, Claim, Verdict
from proof_of_absence.checker.kernel.verify import Result, certificate_path
from proof_of_absence.checker.proved import trust
from proof_of_absence.checker.proved.opinion import Opinion
from proof_of_absence.checker.report.price_curve import curve_in, curve_table
from proof_of_absence.checker.report.statements import passages, theorems

__all__ = ["STYLE", "claim_page", "claim_table", "kinds", "not_checked", "open_ends", "plain", "scopes", "summary"]

# Coq sources are 80 characters wide; the words beside them need 40 more.
SOURCE_WIDTH, COLUMNS = 80, 124

STYLE = {
    Verdict.PROVED: "bold green",
    Verdict.REFUTED: "bold red",
    Verdict.UNKNOWN: "bold yellow",
    Verdict.ERROR: "bold red",
    Verdict.BLOCKED: "yellow",
}


def scopes(claim: Claim) -> list[str]:
    """The words for the scopes in which the claim's obligations hold, widest first.

    A theorem about a checker says nothing of the claim.
    """
    found = {o.reach for o in claim.obligations if not o.is_control and ".universal-checker" not in o.id}
    return [reach for reach in REACHES if reach in found]


def claim_table(claims: Iterable[Claim], results: Mapping[str, Result]) -> Table:
    """Claims with widest scope, obligations done, verdict, solvers and time; verdicts appear as a claim is finished."""
    claims = list(claims)
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    # In a narrow terminal titles and solvers go on in the next line; the rest stays whole.
    for column in ("", "Claim", "Scope", "Done", "Verdict", "Decided by"):
        table.add_column(column, no_wrap=column not in ("Claim", "Decided by"))
    table.add_column("Time", justify="right", no_wrap=True)
    status = statuses(claims, {name: result.verdict for name, result in results.items()})
    for claim in claims:
        done = [results[o.id] for o in claim.obligations if o.id in results]
        finished = len(done) == len(claim.obligations)
        verdict = status[claim.id].closed if finished else None
        table.add_row(
            claim.id,
            claim.title,
            scopes(claim)[0],
            f"{sum(r.as_expected for r in done)}/{len(claim.obligations)}",
            Text(verdict or "...", STYLE.get(verdict, "dim")),
            " ".join(_decided_by(done)),
            "cached" if finished and all(r.cached for r in done) else f"{sum(r.seconds for r in done):.1f} s",
        )
    return table


def _decided_by(done: list[Result]) -> list[str]:
    solvers = sorted({run["solver"] for result in done for run in result.runs}, reverse=True)
    return (["exact"] if any(not result.runs for result in done) else []) + solvers


def open_ends(results: Mapping[str, Result]) -> Iterator[str]:
    """A line for each obligation that did not come to the verdict it must, with the reason."""
    for name, result in results.items():
        if not result.as_expected:
            reason = result.reason or f"expected {result.obligation.expect}: {result.obligation.statement}"
            yield f"{name} {result.verdict}: {reason}"


def not_checked(claims: Iterable[Claim], found: Container[str]) -> str:
    """One line that names obligations without a certificate, the first ten of them; empty if each has one."""
    missing = [o.id for claim in claims for o in claim.obligations if o.id not in found]
    more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
    return f"Not checked, and shown so: {', '.join(missing[:10])}{more}; run `absence verify`" if missing else ""


def summary(claims: Iterable[Claim], results: Mapping[str, Result], seconds: float) -> str:
    """One line: claims and obligations, how many from the cache, how long."""
    claims = list(claims)
    status = statuses(claims, {name: result.verdict for name, result in results.items()})
    counts = Counter(s.closed for s in status.values())
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    done = sum(result.as_expected for result in results.values())
    controls = sum(result.as_expected and result.obligation.is_control for result in results.values())
    cached = sum(result.cached for result in results.values())
    return (
        f"{len(claims)} claims: {told}. {done} of {len(results)} obligations came to the verdict they must, "
        f"{controls} of them controls that were refuted ({cached} from the cache, {seconds:.1f} s)"
    )


def plain(latex: str) -> str:
    """LaTeX as readable text."""
    latex = re.sub(r"\\claim\{(\w+)\}", r"\1", latex).replace(r"\varepsilon", r"\epsilon").replace(r"\mathrm", r"\text")
    text = LatexNodes2Text(math_mode="text").latex_to_text(latex)
    return re.sub(r"\s+", " ", text).strip()


def claim_page(
    claim: Claim, graph: nx.DiGraph, directory: Path, opinions: Mapping[Path, Opinion], not_asked: str = ""
) -> Group:
    """Everything about one claim; `opinions` of the proved checkers by certificate, or why these were not asked."""
    claims = [other for _, other in graph.nodes(data="claim")]
    premises = _premises(claim, necessity(claims).get(claim.id))
    parts: list = [Text(f"{claim.id}. {claim.title}", "bold"), "", _stated(claim, premises), ""]
    if claim.drops:
        (about,) = [other for other in claims if other.id == claim.drops.claim]
        parts += [
            _field("Shows necessary", f"a premise of {about.id}: {about.premise(claim.drops.premise)}"),
            _field("Has in its place", claim.drops.instead),
        ]
    parts += [
        _field("Rests on", ", ".join(claim.rests_on) or "nothing"),
        _field("Used by", ", ".join(sorted(graph.successors(claim.id))) or "no claim"),
        _field("Proof", plain(claim.proof)),
        _field("Not proved", claim.limits),
        "",
    ]
    needed: set[str] = set()
    pictures: list[RenderableType] = []
    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in ("Obligation", "Scope", "Verdict", "Statement"):
        table.add_column(column, no_wrap=column in ("Obligation", "Scope"))
    for obligation in claim.obligations:
        path = certificate_path(directory, obligation.id)
        verdict, style = "not checked", "dim"
        try:
            certificate = load(path)
            verdict = certificate["verdict"]
            needed |= trust.believed(certificate, opinions.get(path))
            style = STYLE[Verdict.PROVED if verdict == obligation.expect else Verdict.ERROR]
        except Refused as reason:
            if path.exists():
                verdict, style = f"REFUSED: {reason}", STYLE[Verdict.ERROR]
            certificate = None
        curve = curve_in(certificate["fact"]) if certificate else None
        pictures += [curve_table(curve), f"As a picture: absence graph {obligation.id}", ""] if curve else []
        # Text, for a formula may look like markup.
        words = Text("Control, must be refuted: " if obligation.is_control else "").append(obligation.statement)
        words.append(f" (given: {obligation.given})" if obligation.given else "")
        if certificate:
            words.append(f"\nTrusted: {_trusted(certificate, opinions.get(path))}", "dim")
        table.add_row(obligation.id, obligation.reach, Text(verdict, style), words)
    parts += [table, "", *pictures]
    if not_asked:
        parts.append(f"The proved checker was not asked: {not_asked}")
    parts += [_field("Trusted", "; ".join(sorted(needed)) or "nothing yet: no certificate"),
              _field("Certificates", f"{directory}/{claim.id}.*; check with `absence check {directory}`"),
              _field("Reproduce", f"absence verify {claim.id} --fresh")]  # fmt: skip
    return Group(*parts)


def _premises(claim: Claim, dropped: Mapping[str, list[Claim]] | None) -> RenderableType:
    """The premises; where countermodels are about the claim, each with those that show it necessary."""
    if dropped is None:
        return _field("Premises", "; ".join(claim.premises))
    lines = []
    for premise, countermodels in dropped.items():
        names = ", ".join(countermodel.id for countermodel in countermodels)
        lines.append(f"- {premise} ({f'necessary: {names}' if names else 'no countermodel without it is known'})")
    return Group(Text("Premises:", "bold"), *map(Text, lines))


def _stated(claim: Claim, premises: RenderableType) -> RenderableType:
    """The statement in words, and beside it (below it in a narrow terminal) what Coq is given to prove."""
    words = Group(Text(plain(claim.statement)), "", premises)
    found = [statement for obligation in claim.obligations for statement in theorems(obligation)]
    if not found:
        return words
    parts: list = []
    for passage in passages(found):
        if not passage.goes_on:
            parts += [Text(f"In Coq, {passage.file}; its header says what the names mean:", "bold"), ""]
        parts += [Text("\n".join(passage.context), "dim"), ""] if passage.context else []
        parts += [part for theorem in passage.theorems for part in (Text(theorem), "")]
    return _Beside(words, Group(*parts[:-1]))


class _Beside:
    """Two texts in columns where the terminal holds two, else one below the other."""

    def __init__(self, left: RenderableType, right: RenderableType):
        self.left, self.right = left, right

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width < COLUMNS:
            yield Group(self.left, "", self.right)
            return
        grid = Table.grid(padding=(0, 4), expand=True)
        grid.add_column(ratio=1)
        grid.add_column(width=SOURCE_WIDTH)
        grid.add_row(self.left, self.right)
        yield grid


def _field(name: str, text: str) -> Padding:
    return Padding(Text.assemble((f"{name}: ", "bold"), text), (0, 0, 0, 0))


def _trusted(certificate: dict, opinion: Opinion | None) -> str:
    """What decides, and for how many of several facts, if others are accepted by the proved checker."""
    found, each = trust.whole(certificate, opinion), trust.each(certificate, opinion)
    proved = each.count(trust.Trust.PROVED)
    if not 0 < proved < len(each):
        return found
    return f"{found} for {len(each) - proved} of {len(each)} facts, {trust.Trust.PROVED} for the others"


def kinds(fact: dict) -> set[str]:
    """The kinds of a fact and of those it is made of."""
    return {fact["kind"]}.union(*(kinds(part) for part in fact.get("facts", [])))
