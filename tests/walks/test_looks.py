"""How soon the console is there, how much it is, and whether it fits a tablet."""

from __future__ import annotations

import gzip
import re

import pytest
from playwright.sync_api import expect

import hatch_build
from radfuse.services.demo import STUDY_UID
from tests.walks.conftest import ROOT, Console

pytestmark = pytest.mark.slow

COMMAND = ("demo", "--workers", "1")
TABLET = (820, 1180)
MOST_KB = 600
_PAGES = (
    "/",
    f"/?study={STUDY_UID}",
    "/query",
    "/jobs",
    "/peers",
    "/rules",
    "/status",
    "/audit",
    "/users",
    "/settings",
    "/settings/tls",
)
_CLOCK = """new MutationObserver(() => {
    if (!window.usable_ms && document.querySelector('[role=row] [role=gridcell]')) window.usable_ms = performance.now();
}).observe(document, { childList: true, subtree: true })"""
"""Notes when the first study is in the list, by the browser's clock: it begins with the request for the page."""
_SIDEWAYS = """() => [...document.querySelectorAll('html, body, main, header')]
    .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.tagName)"""
_OUTSIDE = """() => [...document.querySelectorAll('button, input, h1, h2, a')]
    .filter((each) => each.offsetParent !== null && !each.closest('[role=grid], [role=treegrid]'))
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .map((each) => each.getAttribute('aria-label') || each.textContent)"""


def test_the_first_page_is_usable_at_once(console: Console) -> None:
    took_ms = []
    for _ in range(3):
        with console.page() as walker:
            walker.context.add_init_script(_CLOCK)
            walker.page.goto("/")
            search = walker.page.get_by_role("searchbox", name="Search studies")
            expect(search).to_be_editable()
            expect(walker.row("DEMO")).to_be_visible()
            took_ms.append(walker.page.evaluate("usable_ms"))
            search.fill("demo")
            expect(walker.rows()).to_have_count(1)
    print(f"first page usable after {', '.join(f'{ms:.0f}' for ms in took_ms)} ms")


def test_everything_together_is_small() -> None:
    static = hatch_build.static_of(ROOT)
    if not (static / "index.html").exists():
        pytest.skip("the console was not built")
    files = [path for path in static.rglob("*") if path.is_file() and path.suffix != ".gz"]
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in files}
    total_kb = sum(sizes.values()) / 1000
    print(f"{len(files)} files, {total_kb:.0f} KB compressed")
    assert total_kb < MOST_KB


@pytest.mark.parametrize("path", _PAGES)
def test_nothing_lies_beside_a_tablets_screen(console: Console, path: str) -> None:
    with console.page(TABLET) as walker:
        walker.go(path)
        walker.page.wait_for_load_state("load")
        expect(walker.page.get_by_role("navigation", name="Pages")).to_be_visible()
        expect(walker.page.locator("[aria-busy=true]")).to_have_count(0)
        assert walker.page.evaluate(_SIDEWAYS) == []
        assert walker.page.evaluate(_OUTSIDE) == []


def test_the_demonstrations_study_opens_with_its_pictures(console: Console) -> None:
    with console.page() as walker:
        walker.page.goto(f"/?study={STUDY_UID}")
        panel = walker.page.get_by_role("complementary")
        expect(panel.get_by_role("heading", name=re.compile("DEMO"))).to_be_visible()
        pictures = panel.get_by_role("img")
        expect(pictures.first).to_be_visible()
        walker.page.wait_for_function(
            "() => { const all = [...document.querySelectorAll('aside img')];"
            " return all.length > 2 && all.every((each) => each.naturalWidth > 0); }"
        )
