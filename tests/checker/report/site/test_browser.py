"""The site in a headless Chromium, from files: it draws formulas, obeys the keyboard, and fits a phone.
Skipped without a browser.
"""

import pytest

from tests.checker.report.site.chromium import Chromium, path
from tests.checker.report.site.conftest import CLAIMS

pytestmark = pytest.mark.skipif(path() is None, reason="there is no Chromium")

TOO_WIDE = """[...document.querySelectorAll("main *")].filter(e => !e.closest(".scroll, svg, math")
  && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def browser(built, tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


def test_pages_load_from_files_without_errors_or_network(browser, built):
    names = ("index", "names", "claims/C8", "certificates/C8.one-unit", "certificates/coq/net", "experiments")
    for page in (f"{name}.html" for name in names):
        browser.open(built / page)
        assert browser.evaluate("document.styleSheets.length") == 1
        assert browser.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert browser.messages == []
    assert browser.requests and all(address.startswith(("file:", "data:")) for address in browser.requests)


def test_formulas_are_drawn(browser, built):
    browser.open(built / "claims" / "C5.html")
    sizes = browser.evaluate(
        "[...document.querySelectorAll('math')].map(m => m.getBoundingClientRect()).map(b => [b.width, b.height])"
    )
    assert len(sizes) > 5 and all(width > 3 and height > 5 for width, height in sizes)
    # A fraction is higher than a letter, where the browser knows MathML.
    assert browser.evaluate(
        "document.querySelector('mfrac').getBoundingClientRect().height > "
        "document.querySelector('mi').getBoundingClientRect().height"
    )


def test_tab_reaches_every_claim_of_the_graph_and_enter_follows(browser, built):
    browser.open(built / "index.html")
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert browser.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    seen = []
    for _ in range(40):
        browser.press("Tab")
        label = browser.evaluate("document.activeElement.getAttribute('aria-label')") or ""
        if browser.evaluate("document.activeElement.closest('svg') !== null"):
            seen.append(label.split(",")[0])
            ring = browser.evaluate("getComputedStyle(document.activeElement.querySelector('.box')).strokeWidth")
            assert ring == "4px"
        elif seen:
            break
    assert sorted(seen) == sorted(claim.id for claim in CLAIMS)
    browser.evaluate("document.querySelector('svg a[aria-label^=\"C8,\"]').focus()")
    browser._events.clear()
    browser.press("Enter")
    browser.wait("Page.loadEventFired")
    assert browser.evaluate("document.querySelector('h1').textContent") == "C8. Contradiction"


def test_the_copy_button_appears_and_copies_or_selects(browser, built):
    browser.open(built / "claims" / "C8.html")
    assert browser.evaluate("document.querySelector('button[data-copy]').hidden") is False
    browser.evaluate("document.querySelector('button[data-copy]').click(), new Promise(done => setTimeout(done, 200))")
    told = browser.evaluate("document.querySelector('.command [role=status]').textContent")
    chosen = browser.evaluate("getSelection().toString()")
    assert told == "Copied" or (told.startswith("Selected") and chosen == "absence verify C8 --fresh")


def test_a_word_of_a_theorem_leads_to_its_definition_by_keyboard_and_the_place_is_shown(browser, built):
    browser.open(built / "claims" / "C8.html")
    browser.evaluate("document.querySelector('.code a[href$=\\'net.html#minimiser\\']').focus()")
    browser._events.clear()
    browser.press("Enter")
    browser.wait("Page.loadEventFired")
    assert browser.evaluate("document.querySelector('h1').textContent") == "net.v"
    top, height = browser.evaluate("[document.querySelector(':target').getBoundingClientRect().top, innerHeight]")
    assert browser.evaluate("document.querySelector(':target').textContent") == "minimiser" and 0 <= top < height
    colours = "getComputedStyle(document.querySelector('{}')).backgroundColor"
    assert browser.evaluate(colours.format(":target")) != browser.evaluate(colours.format(".stated:not(:target)"))


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_the_screen(browser, built, width):
    browser.resize(width, 800)
    pages = [*built.glob("*.html"), *built.glob("claims/*.html"), *built.glob("certificates/C8.*.html")]
    pages.append(built / "certificates" / "coq" / "c8_main.html")
    for page in pages:
        browser.open(page)
        assert browser.evaluate("document.documentElement.scrollWidth") == width, page.name
        assert browser.evaluate(TOO_WIDE) == [], page.name
    browser.resize(1280, 900)


def test_obligations_are_read_on_a_phone_without_scrolling_sideways(browser, built):
    browser.resize(380, 800)
    browser.open(built / "claims" / "C8.html")
    sides = browser.evaluate("""[...document.querySelectorAll('.many td, .many tbody th')]
        .map(cell => cell.getBoundingClientRect()).map(box => [box.left, box.right, box.width])""")
    assert len(sides) > 50 and all(left >= 0 and right <= 380 and width > 0 for left, right, width in sides)
    named = browser.evaluate("getComputedStyle(document.querySelector('.many td[data-name]'), '::before').content")
    assert named == 'attr(data-name) ": "' or "Scope" in named
    # Rows of blocks are still a table to those who hear it.
    roles = browser.evaluate("[...new Set([...document.querySelectorAll('.many tbody *[role]')].map(e => e.role))]")
    assert sorted(roles) == ["cell", "row", "rowheader"]
    browser.resize(1280, 900)


def test_captions_are_as_narrow_as_the_text_and_the_ring_goes_round_the_plot(browser, built):
    browser.open(built / "experiments.html")
    text, caption = (
        browser.evaluate(f"parseFloat(getComputedStyle(document.querySelector('{tag}')).maxWidth)")
        for tag in ("p", "figcaption")
    )
    assert caption == text
    assert browser.evaluate("getComputedStyle(document.querySelector('figure > a')).display") == "block"


def test_dark_colours_are_used_where_they_are_asked_for(built, tmp_path):
    with Chromium(tmp_path, dark=True) as browser:
        browser.open(built / "index.html")
        assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 25, 31)"
