"""The numbers that a paper may cite: counts over claims and certificates,
and every number that a certificate's fact states.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from proof_of_absence.checker.kernel.claims import statuses
from proof_of_absence.checker.kernel.obligation import REACHES, Claim, Scope, Verdict

__all__ = ["facts_of", "flat", "numbers", "places", "versions"]


# Longer lists are data, not results.
LONGEST_LIST = 12


def numbers(claims: Iterable[Claim], certificates: Mapping[str, dict]) -> dict[str, Fraction]:
    """Key to number, in the order of the claims.

    A count is called `claims`, `claims.proved`, `obligations.bounded` and so on. A number of a fact is called by its
    obligation and field (``C7.deployment.drop``); in a fact of several parts also by the part's kind
    (``C11.outside.lower-loss.drop``), and its place among them if there is more than one
    (``N5.close.lower-loss.2.drop``).
    """
    claims = list(claims)
    found = _counts(claims, certificates)
    for claim in claims:
        for obligation in claim.obligations:
            if obligation.id in certificates:
                for place, part in places(obligation.id, certificates[obligation.id]["fact"]):
                    found |= {f"{place}.{key}": value for key, value in flat(part)}
    return found


def versions(certificates: Mapping[str, dict]) -> dict[str, str]:
    """Each solver's versions, as its certificates name them."""
    found: dict[str, set[str]] = {}
    for certificate in certificates.values():
        for run in certificate["runs"]:
            found.setdefault(run["solver"], set()).add(run["version"])
    return {solver: ", ".join(sorted(found[solver])) for solver in sorted(found)}


def _counts(claims: list[Claim], certificates: Mapping[str, dict]) -> dict[str, Fraction]:
    status = statuses(claims, {name: Verdict(c["verdict"]) for name, c in certificates.items()})
    obligations = [o for claim in claims for o in claim.obligations]
    as_expected = [o for o in obligations if o.id in certificates and certificates[o.id]["verdict"] == o.expect]
    counts = {
        "claims": len(claims),
        "claims.proved": sum(s.closed is Verdict.PROVED for s in status.values()),
        "claims.necessity": sum(claim.drops is not None for claim in claims),
        "claims.universal": sum(any(o.scope is Scope.UNIVERSAL for o in claim.obligations) for claim in claims),
        "obligations": len(obligations),
        "obligations.discharged": len(as_expected),
        "controls": sum(o.is_control for o in obligations),
        "controls.refuted": sum(o.is_control for o in as_expected),
        "theorems": sum(
            len(f["theorems"]) for c in certificates.values() for f in facts_of(c["fact"]) if f["kind"] == "coq"
        ),
    }
    for reach in REACHES:
        counts[f"obligations.{reach}"] = sum(o.reach == reach for o in obligations)
    return {key: Fraction(count) for key, count in counts.items()}


def facts_of(fact: dict) -> list[dict]:
    """The parts of a fact, those of its parts included, and those that replay a solver's witness.

    A fact without parts is its own.
    """
    if fact["kind"] == "all":
        return [part for inner in fact["facts"] for part in facts_of(inner)]
    return [fact, *(facts_of(fact["replay"]) if fact.get("replay") else [])]


def places(name: str, fact: dict) -> Iterator[tuple[str, dict]]:
    """Each part of a fact, by the name of its obligation, its kind if there are others,
    and its place if there are others of the kind.

    Examples
    --------
    >>> parts = [{"kind": "idle"}, {"kind": "sum"}, {"kind": "sum"}]
    >>> [place for place, _ in places("N5.close", {"kind": "all", "facts": parts})]
    ['N5.close.idle', 'N5.close.sum.1', 'N5.close.sum.2']
    """
    parts = facts_of(fact)
    several = Counter(part["kind"] for part in parts)
    met: Counter[str] = Counter()
    for part in parts:
        kind = part["kind"]
        met[kind] += 1
        if parts == [fact]:
            yield name, part
        else:
            yield (f"{name}.{kind}.{met[kind]}" if several[kind] > 1 else f"{name}.{kind}"), part


def flat(fields: dict, *, depth: int = 2) -> Iterator[tuple[str, Fraction]]:
    """The numbers in a mapping, with dotted keys, down to `depth` levels; members of a list are counted from 1.

    Truth values, texts that are no number, floats that are not finite, long lists and all deeper parts are left out.

    Examples
    --------
    >>> [(key, str(value)) for key, value in flat({"losses": {"best": "1/2"}, "hours": [9], "kind": "x", "ok": True})]
    [('losses.best', '1/2'), ('hours.1', '9')]
    """
    for key, value in fields.items():
        if isinstance(value, list):
            if len(value) > LONGEST_LIST:
                continue
            value = {str(place): entry for place, entry in enumerate(value, 1)}
        if isinstance(value, dict):
            if depth > 1:
                yield from ((f"{key}.{below}", number) for below, number in flat(value, depth=depth - 1))
        elif (number := _number(value)) is not None:
            yield key, number


def _number(value: object) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return Fraction(value)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
