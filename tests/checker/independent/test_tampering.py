"""Tampered certificates: a changed byte is refused by the digest; a changed and resealed fact, unless it is still true.

Whether it is still true is decided by `proof_of_absence.models` and z3 (see oracles), which the independent checker
does not use for facts. That every certificate is accepted as it is, tests/checker/test_check_end_to_end.py checks, with
solvers and Coq.
"""

import copy
import json
import re
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.check import check_certificate, check_file
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.proofs.chain import CLAIMS
from tests.checker.independent.oracles import true

OBLIGATIONS = [obligation.id for claim in CLAIMS for obligation in claim.obligations]
# Many cells of a sweep take seconds to decide again, and their facts are of the same kinds as those of one. Those of
# the censuses of millions of nets have a test of their own (kinds/test_class_census.py). A kernel certificate holds no
# numbers.
SLOW = ("C11.price-falls", "C14.census", "C14.control-deceptive", "C15.grid")
THEOREMS = {o.id for claim in CLAIMS for o in claim.obligations if o.scope.is_theorem}
QUICK = [name for name in OBLIGATIONS if name not in SLOW and name not in THEOREMS]
# Names, not numbers; nor are the strings below, terms of a script among them.
NAMES = {"relations", "best", "best_nets"}
NAME = re.compile(r"[A-Za-z_]\w*|[<=]+|\(.*\)")
NOT_NUMBERS = {"kind", "file", "sha256", "deciding", "answer", "left", "right", "policy"}


@given(st.sampled_from(OBLIGATIONS), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_is_refused(certificates, tmp_path, name, where, change):
    whole = (certificates / f"{name}.json").read_bytes()
    at = int(where * len(whole))
    broken = whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :]
    with suppress(ValueError):
        assume(json.loads(broken) != json.loads(whole))  # other white space says the same
    path = certificates / f".tampered-{tmp_path.name}.json"
    path.write_bytes(broken)
    with pytest.raises(Refused):
        check_file(path, solve=False)
    path.unlink()


@pytest.mark.parametrize("at", [0.0, 0.3, 0.6, 0.999])
def test_a_changed_byte_in_a_script_is_refused(certificates, tmp_path, at):
    for script in sorted(certificates.glob("*.smt2")):
        text = bytearray(script.read_bytes())
        text[int(at * len(text))] ^= 1
        (tmp_path / script.name).write_bytes(text)
        certificate = tmp_path / f"{script.stem}.json"
        certificate.write_bytes((certificates / certificate.name).read_bytes())
        with pytest.raises(Refused, match=r"is not the one that was decided|codec"):
            check_file(certificate, solve=False)


def accepted(certificate, folder):
    """Whether the certificate, sealed again, is accepted."""
    return refusal(certificate, folder) is None


def refusal(certificate, folder):
    """Why the certificate, sealed again, is refused; None if it is not."""
    try:
        check_certificate(seal(certificate), folder, solve=False)
    except Refused as reason:
        return str(reason)
    return None


def read(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def numbers_in(node, path=()):
    """The paths to every number."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in NAMES and (key not in NOT_NUMBERS or not isinstance(value, str)):
                yield from numbers_in(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from numbers_in(value, (*path, index))
    elif isinstance(node, int) or (isinstance(node, str) and not NAME.fullmatch(node)):
        yield path


def change(fact, path, by):
    """A copy of the fact with one number changed; truth values are turned."""
    fact = copy.deepcopy(fact)
    node = fact
    for key in path[:-1]:
        node = node[key]
    old = node[path[-1]]
    node[path[-1]] = (
        (not old) if isinstance(old, bool) else old + 1 if isinstance(old, int) else str(Fraction(old) + by)
    )
    return fact


def proves_a_minimum(fact, path):
    """Whether the number is in a proof of minimality, which may fail to show what is true."""
    if path[0] != "facts":
        return False
    kind = fact["facts"][path[1]]["kind"]
    return kind in ("global-minimum", "defection-price") or (
        kind in ("world-price", "world-bounds") and "residuals" in path
    )


def check_changed(certificates, name, path, by):
    certificate = read(certificates, name)
    fact = change(certificate["fact"], path, by)
    reason = refusal(certificate | {"fact": fact}, certificates)
    if reason is None:
        assert true(fact, certificates), (name, path)
    # Two numbers that lie in one another's bounds are refused, whichever is larger.
    elif "refutation" not in path and not proves_a_minimum(fact, path) and "cannot be told apart" not in reason:
        assert not true(fact, certificates), (name, path)


DELTAS = st.sampled_from([Fraction(1), Fraction(-1), Fraction(1, 7), Fraction(-100), Fraction(10**20)])


@given(st.data(), st.sampled_from(QUICK), DELTAS)
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
def test_a_changed_number_is_refused_exactly_if_the_fact_is_false(certificates, data, name, by):
    fact = read(certificates, name)["fact"]
    paths = list(numbers_in(fact))
    assume(paths)
    # Choose the field first: most numbers are entries of large tables.
    field = data.draw(st.sampled_from(sorted({tuple(k for k in path if isinstance(k, str)) for path in paths})))
    among = [path for path in paths if tuple(k for k in path if isinstance(k, str)) == field]
    check_changed(certificates, name, data.draw(st.sampled_from(among)), by)


# Fields that state one value which the rest determines: every other value is false.
DETERMINED = {"drop", "loss", "noise_floor", "inner_product", "p_train", "p_deploy", "total_variation"}


@pytest.mark.parametrize("name", QUICK)
def test_stated_values_are_recomputed(certificates, name):
    certificate = read(certificates, name)
    fact = certificate["fact"]
    # Of several facts each by itself: the others need not be decided again for every value.
    for part in fact["facts"] if fact["kind"] == "all" else [fact]:
        if paths := [path for path in numbers_in(part) if path[-1] in DETERMINED]:
            assert accepted(certificate | {"fact": part}, certificates)
        for path in paths:
            for by in (Fraction(1, 10**30), Fraction(-1)):
                changed = change(part, path, by)
                assert not accepted(certificate | {"fact": changed}, certificates), (part["kind"], path)


@pytest.mark.parametrize("name", OBLIGATIONS)
def test_verdict_and_holds_belong_to_the_fact(certificates, name):
    certificate = read(certificates, name)
    other = {"PROVED": "REFUTED", "REFUTED": "PROVED"}[certificate["verdict"]]
    assert not accepted(certificate | {"verdict": other}, certificates)
    assert not accepted(certificate | {"holds": not certificate["holds"]}, certificates)
    for nonsense in ("UNKNOWN", "ERROR", "proved", None, True):
        assert not accepted(certificate | {"verdict": nonsense}, certificates)
    if certificate["fact"]["kind"] == "smt":
        both = {"verdict": other, "holds": not certificate["holds"]}
        assert not accepted(certificate | both, certificates)
        turned = {"claim_fails": "claim_holds", "claim_holds": "claim_fails"}
        fact = certificate["fact"] | {"deciding": turned[certificate["fact"]["deciding"]]}
        for forged in ({}, both):
            assert not accepted(certificate | forged | {"fact": fact}, certificates)


@pytest.mark.parametrize("name", [name for name in OBLIGATIONS if "solver" in name])
def test_a_forged_unsat_is_put_to_the_solvers(certificates, name):
    certificate = read(certificates, name)
    assert certificate["fact"]["answer"] == "sat"
    forged = certificate | {"verdict": "REFUTED", "holds": False, "fact": certificate["fact"] | {"answer": "unsat"}}
    with pytest.raises(Refused, match="z3 answers sat, not unsat"):
        check_certificate(seal(forged), certificates)


@pytest.mark.parametrize("name", QUICK)
def test_a_forged_sat_has_no_witness(certificates, name):
    certificate = read(certificates, name)
    if certificate["fact"].get("answer") == "unsat":
        fact = certificate["fact"] | {"answer": "sat"}
        forged = certificate | {"verdict": "REFUTED", "holds": False} if certificate["holds"] else certificate
        for witness in ({}, certificate["fact"].get("premises_witness", {})):
            assert not accepted(forged | {"fact": fact | {"witness": witness}}, certificates)


@pytest.mark.parametrize("name", ["C5.drop", "C5.optimal", "C6.decomposition"])
def test_identities_are_expanded_again(certificates, name):
    certificate = read(certificates, name)
    for k, part in enumerate(certificate["fact"]["facts"]):
        for side in ("left", "right"):
            facts = list(certificate["fact"]["facts"])
            facts[k] = part | {side: f"(+ (/ 1 1000000) {part[side]})"}
            assert not accepted(certificate | {"fact": {"kind": "all", "facts": facts}}, certificates)


def test_a_residual_of_a_minimum_is_refused_once_it_bounds_less(certificates):
    certificate = read(certificates, "C8.minimiser-1")
    table = certificate["fact"]["facts"][0]["residuals"]
    for index, (row,) in enumerate(table):
        for factor in (2, -1, 0):
            fact = copy.deepcopy(certificate["fact"])
            fact["facts"][0]["residuals"][index] = [[str(factor * Fraction(x)) for x in row]]
            with pytest.raises(Refused, match="too low a bound"):
                check_certificate(seal(certificate | {"fact": fact}), certificates, solve=False)
        fact = copy.deepcopy(certificate["fact"])
        fact["facts"][0]["residuals"][index] = [[str(Fraction(x) + 1) for x in row]]
        with pytest.raises(Refused, match="a residual does not sum to 0"):
            check_certificate(seal(certificate | {"fact": fact}), certificates, solve=False)
