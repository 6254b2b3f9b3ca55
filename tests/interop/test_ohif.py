"""OHIF, served from another origin and unmodified, lists and shows what is kept here over DICOMweb."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response, expect

from radfuse.services.demo import CT_SLICES, STUDY_UID
from tests.interop.conftest import write_settings
from tests.support.browser import running_browser
from tests.support.ohif import OhifServer, unpacked
from tests.support.servers import running_node

pytestmark = [pytest.mark.peers, pytest.mark.slow]
_PATIENCE_MS = 60_000


@dataclass
class Watched:
    """A page of the viewer, and what our service answered to it."""

    page: Page
    origin: str
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    def watch(self, response: Response) -> None:
        path = urlsplit(response.url).path
        if path.startswith("/dicom-web"):
            kind = next((word for word in ("frames", "metadata", "rendered") if f"/{word}" in path), "search")
            self.answers[kind, response.status] += 1


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The viewer's page, configured for a demonstration that allows its origin and no other."""
    ohif = OhifServer(unpacked(tmp_path_factory.mktemp("ohif")))
    data = tmp_path_factory.mktemp("node") / "data"
    write_settings(data, f'cors_origins = ["{ohif.origin}"]\n')
    with ohif.running(), running_node(data, "--http-port", "0", command=("demo", "--workers", "1")) as node:
        found = re.search(r"web at (http://\S+?),", node.ready_line)
        assert found
        ohif.show(f"{found[1]}/dicom-web")
        with running_browser() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(_PATIENCE_MS)
            watched = Watched(page, ohif.origin)
            page.on("response", watched.watch)
            yield watched


def test_the_study_is_in_the_viewers_list(viewer: Watched) -> None:
    viewer.page.goto(viewer.origin)
    expect(viewer.page.get_by_text("Demo, Radfuse")).to_be_visible(timeout=_PATIENCE_MS)
    expect(viewer.page.get_by_text("05-Jan-2026", exact=False).first).to_be_visible()
    assert viewer.answers["search", 200]


def test_every_series_is_listed_and_the_ct_is_shown(viewer: Watched) -> None:
    viewer.page.goto(f"{viewer.origin}/viewer?StudyInstanceUIDs={STUDY_UID}")
    for description in ("CT thorax, low dose", "PET FDG", "MR T1 thorax"):
        expect(viewer.page.get_by_text(description, exact=False).first).to_be_visible(timeout=_PATIENCE_MS)
    viewer.page.wait_for_function(_IS_PICTURE, timeout=_PATIENCE_MS)
    viewer.page.wait_for_function(f"() => {_FRAMES} >= {CT_SLICES}", timeout=_PATIENCE_MS)
    failed = {key: count for key, count in viewer.answers.items() if key[1] >= 400}
    assert not failed
    assert viewer.answers["frames", 200] >= CT_SLICES


_FRAMES = "performance.getEntriesByType('resource').filter((each) => each.name.includes('/frames/')).length"
_IS_PICTURE = """() => [...document.querySelectorAll('canvas')].some((canvas) => {
    if (canvas.width < 300 || canvas.height < 300) return false;
    const copy = document.createElement('canvas');
    copy.width = copy.height = 64;
    const context = copy.getContext('2d');
    context.drawImage(canvas, 0, 0, 64, 64);
    const grey = context.getImageData(0, 0, 64, 64).data.filter((_value, place) => place % 4 === 0);
    return new Set(grey).size > 20;
})"""
