"""OHIF's published build, installed and served by us, lists and shows what is kept here; it asks nobody else.

It takes 50 MB: it runs where ``RADFUSE_OHIF_PACKAGE`` names the file that ``npm pack @ohif/app@3.13.2`` makes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from radfuse.services.demo import STUDY_UID
from radfuse.services.ohif import install
from tests.support.browser import running_browser
from tests.support.servers import running_node

pytestmark = [pytest.mark.peers, pytest.mark.slow]
_PACKAGE = os.environ.get("RADFUSE_OHIF_PACKAGE", "")
_PATIENCE_MS = 60_000


@pytest.mark.skipif(not _PACKAGE, reason="RADFUSE_OHIF_PACKAGE does not name OHIF's package")
def test_the_study_list_and_the_viewer_work_below_ohif_with_nothing_refused(tmp_path: Path) -> None:
    install(tmp_path / "data", Path(_PACKAGE))
    trouble: list[str] = []
    with (
        running_node(tmp_path / "data", "--http-port", "0", command=("demo", "--workers", "1")) as node,
        running_browser() as browser,
    ):
        found = re.search(r"web at (http://\S+?),", node.ready_line)
        assert found
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("response", lambda answer: trouble.append(answer.url) if answer.status >= 400 else None)
        page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: trouble.append(asked.url) if _is_elsewhere(asked.url, found[1]) else None)
        page.goto(f"{found[1]}/ohif/")
        expect(page.get_by_text("Demo, Radfuse")).to_be_visible(timeout=_PATIENCE_MS)
        page.goto(f"{found[1]}/ohif/viewer/default?StudyInstanceUIDs={STUDY_UID}")
        for description in ("CT thorax, low dose", "PET FDG", "MR T1 thorax"):
            expect(page.get_by_text(description, exact=False).first).to_be_visible(timeout=_PATIENCE_MS)
        frames = "performance.getEntriesByType('resource').filter((each) => each.name.includes('/frames/')).length"
        page.wait_for_function(f"() => {frames} >= 40", timeout=_PATIENCE_MS)
    assert not trouble


def _is_elsewhere(url: str, origin: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and parts.netloc != urlsplit(origin).netloc
