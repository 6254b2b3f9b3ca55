"""A real service with its console, and a browser that walks it as people do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Response, expect

import hatch_build
from tests.interop.conftest import write_settings
from tests.support.browser import running_browser
from tests.support.servers import RunningNode, running_node

ROOT = Path(__file__).resolve().parents[2]
DESKTOP = (1280, 800)
PATIENCE_MS = 30_000
_FAILED_REQUEST = "Failed to load resource"
"""What the browser says of every answer from 400 on; a walk looks at those itself."""


@dataclass(frozen=True)
class Console:
    """The console of a running service, in a browser."""

    node: RunningNode
    url: str
    browser: Browser

    @contextmanager
    def page(self, size: tuple[int, int] = DESKTOP) -> Iterator[Walker]:
        """A page of a browser that was never here. Fails when scripts fail or the service does."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="en-GB", base_url=self.url, reduced_motion="reduce"
        )
        try:
            walker = Walker(context, context.new_page())
            walker.page.set_default_timeout(PATIENCE_MS)
            yield walker
            assert walker.complaints == []
        finally:
            context.close()


@dataclass
class Walker:
    """A page, with what people do on it."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors of scripts, what the security policy refused, and answers from 500 on."""

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_FAILED_REQUEST):
            self.complaints.append(message.text)

    def _see(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")

    def go(self, path: str) -> None:
        """Open a page of the console and wait for its heading."""
        self.page.goto(path)
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button by what stands on it."""
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    def rows(self) -> Locator:
        """The lines of a list, without its head."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("gridcell"))

    def row(self, text: str) -> Locator:
        """The lines of a list that say this."""
        return self.rows().filter(has_text=text)

    def search(self, words: str) -> None:
        """Type into the page's search field."""
        self.page.get_by_role("searchbox", name="Search studies").fill(words)

    def upload(self, files: Sequence[Path]) -> None:
        """Pick files on the page of the studies, and wait until all of them are there."""
        self.button("Upload").first.click()
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("menuitem", name=re.compile("Files")).click()
        chooser.value.set_files(files)
        card = self.page.get_by_role("region", name="Upload")
        expect(card).to_contain_text(f"Uploaded {len(files)} file", timeout=3 * PATIENCE_MS)
        card.get_by_role("button", name="Close").click()

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Wait for words."""
        expect(self.page.get_by_text(text).first).to_be_visible()


@pytest.fixture(scope="session")
def built() -> None:
    """The console's files. Builds them where there are none; skips where that cannot be."""
    if (hatch_build.static_of(ROOT) / "index.html").exists():
        return
    try:
        hatch_build.build(ROOT)
    except hatch_build.ConsoleNotBuilt as error:
        pytest.skip(f"the console was not built: {error}")


@pytest.fixture(scope="module", autouse=True)
def services_at_full_speed() -> Iterator[None]:
    """No coverage is measured in the services that walks start: other tests reach their lines, in half the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module; each test has a page and cookies of its own."""
    expect.set_options(timeout=PATIENCE_MS)
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def console(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, built: None, browser: Browser
) -> Iterator[Console]:
    """The service and its console, for a module, which may give ``SETTINGS`` (TOML) and ``COMMAND``."""
    data = tmp_path_factory.mktemp("console") / "data"
    write_settings(data, getattr(request.module, "SETTINGS", ""))
    command = getattr(request.module, "COMMAND", ("serve", "--workers", "1"))
    with running_node(data, "--http-port", "0", command=command) as node:
        yield Console(node, url_of(node), browser)


def url_of(node: RunningNode) -> str:
    """Where the service's web server is."""
    found = re.search(r"web at (http://\S+?),", node.ready_line)
    assert found, node.ready_line
    return found[1]


@pytest.fixture
def walker(console: Console) -> Iterator[Walker]:
    """A fresh page of the module's console."""
    with console.page() as walking:
        yield walking
