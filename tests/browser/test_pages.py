"""The book: search, links, pictures, formulas, dark theme, narrow screens, no need of the net."""

import functools
import http.server
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Route,
    expect,
)

from tests.browser import measure
from tests.browser.conftest import PROJECT
from tools import book

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
STEMS = [path.stem for path in NOTEBOOKS]
BUILT = PROJECT / "build" / "book"
#: the book of the stored notebooks, made for the test; and what `make run` left, if it did
SITES = ["written", *(["build"] if (BUILT / "index.html").exists() else [])]
NARROW = {"width": 390, "height": 844}

#: what a formula looks like where nothing has drawn it
RAW_FORMULA = re.compile(r"\$[^$\n]+\$|\$\$|\\(?:frac|ln|sum|partial|cdot|text|mathrm|left)\b")

#: the text of the text cells, without code
PROSE = """root => {
    const copy = root.cloneNode(true);
    copy.querySelectorAll('code, pre, math').forEach(element => element.remove());
    return copy.textContent;
}"""

#: the texts and pictures that a reader cannot reach on a narrow screen
CUT_OFF = """width => {
    const reachable = element => {
        for (let at = element; at; at = at.parentElement) {
            const {overflowX} = getComputedStyle(at);
            if (['auto', 'scroll'].includes(overflowX)) return true;
            if (['hidden', 'clip'].includes(overflowX)) return false;
        }
        return false;
    };
    const lost = [];
    const check = (box, element, name) => {
        if (box.width && box.right > width + 1 && !reachable(element)) {
            lost.push(`${name} ends at ${Math.round(box.right)}`);
        }
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!element.checkVisibility() || element.closest('script, style')) continue;
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        const text = walker.currentNode.textContent.trim().slice(0, 40);
        if (text) check(range.getBoundingClientRect(), element, text);
    }
    for (const picture of document.images) {
        check(picture.getBoundingClientRect(), picture, picture.alt.slice(0, 40));
    }
    return lost;
}"""

LINKS = "anchors => anchors.map(anchor => anchor.getAttribute('href'))"

each_page = pytest.mark.parametrize("stem", STEMS)


class Visit:
    """A page that is opened without a net, and what it did."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self._address = page, address
        self.needed: list[str] = []
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._remember)
        page.route("**/*", self._only_ours)

    def open(self, name: str) -> Page:
        """Open a file of the site."""
        response = self.page.goto(self._address + name)
        assert response is not None
        assert response.ok, f"{name}: {response.status}"
        return self.page

    def _only_ours(self, route: Route, request: Request) -> None:
        if request.url.startswith((self._address, "data:")):
            route.continue_()
            return
        if request.resource_type != "image":  # without a badge, its text is shown instead
            self.needed.append(request.url)
        route.abort()

    def _remember(self, message: ConsoleMessage) -> None:
        outside = not message.location.get("url", "").startswith(self._address)
        refused = "Failed to load resource" in message.text and outside
        if message.type == "error" and not refused:
            self.errors.append(message.text)


@pytest.fixture(scope="module", params=SITES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of pages."""
    if request.param == "build":
        return BUILT
    return book.build(NOTEBOOKS, tmp_path_factory.mktemp("site")).parent


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Serve the folder on this machine."""
    handler = functools.partial(_Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def visit(browser: BrowserContext, address: str) -> Iterator[Visit]:
    """Give a new tab."""
    page = browser.new_page()
    yield Visit(page, address)
    page.close()


@pytest.fixture
def photograph(site: Path, screenshots: Path) -> Callable[[Page, str], None]:
    """Give a function that keeps a screenshot, of the pages written here alone."""

    def take(page: Page, name: str) -> None:
        if site != BUILT:
            page.screenshot(path=screenshots / f"page-{name}.png")

    return take


def title_of(path: Path) -> str:
    return book.title_of(nbformat.read(path, as_version=4), "")


def test_the_front_page_leads_to_every_notebook(
    visit: Visit, photograph: Callable[[Page, str], None]
) -> None:
    """Each notebook has a card with a picture; a click on it opens its page."""
    page = visit.open("index.html")
    photograph(page, "index")
    cards = page.locator("article .sd-card")
    expect(cards).to_have_count(len(STEMS))
    for number, path in enumerate(NOTEBOOKS):
        expect(cards.nth(number).locator("img")).to_have_js_property("complete", True)
        cards.nth(number).locator("a").first.click()
        expect(page.locator("h1").first).to_contain_text(title_of(path))
        page.go_back()
    assert visit.errors == []


def test_the_book_opens_from_disk(browser: BrowserContext, site: Path) -> None:
    """Without a server: the contents lead on, and the search finds."""
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto((site / "index.html").as_uri())
    page.locator("nav.bd-links a").filter(has_text="The DataLoader").first.click()
    expect(page.locator("h1").first).to_contain_text("The DataLoader")
    page.goto((site / "search.html").as_uri() + "?q=perplexity")
    found = page.locator("#search-results li a")
    expect(found.first).to_contain_text("Evaluation and perplexity")
    found.first.click()
    expect(page.locator("h1").first).to_contain_text("Evaluation and perplexity")
    assert errors == []
    page.close()


def test_solutions_are_folded(visit: Visit) -> None:
    """A solution is hidden until one asks for it."""
    page = visit.open("03_dataloader.html")
    box = page.locator("details.hide").filter(has_text="Show the code").first
    code = box.locator("pre").first
    expect(code).to_be_hidden()
    box.locator("summary").click()
    expect(code).to_be_visible()


def test_there_is_a_dark_theme(visit: Visit, photograph: Callable[[Page, str], None]) -> None:
    """Whoever asks for it gets it, and text still stands out."""
    page = visit.open("05_loss_and_training.html")
    page.locator(".theme-switch-button:visible").first.click()
    page.locator(".theme-change-button[data-mode=dark]:visible").first.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    photograph(page, "dark")
    weak = {text for text in measure.contrasts(page.locator("article")) if text.ratio < 4.5}
    assert weak == set()


def test_no_link_is_broken(visit: Visit, address: str) -> None:
    """Files and anchors exist; what leads elsewhere is https and is not followed."""
    links = {}
    anchors = {}
    for name in ("index.html", *(f"{stem}.html" for stem in STEMS)):
        page = visit.open(name)
        anchors[name] = set(page.locator("[id]").evaluate_all("all => all.map(one => one.id)"))
        links[name] = page.locator("a[href]").evaluate_all(LINKS)
    assert sum(map(len, links.values())) > 100
    broken = []
    for name, targets in links.items():
        for target in set(targets):
            if urllib.parse.urlsplit(target).scheme:
                assert target.startswith("https://"), f"{name}: {target}"
                continue
            path, _, fragment = target.partition("#")
            if path and not _answers(urllib.parse.urljoin(address + name, path)):
                broken.append(f"{name}: {target}")
            known = anchors.get(path or name, set())
            if fragment and not {fragment, urllib.parse.unquote(fragment)} & known:
                broken.append(f"{name}: {target}")
    assert broken == []


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


def test_one_can_read_on_from_page_to_page(visit: Visit) -> None:
    """Each page leads to the next one, and back."""
    page = visit.open(f"{STEMS[0]}.html")
    for path in NOTEBOOKS[1:]:
        page.locator("a.right-next").click()
        expect(page.locator("h1").first).to_contain_text(title_of(path))
    page.locator("a.left-prev").click()
    expect(page.locator("h1").first).to_contain_text(title_of(NOTEBOOKS[-2]))


@each_page
def test_a_page_is_complete_without_the_net(
    stem: str, visit: Visit, photograph: Callable[[Page, str], None]
) -> None:
    """No request to others but for badges, no error, no picture missing or without text."""
    page = visit.open(f"{stem}.html")
    photograph(page, stem)
    assert visit.needed == [], "the page asks others for what it needs to be read"
    assert visit.errors == []
    outputs = page.locator(".cell_output img")
    assert outputs.count() >= 1
    for number in range(outputs.count()):
        expect(outputs.nth(number)).to_have_js_property("complete", True)
    for picture in measure.pictures(page.locator("main")):
        assert picture.alt.strip(), "a picture without text alternative"
    broken = outputs.evaluate_all("all => all.filter(one => !one.naturalWidth).length")
    assert broken == 0


@each_page
def test_formulas_are_drawn(
    stem: str, visit: Visit, photograph: Callable[[Page, str], None]
) -> None:
    """No TeX is left as it was typed, and each displayed formula takes room."""
    cells = nbformat.read(PROJECT / "notebooks" / f"{stem}.ipynb", as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    blocks = sum(text.count("$$") for text in texts) // 2
    page = visit.open(f"{stem}.html")
    parts = page.locator("article section > p, article section > ul, article section > ol")
    raw = [text for part in parts.all() for text in RAW_FORMULA.findall(part.evaluate(PROSE))]
    assert raw == [], "TeX is shown as it was typed"
    drawn = page.locator("math[display=block]")
    expect(drawn).to_have_count(blocks)
    for formula in drawn.all():
        box = formula.bounding_box()
        assert box is not None
        assert box["width"] > 50
        assert box["height"] >= 10
    if blocks:
        drawn.last.scroll_into_view_if_needed()
        photograph(page, f"{stem}-formula")


@each_page
def test_text_stands_out_on_a_page(stem: str, visit: Visit) -> None:
    """Text and outputs keep the contrast of WCAG AA."""
    page = visit.open(f"{stem}.html")
    found = []
    for selector in ("article p", "article .cell_output"):
        for part in page.locator(selector).all():
            found += measure.contrasts(part)
    assert len(found) > 30
    weak = sorted({text for text in found if text.ratio < measure.READABLE})
    assert weak == []


@each_page
def test_a_page_fits_a_narrow_screen(
    stem: str, visit: Visit, photograph: Callable[[Page, str], None]
) -> None:
    """The page does not scroll sideways; what is wider scrolls within its own box."""
    visit.page.set_viewport_size(NARROW)
    page = visit.open(f"{stem}.html")
    photograph(page, f"{stem}-narrow")
    width = page.evaluate(
        "() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    )
    assert width <= NARROW["width"]
    cut_off = page.evaluate(CUT_OFF, NARROW["width"])
    assert cut_off == [], f"{len(cut_off)} pieces cannot be reached: {cut_off[:5]}"
    _show(page.locator(".cell_output img").first)
    photograph(page, f"{stem}-narrow-picture")


def _show(element: Locator) -> None:
    element.evaluate("element => element.scrollIntoView({block: 'center'})")
