"""The site's scripts in a headless Chromium, from files: search, the graph that moves, folded proofs, types of names.
Skipped without a browser.
"""

import re

import pytest

from tests.checker.report.site.chromium import Chromium, path

pytestmark = pytest.mark.skipif(path() is None, reason="there is no Chromium")

WAIT = "new Promise(done => { const look = () => (%s) ? done(true) : setTimeout(look, 20); look(); })"
CHOSEN = "document.querySelector('[role=option][aria-selected=true]')"
STATUS = "document.querySelector('[data-search] [role=status]').textContent"
VIEW = "document.querySelector('svg.graph').getAttribute('viewBox').split(' ').map(Number)"
PLACE = (
    "(b => [b.left, b.top, b.width, b.height])(document.querySelector('[data-zoom] .scroll').getBoundingClientRect())"
)


@pytest.fixture(scope="module")
def browser(built, tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture(autouse=True)
def nothing_is_refused(browser):
    """The pages' own policy allows all that the scripts do, and nothing but files is asked for."""
    browser.messages.clear()
    yield
    assert browser.messages == []
    assert all(address.startswith(("file:", "data:")) for address in browser.requests)
    browser.resize(1280, 900)


def wait(browser, condition: str) -> None:
    assert browser.evaluate(WAIT % condition)


def follows(browser, key: str) -> None:
    browser._events.clear()
    browser.press(key)
    browser.wait("Page.loadEventFired")


@pytest.mark.parametrize("page", ["index.html", "claims/C8.html", "certificates/coq/net.html"])
def test_search_by_keyboard_finds_a_theorem_and_goes_to_it(browser, built, page):
    browser.open(built / page)
    browser.press("/")
    assert browser.evaluate("document.activeElement.value") == ""
    browser.type("no removable")
    wait(browser, f"{CHOSEN} !== null")
    assert browser.evaluate(f"{CHOSEN}.querySelector('.name').textContent") == "C8_no_removable"
    assert re.fullmatch(r"[1-9]\d* found", browser.evaluate(STATUS))
    browser.press("ArrowDown")
    assert browser.evaluate(f"{CHOSEN}.querySelector('.name').textContent") == "C16_no_removable"
    assert browser.evaluate("document.activeElement.getAttribute('aria-activedescendant')") == browser.evaluate(
        f"{CHOSEN}.id"
    )
    browser.press("ArrowUp")
    follows(browser, "Enter")
    assert browser.evaluate("location.pathname").endswith("certificates/coq/c8_main.html")
    assert browser.evaluate("document.querySelector(':target').textContent") == "C8_no_removable"


def test_search_looks_through_statements_ranks_claims_first_and_closes(browser, built):
    browser.open(built / "index.html")
    browser.press("/")
    browser.type("contradiction")
    wait(browser, f"{CHOSEN} !== null")
    assert browser.evaluate(f"{CHOSEN}.dataset.address") == "claims/C8.html"
    browser.press("Escape")
    assert browser.evaluate("document.getElementById('found').hidden")
    assert browser.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"
    browser.press("Escape")
    assert browser.evaluate("document.activeElement.tagName") == "BODY"
    # In no name, in a statement.
    browser.press("/")
    browser.type("minimiser z y theta")
    wait(browser, f"{CHOSEN} !== null && {CHOSEN}.dataset.address.startsWith('certificates/coq/')")
    assert browser.evaluate(f"{CHOSEN}.querySelectorAll('mark').length") >= 1
    browser.press("/")
    browser.type("zzzz<b>")
    wait(browser, f"{STATUS} === 'Nothing found'")


def test_search_is_read_on_a_phone_and_by_pressing(browser, built):
    browser.resize(390, 800)
    browser.open(built / "claims" / "N3.html")
    browser.evaluate("document.querySelector('[data-search] input').focus()")
    browser.type("train_idle")
    wait(browser, f"{CHOSEN} !== null")
    left, right = browser.evaluate("(b => [b.left, b.right])(document.querySelector('.found').getBoundingClientRect())")
    assert left >= 0 and right <= 390
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    browser._events.clear()
    browser.evaluate(f"{CHOSEN}.click()")
    browser.wait("Page.loadEventFired")
    assert browser.evaluate("document.querySelector(':target').textContent") == "train_idle"


def test_the_graph_moves_and_changes_its_size_by_keyboard_and_is_reset(browser, built):
    browser.open(built / "index.html")
    whole = browser.evaluate(VIEW)
    browser.evaluate("document.querySelector('[data-zoom] .scroll').focus()")
    browser.press("+")
    browser.press("+")
    near = browser.evaluate(VIEW)
    assert near[2] < whole[2] and near[3] < whole[3] and near[2] / near[3] == pytest.approx(whole[2] / whole[3])
    browser.press("ArrowRight")
    browser.press("ArrowDown")
    moved = browser.evaluate(VIEW)
    assert moved[0] > near[0] and moved[1] > near[1] and moved[2:] == near[2:]
    browser.press("ArrowLeft")
    browser.press("ArrowUp")
    assert browser.evaluate(VIEW) == pytest.approx(near)
    browser.press("-")
    assert browser.evaluate(VIEW)[2] > near[2]
    browser.press("0")
    assert browser.evaluate(VIEW) == pytest.approx(whole)
    larger, smaller, reset = (f"document.querySelector('[data-key=\"{key}\"]').click()" for key in "+-0")
    browser.evaluate(larger)
    assert browser.evaluate(VIEW)[2] < whole[2]
    browser.evaluate(smaller)
    browser.evaluate(reset)
    assert browser.evaluate(VIEW) == pytest.approx(whole)
    # It never leaves the drawing.
    browser.evaluate("document.querySelector('[data-zoom] .scroll').focus()")
    for _ in range(3):
        browser.press("+")
    for _ in range(30):
        browser.press("ArrowRight")
    x, _, wide, _ = browser.evaluate(VIEW)
    assert x > 0 and x + wide <= whole[2] + 1


def test_the_graph_is_dragged_and_sized_by_wheel_and_fingers(browser, built):
    browser.open(built / "index.html")
    browser.evaluate("document.querySelector('[data-zoom]').scrollIntoView()")
    left, top, wide, high = browser.evaluate(PLACE)
    middle = (left + wide / 2, top + high / 2)
    whole = browser.evaluate(VIEW)
    browser.wheel(*middle, -300, ctrl=True)
    wait(browser, f"{VIEW}[2] < {whole[2]}")
    near = browser.evaluate(VIEW)
    # What was under the pointer still is.
    at = [view[0] + view[2] / 2 for view in (whole, near)]
    assert at[0] == pytest.approx(at[1], abs=1)
    browser.drag(middle, (middle[0] - 60, middle[1] - 30))
    moved = browser.evaluate(VIEW)
    assert moved[0] > near[0] and moved[1] > near[1]
    # A press on a claim that moves follows no link.
    assert browser.evaluate("location.pathname").endswith("index.html")
    browser.send("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
    browser.pinch(middle, 60, 180)
    assert browser.evaluate(VIEW)[2] < moved[2]
    browser.send("Emulation.setTouchEmulationEnabled", enabled=False)


def test_on_a_phone_the_graph_begins_large_enough_to_read_and_tab_brings_claims_into_sight(browser, built):
    browser.resize(390, 800)
    browser.open(built / "index.html")
    left, _, wide, _ = browser.evaluate(PLACE)
    assert left >= 0 and left + wide <= 390
    assert browser.evaluate(f"{PLACE}[2] / {VIEW}[2]") > 0.55
    browser.evaluate("document.querySelector('svg a[aria-label^=\"C8,\"]').focus()")
    box = browser.evaluate(
        "(b => [b.left, b.right])(document.activeElement.querySelector('.box').getBoundingClientRect())"
    )
    assert left - 1 <= box[0] and box[1] <= left + wide + 1


def test_proofs_are_folded_opened_all_at_once_and_by_a_link_to_one(browser, built):
    page = built / "certificates" / "coq" / "c8_main.html"
    browser.open(page)
    opened = "[...document.querySelectorAll('details.proof')].map(proof => proof.open)"
    assert len(browser.evaluate(opened)) > 3 and not any(browser.evaluate(opened))
    browser.evaluate("document.querySelector('[data-fold]').focus()")
    browser.press("Enter")
    wait(browser, "document.querySelector('[data-fold]').textContent === 'Close all proofs'")
    assert all(browser.evaluate(opened))
    browser.press("Enter")
    wait(browser, "document.querySelector('[data-fold]').textContent === 'Open all proofs'")
    assert not any(browser.evaluate(opened))
    browser.open(built / "claims" / "C8.html")
    browser.evaluate("document.querySelector('a[href$=\"#proof-of-C8_no_removable\"]').focus()")
    follows(browser, "Enter")
    wait(browser, "document.querySelector('details.proof[open] :target') !== null")
    assert browser.evaluate(opened).count(True) == 1
    assert "exact/(C6_equivalents" in browser.evaluate("document.querySelector(':target').textContent")


def test_a_name_shows_its_type_by_keyboard_and_by_pointer(browser, built, site):
    browser.open(built / "claims" / "C8.html")
    link = "document.querySelector('.code a[href$=\"net.html#minimiser\"]')"
    tip = "document.querySelector('[role=tooltip]')"
    browser.evaluate(f"{link}.focus()")
    wait(browser, f"!{tip}.hidden")
    told = browser.evaluate(f"{tip}.textContent")
    assert told.startswith("minimiser : forall") and told.endswith("says Coq")
    assert site.types["net.v"]["minimiser"] in told
    assert browser.evaluate(f"{link}.getAttribute('aria-describedby') === {tip}.id")
    browser.press("Escape")
    assert browser.evaluate(f"{tip}.hidden && !{link}.hasAttribute('aria-describedby')")
    browser.open(built / "certificates" / "coq" / "net.html")
    browser.evaluate("document.getElementById('relu').scrollIntoView({block: 'center'})")
    x, y = browser.evaluate("(b => [b.left + 5, b.top + 5])(document.getElementById('relu').getBoundingClientRect())")
    browser.point(x, y)
    wait(browser, f"!{tip}.hidden")
    assert browser.evaluate(f"{tip}.textContent").startswith("relu : forall R : realFieldType, R -> R")
    browser.point(5, 5)
    wait(browser, f"{tip}.hidden")


def test_on_a_phone_a_type_stays_on_the_screen(browser, built):
    browser.resize(390, 800)
    browser.open(built / "certificates" / "coq" / "c8_main.html")
    browser.evaluate("document.querySelector('.code pre a[href$=\"#C7_reassignment\"]').closest('details').open = true")
    browser.evaluate("document.querySelector('.code pre a[href$=\"#C7_reassignment\"]').focus()")
    wait(browser, "!document.querySelector('[role=tooltip]').hidden")
    left, right = browser.evaluate(
        "(b => [b.left, b.right])(document.querySelector('[role=tooltip]').getBoundingClientRect())"
    )
    assert left >= 0 and right <= 390


def test_without_scripts_the_pages_are_whole(browser, built):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(built / "index.html")
        shown = "getComputedStyle(document.querySelector('{}')).display"
        assert browser.evaluate(shown.format("[data-search]")) == "none"
        assert browser.evaluate(shown.format(".tools")) == "none"
        assert browser.evaluate("document.querySelectorAll('svg a').length") > 5
        assert browser.evaluate("document.querySelector('nav a[href=\"names.html\"]') !== null")
        browser.open(built / "certificates" / "coq" / "c8_main.html")
        assert browser.evaluate(shown.format("[data-fold]")) == "none"
        assert browser.evaluate("document.querySelector('details.proof > summary').textContent").startswith(
            "Proof of C8"
        )
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)
