"""The pages by themselves: they parse, every link leads somewhere, they need no network,
and say what the certificates say.
"""

import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import html5lib
import networkx as nx
import pytest

from proof_of_absence.checker.independent.results import experiment
from proof_of_absence.checker.kernel.certificate import FORMAT, seal
from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.obligation import Claim, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, lt
from proof_of_absence.checker.report.site.contents import Site
from proof_of_absence.checker.report.site.examine import State, examine
from proof_of_absence.checker.report.site.experiments import EXPECTED, read
from proof_of_absence.checker.report.site.pages import pages
from tests.checker.report.site.conftest import CLAIMS

WITHOUT_END = {"meta", "link", "img", "wbr", "br", "input"}


class Page(HTMLParser):
    """Elements of a page with their attributes, in order.

    Tags must be closed in the order in which they were opened.
    """

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in WITHOUT_END:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, name: str) -> list[str]:
        """Every value of an attribute."""
        return [attributes[name] for _, attributes in self.elements if attributes.get(name) is not None]


@pytest.fixture(scope="module")
def parsed(built) -> dict[Path, Page]:
    return {path: Page(path.read_text()) for path in sorted(built.rglob("*.html"))}


def test_every_link_and_anchor_resolves_and_ids_are_unique(built, parsed):
    assert len(parsed) > 100
    ids = {path.resolve(): page.all("id") for path, page in parsed.items()}
    for path, page in parsed.items():
        assert len(set(ids[path.resolve()])) == len(ids[path.resolve()])
        for address in page.all("href") + page.all("src"):
            if address == "data:,":
                continue
            file, _, anchor = address.partition("#")
            target = (path.parent / file).resolve() if file else path.resolve()
            assert target.is_file() and target.is_relative_to(built.resolve()), (path, address)
            assert not anchor or anchor in ids[target], (path, address)
        for name in ("aria-labelledby", "data-copy"):
            for value in page.all(name):
                assert set(value.split()) <= set(ids[path.resolve()])


def test_nothing_is_fetched_from_elsewhere_and_nothing_runs_inline(built, parsed):
    for page in parsed.values():
        assert not [a for a in page.all("href") + page.all("src") if re.match(r"\w+:|//", a) and a != "data:,"]
        assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
        assert not page.all("style")
        assert "default-src 'none'" in page.all("content")[1]
        assert {attributes.get("src") is not None for tag, attributes in page.elements if tag == "script"} <= {True}
    for path in (built / "style.css", *built.glob("*.js")):
        assert not re.search(r"url\(|@import|https?:|\beval\b\(|innerHTML|fetch\(", path.read_text())
    for path in built.rglob("*.svg"):
        assert not re.search(r"href|<script|url\((?!#)", path.read_text())


def test_pages_say_their_language_have_headings_in_order_and_words_for_pictures(parsed):
    for path, page in parsed.items():
        assert dict(page.elements)["html"]["lang"] == "en"
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels)), path
        assert all(attributes.get("alt") for tag, attributes in page.elements if tag == "img")
        assert page.elements[[tag for tag, _ in page.elements].index("a")] == ("a", {"class": "skip", "href": "#main"})


@pytest.mark.parametrize(
    "name", ["index", "countermodels", "experiments", "names", "claims/C8", "certificates/C8.one-unit"]
)
def test_pages_are_html_without_errors(built, name):
    html5lib.HTMLParser(strict=True).parse((built / f"{name}.html").read_text())


def test_every_claim_has_a_page_with_its_parts(built, site):
    index = (built / "index.html").read_text()
    for claim in CLAIMS:
        page = (built / "claims" / f"{claim.id}.html").read_text()
        assert index.count(f'href="claims/{claim.id}.html"') >= 3
        for part in ("Statement", "Premises", "Proof", "In Coq", "Obligations", f"absence verify {claim.id} --fresh"):
            assert part in page
        assert "<math>" in page and "$" not in page.split("<h2", 2)[1]
        for obligation in claim.obligations:
            assert f'href="../certificates/{obligation.id}.html"' in page
        for name in claim.rests_on:
            assert f'href="../claims/{name}.html"' in page
    main = (built / "claims" / "C8.html").read_text()
    assert "Closed under the global context (no axiom), says Coq" in main and "N3 P1 needed" in main
    assert "(no countermodel without it is known)" in main
    assert "No theorem in Coq" in (built / "claims" / "N3.html").read_text()
    assert f"All {len(site.findings)} obligations of {len(CLAIMS)} claims" in index


def test_a_claim_shows_all_that_it_rests_on(built, site):
    for claim in CLAIMS:
        page = (built / "claims" / f"{claim.id}.html").read_text()
        _, *drawn = page.split('<svg class="graph"')
        if claim.drops or not claim.rests_on:
            assert not drawn
            continue
        boxes = re.findall(r'<a href="(\w+)\.html" class="claim', drawn[0].split("</svg>\n")[0])
        assert sorted(boxes) == sorted({claim.id} | nx.ancestors(site.graph, claim.id))


def test_certificates_and_scripts_are_there_as_they_are(built, discharged):
    for name in ("C8.one-unit.json", "C8.one-unit.smt2", "coq/c8_main.v", "N3.deployment.json"):
        assert (built / "certificates" / name).read_bytes() == (discharged / "certificates" / name).read_bytes()


def test_the_same_findings_give_the_same_bytes(built, site, discharged, experiments):
    claims = CLAIMS[:2]
    made = [pages(Site(claims, examine(claims, discharged / "certificates", jobs=jobs))) for jobs in (1, 2)]
    assert made[0] == made[1]


def marked(page: bytes) -> str:
    """The claim's own mark, below its title."""
    return re.search(r'</h1>\s*<p><span class="badge (\w+)">', page.decode()).group(1)


def test_what_is_tampered_with_is_refused_and_what_rests_on_it_is_blocked(discharged, tmp_path):
    folder = tmp_path / "certificates"
    shutil.copytree(discharged / "certificates", folder)
    path = folder / "C2.deep.json"
    path.write_text(path.read_text().replace('"seconds"', '"second"', 1).replace('"holds": true', '"holds": false'))
    stolen, other = (json.loads((folder / f"{name}.json").read_text()) for name in ("C3.exact", "C2.exact"))
    (folder / "C3.exact.json").write_text(json.dumps(seal(stolen | {"fact": other["fact"]})))
    (folder / "C5.norm.smt2").write_text((folder / "C5.norm.smt2").read_text() + "\n")
    (folder / "C4.line.json").unlink()
    source = folder / "coq" / "c1_detector.v"
    source.write_text(source.read_text() + "(* *)")
    site = Site(CLAIMS, examine(CLAIMS, folder))
    made = pages(site)
    states = {f.obligation.id: (f.state, f.reason) for f in site.open_ends}
    assert states["C2.deep"] == (State.REFUSED, "the digest does not fit the content")
    assert states["C3.exact"] == (State.REFUSED, "it is about another fact")
    assert states["C5.norm"] == (State.REFUSED, "script C5.norm.smt2 is not the one that was decided")
    assert states["C4.line"] == (State.MISSING, "there is no C4.line.json")
    # The kernel's certificates name every source.
    assert states["C8.universal"] == (State.REFUSED, "script c1_detector.v is not the one that was decided")
    for name in ("C1", "C2", "C3", "C5", "C7", "C8"):
        assert marked(made[f"claims/{name}.html"]) == "refused"
    assert b"C2.deep.json" not in made["claims/C2.html"] and "certificates/C2.deep.json" not in made
    assert b"Refused: the digest does not fit the content" in made["claims/C2.html"]
    assert b"Not all is checked" in made["index.html"] and b"which is not proved here" in made["index.html"]
    assert marked(made["claims/N3.html"]) == "instance"


def test_a_missing_certificate_blocks_what_rests_on_it(site):
    findings = site.findings | examine(CLAIMS[:0], Path("none"))
    (c4,) = [claim for claim in CLAIMS if claim.id == "C4"]
    findings |= examine([c4], Path("none"))
    made = pages(Site(CLAIMS, findings))
    assert marked(made["claims/C4.html"]) == "open"
    assert [marked(made[f"claims/{name}.html"]) for name in ("C6", "C7", "C8")] == ["blocked"] * 3
    assert marked(made["claims/C5.html"]) == "universal"


def test_without_certificates_nothing_is_proved_on_any_page():
    claims = load_claims()
    made = pages(Site(claims, examine(claims, Path("none")), read(Path("none"))))
    for claim in claims:
        assert marked(made[f"claims/{claim.id}.html"]) == "open"
        assert b"Nothing yet: no certificate is accepted here." in made[f"claims/{claim.id}.html"]
    assert not [path for path in made if path.startswith(("certificates/", "pictures/"))]
    assert made["experiments.html"].count(b"Not run: <code>make experiments</code>") == len(EXPECTED)


def test_experiments_are_shown_with_their_scope_or_refused(built, experiments, tmp_path):
    page = (built / "experiments.html").read_text()
    told = re.sub("<[^>]*>", "", page)
    assert told.count("Instance: 1 &lt; 2 nets.") == 1
    assert "Loss and size, of an experiment in the format x/1, of which nothing more is known here." in told
    assert 'src="experiments/census/loss-and-size.svg"' in page
    assert "parameters / values" in page and "2 entries, in result.json" in page
    assert page.count("Not run: <code>make experiments</code>") == len(EXPECTED) - 1
    shutil.copytree(experiments, tmp_path / "copy")
    path = tmp_path / "copy" / "census" / "result.json"
    path.write_text(path.read_text().replace("Instance", "Universal"))
    (tmp_path / "copy" / "scale").mkdir()
    (tmp_path / "copy" / "scale" / "result.json").write_text("{")
    (tmp_path / "copy" / "more").mkdir()
    fact = {"kind": "separating-unit", "inputs": [["1"]], "residuals": ["1"], "weights": ["1"], "bias": "0"}
    for name, product in (("more", "2"), ("world", "1")):
        facts = {"one": fact | {"inner_product": product}}
        told = {"scope": "Instance.", "conclusion": ["So it is.", "And so."]}
        sealed = seal({"format": experiment.FORMAT, **told, "facts": facts})
        (tmp_path / "copy" / name).mkdir(exist_ok=True)
        (tmp_path / "copy" / name / "result.json").write_text(json.dumps(sealed))
    found = {e.name: e for e in read(tmp_path / "copy")}
    assert found["world"].decided and not found["world"].refused
    assert re.match(r"result\.json: .*one: ", found["more"].refused)
    assert found["census"].refused == "result.json: the digest does not fit the content"
    assert found["scale"].refused.startswith("result.json is not readable")
    (tmp_path / "copy" / "world" / "who-wins.svg").write_text("<svg/>")
    broken = {"format": "absence-lifetimes/1", "scope": "Instance."}
    (tmp_path / "copy" / "world" / "result.json").write_text(json.dumps(seal(broken)))
    assert re.match("result.json: ", {e.name: e for e in read(tmp_path / "copy")}["world"].refused)
    site = Site(CLAIMS, examine(CLAIMS, Path("none")), tuple(found.values()))
    shown = pages(site)["experiments.html"].decode()
    assert "Universal" not in shown
    assert "</strong> So it is. And so. </p>" in shown
    assert [e.name for e in site.refused_results] == ["census", "scale", "more"]


def colours(scheme: str) -> dict[str, str]:
    text = (Path(__file__).parents[4] / "checker" / "report" / "site" / "templates" / "style.css").read_text()
    light, dark = text.split("prefers-color-scheme: dark", 1)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", light))
    return found if scheme == "light" else found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", dark))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme):
    """The contrast of WCAG 2, at least 4.5 for text."""
    found = colours(scheme)
    pairs = [(ink, ground) for ink in ("ink", "muted", "link") for ground in ("ground", "soft")]
    pairs += [(ink, "soft") for ink in ("word", "name", "comment", "string")]
    keys = ("universal", "conditional", "classical", "bounded", "instance", "open", "blocked", "bad")
    pairs += [(f"{key}-ink", key) for key in keys]
    pairs += [("bad-ink", "ground"), ("ground", "link")]
    # A claim's name on its box.
    pairs += [("ink", key) for key in keys]
    # A small mark on the box of another scope; as a drawing 3 would do.
    pairs += [(f"{mark}-ink", box) for mark in keys[:5] for box in keys[:5]]
    for ink, ground in pairs:
        low, high = sorted((luminance(found[ink]), luminance(found[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)


def test_an_answer_that_no_solver_gave_is_refused_where_the_solvers_are_asked_again(tmp_path):
    """A false statement with an unsat answer that was made up.

    Without `solve` the pages say that answers are taken as they are.
    """
    script = Script("QF_LRA")
    x = script.real("x")
    script.premise(lt(0, x))
    script.decide("claim_fails", lt(1, x))
    query = Obligation("A1.forged", "no positive number is above 1", Scope.BOUNDED, lambda: Query(script))
    control = Obligation("A1.control", "", Scope.BOUNDED, lambda: Query(script), Verdict.REFUTED)
    claim = Claim("A1", "Forged", "$x$", (), "", "", (query, control))
    (tmp_path / "A1.forged.smt2").write_text(script.text())
    fact = {
        "kind": "smt",
        "file": "A1.forged.smt2",
        "sha256": hashlib.sha256(script.text().encode()).hexdigest(),
        "deciding": "claim_fails",
        "answer": "unsat",
        "premises_witness": {"x": "1"},
    }
    stated = {"statement": query.statement, "scope": "bounded", "expect": "PROVED", "verdict": "PROVED", "holds": True}
    about = {"format": FORMAT, "claim": "A1", "obligation": query.id, "runs": [], "versions": {}, "key": ""}
    forged = {**about, **stated, "fact": fact}
    (tmp_path / "A1.forged.json").write_text(json.dumps(seal(forged)))
    taken, asked = (examine([claim], tmp_path, solve=solve) for solve in (False, True))
    assert taken["A1.forged"].state is State.ACCEPTED
    assert asked["A1.forged"].state is State.REFUSED and "unsat" in asked["A1.forged"].reason
    said = [
        pages(Site((claim,), found, solved=solved))["index.html"] for found, solved in ((taken, False), (asked, True))
    ]
    assert b"are those of the run that made the certificates" in said[0]
    assert b"unsat answers by both solvers and theorems by Coq" in said[1]
