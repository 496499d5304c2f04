"""The folder of an audit of recordings, tied together: what the page says is what the certificate shows.

The certificate is decided by the independent checker; the page is made anew from it, and compared.
"""

from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.results import recorded
from proof_of_absence.checker.numbers.hexadecimal import of_hexadecimal
from proof_of_absence.checker.recorded.certify import NAME
from proof_of_absence.checker.recorded.findings import (
    Constant,
    File,
    Joint,
    LayerFindings,
    PricedRows,
    Prices,
    Rank,
    RecordedAudit,
    outward,
)
from proof_of_absence.checker.recorded.folder import REPORT
from proof_of_absence.checker.recorded.relations import Relation
from proof_of_absence.checker.recorded.report.view import report_of
from proof_of_absence.checker.screen.answers import html_page

__all__ = ["check_folder", "read_findings"]


def check_folder(folder: Path) -> str:
    """In words what was accepted: every fact of the certificate, and the page if there is one.

    Raises
    ------
    Refused
        If a fact is not so, or the page is not that of the certificate.
    """
    certificate = recorded.check_recorded(folder / NAME)
    told, page = recorded.told(certificate), folder / REPORT
    if not page.is_file():
        return f"{told}; there is no {REPORT}"
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise Refused(f"{page}: cannot be read: {error}") from error
    same = text == html_page(report_of(RecordedAudit(read_findings(certificate), certificate)))
    require(same, f"{page}: is not the page of this certificate: edited, or made by another version")
    return f"{told}; {REPORT} says the same"


def read_findings(certificate: dict[str, Any]) -> tuple[LayerFindings, ...]:
    """The findings of a certificate that the independent checker has accepted, without the factors."""
    return tuple(_layer(entry) for entry in certificate["layers"])


def _layer(entry: dict[str, Any]) -> LayerFindings:
    facts = {fact["kind"]: fact for fact in entry["facts"]}
    columns, rank = facts["recorded-columns"], facts["recorded-rank"]
    moves = facts.get("recorded-moves", {"columns": [0] * len(columns["constant"]), "inputs": []})
    broken = moves.get("relations", [0] * len(rank["relations"]))
    still = zip(columns["constant"], map(float.fromhex, columns["values"]), moves["columns"], strict=True)
    return LayerFindings(
        entry["name"],
        entry["dtype"],
        columns["columns"],
        tuple(File(**file) for file in entry["train"]),
        tuple(File(**file) for file in entry["deploy"]),
        tuple(Constant(*one) for one in still),
        np.array(moves["inputs"], np.int64),
        Rank(rank["low"], rank["high"], rank["prime"], tuple(rank["rows"]), tuple(rank["columns"])),
        tuple(Joint(_relation(terms), n) for terms, n in zip(rank["relations"], broken, strict=True)),
        _prices(facts["readout-prices"], exact=entry["factor"] is None) if "readout-prices" in facts else None,
        tuple(File(**file) for file in entry["test"]),
    )


def _prices(fact: dict[str, Any], *, exact: bool) -> Prices:
    parts = {part: _rows(listed, exact=exact) for part, listed in fact["rows"].items()}
    factor = None if exact else np.zeros((0, 0))
    return Prices(of_hexadecimal(fact["move"]), of_hexadecimal(fact["penalty"]), tuple(fact["columns"]), parts, factor)


def _rows(listed: list[dict[str, Any]], *, exact: bool) -> PricedRows:
    pairs = [entry.get("leverage", ["nan", "nan"]) for entry in listed]
    rows, free = (np.array([entry.get(key, -1) for entry in listed], np.int64) for key in ("row", "free"))
    if not exact:
        leverage = [[_float(low), _float(high)] for low, high in pairs]
        return PricedRows(rows, np.array(leverage).reshape(-1, 2), free)
    values = tuple(None if low == "nan" else of_hexadecimal(low) for low, _ in pairs)
    ends = [(np.nan, np.nan) if value is None else outward(value) for value in values]
    return PricedRows(rows, np.array(ends, np.float64).reshape(-1, 2), free, values)


def _float(text: str | None) -> float:
    if text is None:
        return float("inf")
    return float("nan") if text == "nan" else float(of_hexadecimal(text))


def _relation(terms: list[Any]) -> Relation:
    return {j: of_hexadecimal(text) for j, text in terms}
