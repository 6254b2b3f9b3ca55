"""Media on the page: a study becomes a file-set that other readers open, and comes back in with a report."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect
from pydicom.fileset import FileSet

from radfuse.services.demo import CT_SLICES, INSTANCES, STUDY_UID
from tests.interop.conftest import write_settings
from tests.support.servers import running_node
from tests.walks.conftest import Console, Walker, url_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning:pydicom")]

WRITING_MS = 60_000


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the server that may be imported from and exported to."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="module")
def console(shelf: Path, tmp_path_factory: pytest.TempPathFactory, built: None, browser: Browser) -> Iterator[Console]:
    """The demonstration, which knows the shelf."""
    data = tmp_path_factory.mktemp("console") / "data"
    write_settings(data, f'[media]\nimport_folders = ["{shelf}"]\nexport_folders = ["{shelf}"]\n')
    with running_node(data, "--http-port", "0", command=("demo", "--workers", "1")) as node:
        yield Console(node, url_of(node), browser)


def made(walker: Walker, dialog: Locator, button: str, place: Path) -> Path:
    """What a dialog makes, downloaded."""
    dialog.get_by_role("button", name=button).click()
    link = dialog.get_by_role("link", name=re.compile("^Download"))
    expect(link).to_be_visible(timeout=WRITING_MS)
    with walker.page.expect_download() as download:
        link.click()
    download.value.save_as(place)
    return place


def test_a_study_is_planned_written_and_read_by_others(console: Console, walker: Walker, tmp_path: Path) -> None:
    walker.go("/")
    walker.row("DEMO").click()
    opened = walker.page.get_by_role("complementary").get_by_role("heading", name=re.compile("DEMO"))
    expect(opened).to_be_visible()
    walker.page.keyboard.press("e")
    dialog = walker.page.get_by_role("dialog", name="Export to media")
    plan = dialog.get_by_role("region", name="Plan")
    expect(plan).to_contain_text(f"1 CD, {INSTANCES} objects")
    dialog.get_by_role("combobox", name="Medium").fill("CT and MR")
    walker.page.get_by_role("option", name=re.compile("STD-CTMR-CD")).click()
    expect(plan).to_contain_text("Positron Emission Tomography")
    expect(dialog.get_by_role("button", name="Make the zip file")).to_be_disabled()
    dialog.get_by_role("combobox", name="Medium").fill("CD, uncompressed")
    walker.page.get_by_role("option", name="STD-GEN-CD", exact=False).first.click()
    expect(plan).to_contain_text(f"1 CD, {INSTANCES} objects")
    with zipfile.ZipFile(made(walker, dialog, "Make the zip file", tmp_path / "set.zip")) as file:
        assert {"DICOMDIR", "INDEX.HTM", "README.TXT", "SHA256.TXT"} <= set(file.namelist())
        file.extractall(tmp_path / "set")
    found = FileSet(tmp_path / "set" / "DICOMDIR")
    found._stage["t"].cleanup()  # which it leaves to the garbage collector
    assert len(found) == INSTANCES
    assert {each.StudyInstanceUID for each in found} == {STUDY_UID}
    walker.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_series_goes_on_a_disc_image_that_is_imported_with_a_report(
    console: Console, walker: Walker, shelf: Path
) -> None:
    walker.go(f"/?study={STUDY_UID}")
    panel = walker.page.get_by_role("complementary", name="Study")
    card = panel.get_by_role("listitem").filter(has_text=f"{CT_SLICES} instances").filter(has_text="CT").first
    card.get_by_role("button", name="Actions for this series").click()
    walker.page.get_by_role("menuitem", name="Export series …").click()
    dialog = walker.page.get_by_role("dialog", name="Export to media")
    dialog.get_by_text("ISO image").click()
    disc = made(walker, dialog, "Make the image", shelf / "disc.iso")
    assert disc.read_bytes()[0x8001:0x8006] == b"CD001"
    walker.page.keyboard.press("Escape")
    walker.button("Upload").first.click()
    walker.page.get_by_role("menuitem", name="From the server …").click()
    dialog = walker.page.get_by_role("dialog", name="Import from the server")
    dialog.get_by_role("option", name=str(shelf)).click()
    dialog.get_by_role("option", name="disc.iso").click()
    dialog.get_by_role("button", name="Import this file").click()
    counts = dialog.locator("dl").filter(has_text="already there")
    expect(counts).to_contain_text(f"{CT_SLICES}already there", timeout=WRITING_MS)
    expect(counts).to_contain_text("0refused")
    dialog.get_by_role("link", name=re.compile(r"^job \d+")).click()
    job = walker.page.get_by_role("complementary", name=re.compile("^Job "))
    expect(job).to_contain_text("Import")
    expect(job.locator("dl").filter(has_text="already there")).to_contain_text(str(CT_SLICES))
