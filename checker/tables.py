"""LaTeX tables (booktabs) of claims and obligations, from certificates only: the same certificates give the same bytes."""

from collections.abc import Iterable, Mapping

from absence.checker.claims import necessity, statuses
from absence.checker.obligation import Claim, Verdict
from absence.checker.report import scopes

__all__ = ["make"]

NOTE = "% Made by `absence tables` from certificates; do not edit.\n"
_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
            "<": r"\textless{}", ">": r"\textgreater{}"}  # fmt: skip


def make(claims: Iterable[Claim], certificates: Mapping[str, dict]) -> dict[str, str]:
    """The files: ``claims.tex``, a row for each claim, ``necessity.tex``, a row for each premise and what shows it necessary,
    and ``obligations.tex``, a row for each obligation."""
    claims = list(claims)
    return {
        "claims.tex": _claims(claims, certificates),
        "necessity.tex": _necessity(claims, certificates),
        "obligations.tex": _obligations(claims, certificates),
    }


def escape(text: str) -> str:
    """Plain text for LaTeX.

    Examples
    --------
    >>> escape("S_n, 10%")
    'S\\\\_n, 10\\\\%'
    """
    return "".join(_SPECIAL.get(character, character) for character in text)


def _status(claims: list[Claim], certificates: Mapping[str, dict]) -> dict:
    return statuses(claims, {name: Verdict(c["verdict"]) for name, c in certificates.items()})


def _claims(claims: list[Claim], certificates: Mapping[str, dict]) -> str:
    status = _status(claims, certificates)
    rows = []
    for claim in claims:
        shown = sum(o.id in certificates for o in claim.obligations)
        controls = sum(o.is_control for o in claim.obligations)
        rests = ", ".join(claim.rests_on) or "--"
        cells = (
            claim.id,
            claim.title,
            scopes(claim).replace("+", ", "),
            rests,
            f"{shown}/{len(claim.obligations)}",
            str(controls),
        )
        rows.append((*map(escape, cells), status[claim.id].closed.value.lower()))
    header = ("Claim", "", "Scope", "Rests on", "Certificates", "Controls", "Verdict")
    return NOTE + _table("tabular", "lllllll", header, rows)


def _necessity(claims: list[Claim], certificates: Mapping[str, dict]) -> str:
    status = _status(claims, certificates)
    rows = []
    for name, premises in necessity(claims).items():
        for premise, countermodels in premises.items():
            for other in countermodels:
                cells = (name, premise, other.drops.instead, other.id, status[other.id].closed.value.lower())
                rows.append(tuple(map(escape, cells)))
            if not countermodels:
                rows.append((*map(escape, (name, premise)), "--", "none known", "--"))
    header = ("Claim", "Premise", "In its place", "Countermodel", "Verdict")
    columns = r"lp{0.3\linewidth}p{0.3\linewidth}ll"
    return NOTE + _table("longtable", columns, header, rows)


def _obligations(claims: list[Claim], certificates: Mapping[str, dict]) -> str:
    rows = []
    for claim in claims:
        for obligation in claim.obligations:
            certificate = certificates.get(obligation.id)
            verdict = certificate["verdict"].lower() if certificate else "not checked"
            control = " (control)" if obligation.is_control else ""
            cells = (
                obligation.id,
                obligation.statement,
                obligation.scope.value,
                _means(certificate),
                verdict + control,
            )
            rows.append(tuple(map(escape, cells)))
    header = ("Obligation", "Statement", "Scope", "Decided by", "Verdict")
    return NOTE + _table("longtable", r"lp{0.45\linewidth}lll", header, rows)


def _means(certificate: dict | None) -> str:
    if certificate is None:
        return "--"
    return ", ".join(run["solver"] for run in certificate["runs"]) or certificate["fact"]["kind"]


def _table(environment: str, columns: str, header: tuple, rows: list[tuple]) -> str:
    lines = [rf"\begin{{{environment}}}{{{columns}}}", r"\toprule", " & ".join(header) + r" \\", r"\midrule"]
    lines += [" & ".join(row) + r" \\" for row in rows]
    return "\n".join([*lines, r"\bottomrule", rf"\end{{{environment}}}"]) + "\n"
