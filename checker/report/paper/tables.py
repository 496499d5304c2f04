"""What a paper is given by claims and certificates, as LaTeX: the same certificates give the same bytes.

Four tables (booktabs), a file for each claim, and the numbers that the text may cite; paper/macros.tex reads them.
"""

from collections.abc import Iterable, Mapping

from proof_of_absence.checker.kernel.claims import necessity, statuses
from proof_of_absence.checker.kernel.obligation import Claim, Verdict
from proof_of_absence.checker.proved import trust
from proof_of_absence.checker.proved.opinion import Opinion
from proof_of_absence.checker.report import trusted
from proof_of_absence.checker.report.overview import scopes
from proof_of_absence.checker.report.paper.formulas import formulas
from proof_of_absence.checker.report.paper.typeset import decimal, define, escape, exact, prose
from proof_of_absence.checker.report.paper.values import facts_of, numbers, versions
from proof_of_absence.models.files.whole import Owner

__all__ = ["NOTE", "OWNER", "further", "make"]

NOTE = "% Made by `absence tables` from certificates; do not edit.\n"
# By the note its files are known where an earlier version left no mark.
OWNER = Owner("tables", note=NOTE.encode())


def make(
    claims: Iterable[Claim], certificates: Mapping[str, dict], opinions: Mapping[str, Opinion]
) -> dict[str, str]:
    """The files: a row for each claim, each premise with what shows it necessary, each obligation; what they rest on,
    by the certificates and the proved checkers' opinions of them; the numbers; and what is to be said of each claim.
    """
    claims = list(claims)
    rests = trust.table(certificates, opinions)
    status = statuses(claims, {name: Verdict(c["verdict"]) for name, c in certificates.items()})
    files = {
        "claims.tex": _claims(claims, certificates, status),
        "necessity.tex": _necessity(claims, status),
        "obligations.tex": _obligations(claims, certificates),
        "trust.tex": NOTE + _table("tabular", "lrrrr", trusted.HEADER, list(trusted.rows(rests))),
        "numbers.tex": _numbers(claims, certificates, rests),
        "limits.tex": NOTE + "".join(rf"\item[\claim{{{c.id}}}] \leftopen{{{c.id}}}" + "\n" for c in claims),
    }
    files |= {f"{claim.id}.tex": _claim(claim, certificates, status[claim.id].closed) for claim in claims}
    return files


def further(claims: Iterable[Claim]) -> str:
    """A section of the claims that a text leaves out, each with the proof of its object.

    Nothing if it leaves out none.
    """
    parts = [f"\\stated{{{c.id}}}\n\\begin{{proofof}}{{{c.id}}}\n{c.proof}\n\\end{{proofof}}\n" for c in claims]
    return NOTE + "\n".join(["\\section{Further claims}", *parts] if parts else [])


def _claims(claims: list[Claim], certificates: Mapping[str, dict], status: Mapping) -> str:
    rows = []
    for claim in claims:
        shown = sum(o.id in certificates for o in claim.obligations)
        controls = sum(o.is_control for o in claim.obligations)
        rests = ", ".join(claim.rests_on) or "--"
        cells = (claim.id, claim.title, _scopes(claim), rests, f"{shown}/{len(claim.obligations)}", str(controls))
        rows.append((*map(escape, cells), _verdict(status[claim.id].closed)))
    header = ("Claim", "", "Scope", "Rests on", "Done", "Controls", "Verdict")
    return NOTE + _table("tabular", rf"ll{_lines(44)}{_lines(30)}lll", header, rows)


def _lines(width: int) -> str:
    """A column of this many millimetres, in as many lines as it takes."""
    return rf">{{\raggedright\arraybackslash}}p{{{width}mm}}"


def _necessity(claims: list[Claim], status: Mapping) -> str:
    rows = []
    for name, premises in necessity(claims).items():
        for premise, countermodels in premises.items():
            for other in countermodels:
                cells = (escape(name), prose(premise), prose(other.drops.instead), escape(other.id))
                rows.append((*cells, _verdict(status[other.id].closed)))
            if not countermodels:
                rows.append((escape(name), prose(premise), "--", "none known", "--"))
    columns = r"l>{\raggedright}p{0.3\linewidth}>{\raggedright}p{0.33\linewidth}ll"
    return NOTE + _table("tabular", columns, ("Claim", "Premise", "In its place", "Countermodel", "Verdict"), rows)


def _obligations(claims: list[Claim], certificates: Mapping[str, dict]) -> str:
    rows = []
    for claim in claims:
        for obligation in claim.obligations:
            certificate = certificates.get(obligation.id)
            verdict = certificate["verdict"].lower() if certificate else "not checked"
            control = " (control)" if obligation.is_control else ""
            rows.append(
                (
                    escape(obligation.id),
                    prose(obligation.statement),
                    escape(obligation.reach),
                    escape(_means(certificate)),
                    escape(verdict + control),
                )
            )
    columns = r">{\raggedright}p{0.17\linewidth}>{\raggedright}p{0.39\linewidth}>{\raggedright}p{0.09\linewidth}"
    columns += r">{\raggedright}p{0.18\linewidth}>{\raggedright\arraybackslash}p{0.09\linewidth}"
    header = ("Obligation", "Statement", "Scope", "Decided by", "Verdict")
    return NOTE + _table("longtable", columns, header, rows)


def _numbers(claims: list[Claim], certificates: Mapping[str, dict], rests: list[trust.Row]) -> str:
    lines = [NOTE]
    for row in rests:
        key = f"trust.{row.trust.name.lower()}"
        lines += [define("number", f"{key}.facts", str(row.facts))]
        lines += [define("number", f"{key}.obligations", str(row.obligations))]
    for key, value in numbers(claims, certificates).items():
        lines += [define("number", key, exact(value)), define("decimal", key, decimal(value))]
    for claim in claims:
        for obligation in claim.obligations:
            lines.append(define("obligation", obligation.id, prose(obligation.statement)))
            if obligation.id in certificates:
                lines += formulas(obligation.id, certificates[obligation.id]["fact"])
    lines += [define("version", solver, escape(found)) for solver, found in versions(certificates).items()]
    lines += [f"\\input{{tables/{claim.id}}}\n" for claim in claims]
    return "".join(lines)


def _claim(claim: Claim, certificates: Mapping[str, dict], verdict: Verdict) -> str:
    """What is said of one claim: its words, its status, and a row for each obligation."""
    shown = [o for o in claim.obligations if o.id in certificates and certificates[o.id]["verdict"] == o.expect]
    controls = sum(o.is_control for o in claim.obligations)
    theorems = [
        name
        for o in claim.obligations
        if o.id in certificates
        for fact in facts_of(certificates[o.id]["fact"])
        if fact["kind"] == "coq"
        for name in fact["theorems"]
    ]
    told = {
        "title": escape(claim.title),
        "statement": claim.statement,
        "premises": "".join(f"\\item {prose(premise)}" for premise in claim.premises),
        "scope": _scopes(claim),
        "status": _verdict(verdict),
        "discharged": f"{len(shown)} of {len(claim.obligations)}",
        "controls": str(controls),
        "limits": prose(claim.limits),
    }
    if theorems:
        told["theorems"] = ", ".join(rf"\texttt{{{escape(name)}}}" for name in theorems)
    if claim.drops:
        told["drops"] = f"{claim.drops.claim}: {prose(claim.drops.premise)}"
        told["instead"] = prose(claim.drops.instead)
    return NOTE + "".join(define(kind, claim.id, text) for kind, text in told.items())


def _scopes(claim: Claim) -> str:
    return ", ".join(scopes(claim))


def _verdict(verdict: Verdict) -> str:
    return verdict.value.lower()


def _means(certificate: dict | None) -> str:
    if certificate is None:
        return "--"
    if certificate["runs"]:
        return ", ".join(run["solver"] for run in certificate["runs"])
    return ", ".join(dict.fromkeys(fact["kind"].replace("-", " ") for fact in facts_of(certificate["fact"])))


def _table(environment: str, columns: str, header: tuple, rows: list[tuple]) -> str:
    lines = [rf"\begin{{{environment}}}{{{columns}}}", r"\toprule", " & ".join(header) + r" \\", r"\midrule"]
    if environment == "longtable":
        lines.append(r"\endhead")
    lines += [" & ".join(row) + r" \\" for row in rows]
    return "\n".join([*lines, r"\bottomrule", rf"\end{{{environment}}}"]) + "\n"
