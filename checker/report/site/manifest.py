"""What the pages say, for machines: claims, obligations, certificates and their digests, as one JSON of a fixed format.

`manifest.schema.json` says what each part means.
"""

import hashlib
import json
from importlib.resources import files
from typing import Any

from proof_of_absence.checker.kernel.obligation import Claim
from proof_of_absence.checker.proved import trust
from proof_of_absence.checker.report.site.contents import Site
from proof_of_absence.checker.report.site.examine import Finding
from proof_of_absence.checker.report.statements import theorems

__all__ = ["FORMAT", "manifest", "schema_text", "text"]

FORMAT = "absence-manifest/1"


def schema_text() -> str:
    """The JSON Schema (draft 2020-12) of the manifest."""
    return files("proof_of_absence.checker.report.site").joinpath("manifest.schema.json").read_text(encoding="utf-8")


def manifest(site: Site) -> dict[str, Any]:
    """The claims of a site with what stands behind each; paths are relative to the site's folder.

    Only a certificate that the independent checker accepts now is in it.
    """
    return {
        "format": FORMAT,
        "solved": site.solved,
        "claims": [_claim(claim, site) for claim in site.claims],
        "edges": [{"claim": claim.id, "rests_on": other} for claim in site.claims for other in claim.rests_on],
    }


def text(site: Site) -> str:
    """The manifest as it is written."""
    return json.dumps(manifest(site), indent=1, ensure_ascii=False) + "\n"


def _claim(claim: Claim, site: Site) -> dict[str, Any]:
    needed = site.necessity.get(claim.id, {})
    findings = [site.findings[obligation.id] for obligation in claim.obligations]
    return {
        "id": claim.id,
        "title": claim.title,
        "status": site.marks[claim.id].word,
        "statement": claim.statement,
        "premises": [
            {"text": premise, "countermodels": [other.id for other in needed.get(premise, [])]}
            for premise in claim.premises
        ],
        "drops": claim.drops._asdict() if claim.drops else None,
        "limits": claim.limits,
        "page": f"claims/{claim.id}.html",
        "trust": sorted(set().union(*(finding.believed for finding in findings))),
        "obligations": [_obligation(finding) for finding in findings],
    }


def _obligation(finding: Finding) -> dict[str, Any]:
    obligation = finding.obligation
    return {
        "id": obligation.id,
        "statement": obligation.statement,
        "scope": obligation.scope.value,
        "given": obligation.given,
        "expect": obligation.expect.value,
        "state": finding.state.value,
        "reason": finding.reason,
        "theorems": [
            {"file": found.file, "context": list(found.context), "text": found.theorem}
            for found in theorems(obligation)
        ],
        "certificate": _certificate(finding),
    }


def _certificate(finding: Finding) -> dict[str, Any] | None:
    """The first of a finding's files is the certificate, the others belong to it."""
    if finding.certificate is None:
        return None
    own, *others = (
        {"file": f"certificates/{name}", "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in finding.files.items()
    )
    runs = [{name: run[name] for name in ("solver", "version", "seconds")} for run in finding.certificate["runs"]]
    return own | {
        "verdict": finding.certificate["verdict"],
        "kind": finding.certificate["fact"]["kind"],
        "decided_by": runs,
        "decides": trust.whole(finding.certificate, finding.opinion).value,
        "trust": sorted(finding.believed),
        "needs": others,
    }
