"""What people do on every day: bring studies, find them, send them on, fetch others, delete what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import expect

from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.services.peers import Peer
from tests.interop.client import as_sent, configured_peer, stored_files, wait_until
from tests.support.generate import (
    CT_IMAGE,
    SECONDARY_CAPTURE,
    STUDY_UID,
    GeneratedSet,
    base_instance,
    save,
)
from tests.support.orthanc import Orthanc, running_orthanc
from tests.support.servers import running_storescp
from tests.walks.conftest import Console, Walker

pytestmark = [pytest.mark.peers, pytest.mark.slow]

SCRIPT = '<img src=x onerror="window.caught=1">'
_REAL = Path("mr") / "brainix"


@pytest.fixture(scope="module")
def real_files(shared_data: Path) -> list[Path]:
    """A head MR of a real scanner: two series, 44 images."""
    return sorted(path for path in (shared_data / _REAL).rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def orthanc_peer(console: Console, orthanc: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """Orthanc, which the console's service knows as ORTHANC."""
    with (
        running_orthanc(orthanc, tmp_path_factory.mktemp("orthanc"), console.node) as running,
        configured_peer(console.node, Peer.parse(f"ORTHANC@127.0.0.1:{running.dicom_port}")),
    ):
        yield running


def test_uploaded_images_are_found_and_sent_and_arrive_as_they_were(
    console: Console,
    walker: Walker,
    real_files: list[Path],
    dcmtk: Callable[[str], str],
    tmp_path: Path,
    free_port: int,
) -> None:
    walker.go("/")
    walker.upload(real_files)
    patient = pydicom.dcmread(real_files[0], stop_before_pixels=True)
    family = str(patient.PatientName).partition("^")[0]
    walker.search(f"{family[:4].lower()} mr")
    expect(walker.rows()).to_have_count(1)
    walker.rows().click()
    with (
        running_storescp(dcmtk("storescp"), tmp_path, free_port, "+xa"),
        configured_peer(console.node, Peer.parse(f"PACS1@127.0.0.1:{free_port}")),
    ):
        walker.button(re.compile("^Send")).click()
        walker.page.get_by_role("dialog").get_by_role("button", name="Send to PACS1").click()
        walker.page.get_by_role("alert").get_by_role("link").click()
        job = walker.page.get_by_role("complementary", name=re.compile("^Job "))
        expect(job.get_by_text("Done", exact=True).first).to_be_visible(timeout=60_000)
        each = job.get_by_role("table", name="Instances")
        expect(each).to_have_attribute("aria-rowcount", str(len(real_files)))
        expect(each.get_by_role("row").first).to_contain_text("sent")
        expect(each.get_by_role("row").first).to_contain_text("0000")
    received = {sent.sop_instance_uid: sent.data for sent in map(as_sent, tmp_path.iterdir())}
    assert received == {sent.sop_instance_uid: sent.data for sent in map(as_sent, real_files)}


def test_a_study_at_orthanc_is_found_and_fetched(
    console: Console, walker: Walker, orthanc_peer: Orthanc, generated_set: GeneratedSet
) -> None:
    orthanc_peer.clear()
    for path in generated_set.ct:
        orthanc_peer.ask("instances", path.read_bytes(), "POST")
    walker.go("/query")
    walker.page.get_by_role("textbox", name="Patient name").fill("test, gen")
    walker.button("Search").click()
    answer = walker.row("TEST, Generated")
    expect(answer).to_have_count(1)
    expect(answer).to_contain_text("not here")
    walker.button("Retrieve this study").click()
    expect(walker.page.get_by_role("link", name="Retrieved")).to_be_visible(timeout=60_000)
    walker.go("/")
    walker.search("test generated")
    expect(walker.rows()).to_have_count(1)
    expect(walker.rows()).to_contain_text("CT")
    kept = {pydicom.dcmread(path, force=True).get("SOPInstanceUID") for path in stored_files(console.node)}
    assert {pydicom.dcmread(path).SOPInstanceUID for path in generated_set.ct} <= kept


def test_what_was_deleted_by_mistake_comes_back_and_what_is_deleted_now_is_gone(
    console: Console, walker: Walker, tmp_path: Path
) -> None:
    ds = base_instance(SECONDARY_CAPTURE, "OT", 1, 1)
    ds.PatientName, ds.PatientID = "Mistake^Made", "GEN-DELETE"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = "2.25.81", "2.25.82", "2.25.83"
    walker.go("/")
    walker.upload([save(ds, tmp_path, EXPLICIT_LITTLE)])
    walker.search("GEN-DELETE")
    walker.row("MISTAKE, Made").click()
    walker.button("Delete").click()
    expect(walker.page.get_by_role("status").filter(has_text="Will be deleted")).to_be_visible()
    walker.button(re.compile(r"^Undo \(")).click()
    walker.sees("will be kept")
    expect(walker.button("Delete")).to_be_visible()
    walker.button("Delete").click()
    expect(walker.page.get_by_role("status").filter(has_text="Will be deleted")).to_be_visible()
    kept = len(stored_files(console.node))
    walker.go("/jobs")
    walker.row("Queued").or_(walker.row("Waiting")).first.click()
    walker.button("Delete now").click()
    expect(walker.page.get_by_role("complementary").get_by_text("Done", exact=True).first).to_be_visible()
    wait_until(lambda: len(stored_files(console.node)) == kept - 1, "the file is still there")
    walker.go("/")
    walker.search("GEN-DELETE")
    expect(walker.rows()).to_have_count(0)


def test_html_in_names_is_text(walker: Walker, tmp_path: Path) -> None:
    ds = base_instance(CT_IMAGE, "CT", 1, 1)
    ds.PatientName, ds.PatientID, ds.StudyDescription = "<script>caught()</script>^<b>Jane</b>", "GEN-HTML", SCRIPT
    ds.SeriesDescription, ds.AccessionNumber = SCRIPT[:64], "<i>7</i>"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = "2.25.71", "2.25.72", "2.25.73"
    walker.go("/")
    walker.upload([save(ds, tmp_path, EXPLICIT_LITTLE)])
    walker.search("GEN-HTML")
    expect(walker.rows()).to_have_count(1)
    row = walker.rows()
    expect(row).to_contain_text("<script>caught()</script>", ignore_case=True)
    expect(row).to_contain_text("<b>Jane</b>")
    row.click()
    panel = walker.page.get_by_role("complementary")
    expect(panel.get_by_role("heading")).to_contain_text("<b>Jane</b>")
    panel.get_by_role("tab", name="Attributes").click()
    expect(panel).to_contain_text("<i>7</i>")
    assert walker.page.locator("img[src='x'], script:not([src]), td i, dd i").count() == 0
    walker.go("/jobs")
    assert walker.page.evaluate("window.caught") is None


def test_the_keyboard_does_it_all(walker: Walker, generated_set: GeneratedSet) -> None:
    walker.go("/")
    walker.upload(list(generated_set.files))
    keyboard = walker.page.keyboard
    walker.page.get_by_role("main").focus()
    keyboard.press("/")
    expect(walker.page.get_by_role("searchbox")).to_be_focused()
    keyboard.type("test generated")
    expect(walker.rows()).to_have_count(1)
    keyboard.press("ArrowDown")
    expect(walker.page.get_by_role("grid", name="Studies")).to_be_focused()
    keyboard.press("Enter")
    panel = walker.page.get_by_role("complementary")
    expect(panel.get_by_role("heading", name="TEST, Generated")).to_be_visible()
    expect(walker.page).to_have_url(re.compile(f"study={re.escape(STUDY_UID)}"))
    keyboard.press("Escape")
    expect(panel).to_have_count(0)
    keyboard.press("?")
    expect(walker.page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Go to Jobs")
    keyboard.press("Escape")
    expect(walker.page.get_by_role("dialog")).to_have_count(0)
    keyboard.press("g")
    keyboard.press("j")
    expect(walker.page.get_by_role("heading", level=1, name="Jobs")).to_be_visible()
