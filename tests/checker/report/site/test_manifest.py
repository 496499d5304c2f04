"""The manifest fits its schema and says what certificates, claims and pages say; the schema refuses what is none."""

import copy
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.report.site.contents import Site
from proof_of_absence.checker.report.site.examine import examine
from proof_of_absence.checker.report.site.manifest import manifest, schema_text
from tests.checker.report.site.conftest import CLAIMS

SCHEMA = Draft202012Validator(json.loads(schema_text()))
UNCHECKED = manifest(Site(load_claims(), examine(load_claims(), Path("none"))))


@pytest.fixture(scope="module")
def told(built):
    return json.loads((built / "manifest.json").read_text())


def paths(value, here=()):
    """The way to every object in it that has a key."""
    if isinstance(value, dict) and value:
        yield here
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(part, (*here, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def test_it_fits_its_schema_and_the_index_links_both(built, told):
    Draft202012Validator.check_schema(SCHEMA.schema)
    SCHEMA.validate(told)
    index = (built / "index.html").read_text()
    for name in ("manifest.json", "manifest.schema.json"):
        assert f'href="{name}"' in index and (built / name).is_file()


def test_every_digest_is_that_of_the_file_beside_it_and_every_page_is_there(built, told, discharged):
    seen = 0
    for claim in told["claims"]:
        assert f"<h1>{claim['id']}. {claim['title']}</h1>" in (built / claim["page"]).read_text()
        for obligation in claim["obligations"]:
            certificate = obligation["certificate"]
            for file in (certificate, *certificate["needs"]):
                data = (built / file["file"]).read_bytes()
                assert hashlib.sha256(data).hexdigest() == file["sha256"]
                assert (discharged / file["file"]).read_bytes() == data
                seen += 1
            sealed = json.loads((built / certificate["file"]).read_text())
            for name in ("statement", "scope", "expect"):
                assert obligation[name] == sealed[name]
            assert certificate["verdict"] == sealed["verdict"] == obligation["expect"]
            assert certificate["kind"] == sealed["fact"]["kind"]
            told_by_coq = {theorem["text"] for theorem in obligation["theorems"]}
            assert told_by_coq == set(sealed["fact"].get("theorems", {}).values())
    assert seen > 150


def test_it_says_what_the_claims_say(told):
    by_id = {claim["id"]: claim for claim in told["claims"]}
    assert list(by_id) == [claim.id for claim in CLAIMS]
    for claim in CLAIMS:
        found = by_id[claim.id]
        assert found["statement"] == claim.statement and found["limits"] == claim.limits
        assert [premise["text"] for premise in found["premises"]] == list(claim.premises)
        assert [edge["rests_on"] for edge in told["edges"] if edge["claim"] == claim.id] == list(claim.rests_on)
        assert [o["id"] for o in found["obligations"]] == [o.id for o in claim.obligations]
    assert by_id["N3"]["drops"]["claim"] == "C8"
    needed = {premise["text"].partition(":")[0]: premise["countermodels"] for premise in by_id["C8"]["premises"]}
    assert needed["P1"] == ["N3"]
    assert by_id["C8"]["status"] == "proved, universal" and by_id["N3"]["status"] == "proved, instance"
    assert any("Coq" in trusted for trusted in by_id["C8"]["trust"])


def test_what_is_not_checked_has_no_certificate():
    SCHEMA.validate(UNCHECKED)
    assert {claim["status"] for claim in UNCHECKED["claims"]} == {"not checked"}
    for claim in UNCHECKED["claims"]:
        assert claim["trust"] == []
        assert all(o["certificate"] is None and o["reason"] for o in claim["obligations"])


@given(st.data())
def test_the_schema_refuses_a_manifest_with_a_part_missing_or_strange(told, data):
    path = data.draw(st.sampled_from(list(paths(told))))
    name = data.draw(st.sampled_from(sorted(at(told, path))))
    missing, more, other = (copy.deepcopy(told) for _ in range(3))
    del at(missing, path)[name]
    at(more, path)["more"] = 1
    at(other, path)[name] = {"strange": 1}
    assert not any(map(SCHEMA.is_valid, (missing, more, other)))


def test_the_schema_refuses_an_accepted_obligation_without_a_certificate_and_the_reverse(told):
    for state, has in (("accepted", False), ("refused", True), ("not checked", True)):
        changed = copy.deepcopy(told)
        obligation = changed["claims"][0]["obligations"][0]
        obligation["state"] = state
        obligation["certificate"] = obligation["certificate"] if has else None
        assert not SCHEMA.is_valid(changed)
