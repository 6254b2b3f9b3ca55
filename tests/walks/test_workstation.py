"""The workstation on the demonstration: panes are those of the service, nothing is fused unasked, no edit is lost."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest
from playwright.sync_api import Browser, expect
from pydicom.dataset import Dataset

from radfuse.archive import Archive, ArchiveSettings
from radfuse.geometry import Affine, Chain, DisplacementField, FrameOfReference, Grid
from radfuse.objects.common import encode
from radfuse.services.contours import images_of
from radfuse.services.demo import STUDY_UID, add_demo_study
from radfuse.services.demo_study import LESION, demo_uid, mr_from_patient_mm
from radfuse.services.import_media import Verdict, import_files
from radfuse.services.new_regions import headers_of
from tests.interop.client import stored_files
from tests.support.graphs import Scene, shift
from tests.support.registered import deformable, spatial
from tests.support.servers import STOP_S, environment, running_node
from tests.support.workstation import Station
from tests.walks.conftest import Console, Walker, url_of

pytestmark = pytest.mark.slow

CT, PT, MR = (str(demo_uid(f"series {modality}")) for modality in ("CT", "PT", "MR"))
_TURNED = np.array([mr_from_patient_mm(point) for point in np.eye(4, 3, -1)])
TRUTH = Chain((Affine.of((_TURNED[1:] - _TURNED[0]).T, tuple(_TURNED[0])),))
"""From points of the CT to those of the MR."""


@dataclass(frozen=True)
class Registrations:
    """Of the MR to the CT; not yet in the archive."""

    rigid: Dataset
    bent: Dataset


def bend() -> Chain:
    """A smooth deformation of some millimetres all over the CT."""
    shape = (12, 31, 31)
    grid = Grid.of(shape, (16, 16, 16), (-240, -240, -88), FrameOfReference(str(demo_uid("frame of reference"))))
    z, y, x = (np.indices(shape).T * 16.0).T
    vectors = np.stack((8 * np.sin(y / 50), 6 * np.sin(z / 40), 7 * np.sin(x / 60)), axis=-1)
    return Chain((DisplacementField(grid, vectors.astype(np.float32)),))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demonstration."""
    folder = tmp_path_factory.mktemp("workstation") / "data"
    with Archive(ArchiveSettings(folder)) as archive:
        list(add_demo_study(archive))
    return folder


@pytest.fixture(scope="module")
def registrations(data: Path) -> Registrations:
    """A rigid one and a deformation."""
    with Archive(ArchiveSettings(data)) as archive:
        ct, mr = (headers_of(images_of(archive, series)) for series in (CT, MR))
    found = Registrations(spatial(TRUTH, ct, mr), deformable(bend().then(TRUTH), ct, mr).ds)
    for number, ds in enumerate((found.rigid, found.bent)):
        ds.SOPInstanceUID, ds.SeriesInstanceUID = f"2.25.77{number}", f"2.25.78{number}"
    return found


@pytest.fixture(scope="module")
def console(data: Path, registrations: Registrations, built: None, browser: Browser) -> Iterator[Console]:
    """The service over it."""
    with running_node(data, "--http-port", "0") as node:
        yield Console(node, url_of(node), browser)


@pytest.fixture
def station(walker: Walker, console: Console) -> Station:
    """A page of the workstation."""
    return Station(walker.page, console.url)


def upload(url: str, ds: Dataset) -> str:
    """Store an object; its SOP Instance UID."""
    answer = httpx.post(f"{url}/api/uploads", files=[("file", ("object.dcm", io.BytesIO(encode(ds))))])
    assert answer.status_code == 200, answer.text
    return str(ds.SOPInstanceUID)


def open_scene(station: Station, *series: str, **state: object) -> None:
    """A draft of the demonstration in this state, in the browser; wait for the CT and these series."""
    made = station.ask("POST", "/workspaces", {"study": STUDY_UID, "series": [CT]})
    change = {"revision": made["revision"], "state": made["state"] | state}
    station.ask("PUT", f"/workspaces/{made['id']}", change)
    station.open_draft(made["id"], CT, *series)


# --- what the panes show -------------------------------------------------------------------------


def test_fused_panes_show_what_the_service_makes_of_the_same_planes(walker: Walker, station: Station) -> None:
    station.open_study(STUDY_UID, CT, PT)
    for pane in ("axial", "coronal", "sagittal"):
        mean, above = station.differs(pane)
        assert mean < 0.5, pane
        assert above < 0.001, pane
    walker.sees("Same frame of reference")


def test_two_frames_of_one_study_are_not_fused_before_they_are_registered(
    walker: Walker, station: Station, registrations: Registrations
) -> None:
    open_scene(station, MR, overlay={"series": MR}, layout="fused")
    blocked = walker.page.get_by_role("main").get_by_role("alert")
    expect(blocked).to_have_count(3)
    expect(blocked.first).to_contain_text("Not registered")
    ask = {"base": {"series": CT}, "overlay": {"series": MR}, "base_window": {"low": 0, "high": 1}}
    plane = {"centre_mm": [0, 0, 0], "right": [1, 0, 0], "down": [0, 1, 0], "spacing_mm": 9, "rows": 9, "columns": 9}
    problem = station.ask("POST", "/pictures", ask | {"plane": plane, "overlay_window": {"low": 0, "high": 1}}, 409)
    assert problem["setting"] == "registration"

    upload(station.url, registrations.rigid)
    walker.page.reload()
    station.wait_for(CT, MR)
    expect(blocked).to_have_count(0)
    mean, above = station.differs("axial")
    assert mean < 0.5
    assert above < 0.002


def test_a_deformed_series_is_drawn_as_the_service_draws_it(station: Station, registrations: Registrations) -> None:
    bent = upload(station.url, registrations.bent)
    open_scene(station, MR, overlay={"series": MR, "only": [bent]}, layout="fused")
    assert station.facts(MR, onto=CT, only=[bent])["alignment"]["is_deformable"]
    for pane in ("axial", "sagittal"):
        mean, above = station.differs(pane)
        assert mean < 0.5, pane
        assert above < 0.002, pane


def turn_planes(walker: Walker, pane: str, degrees: float) -> None:
    """Drag the right end of a pane's crosshair about its middle, with Shift: by whole steps."""
    ends = walker.page.locator(f"[data-pane='{pane}'] [class*='knob']")
    expect(ends).to_have_count(4)
    boxes = [found for found in map(lambda each: each.bounding_box(), ends.all()) if found]
    places = np.array([(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes])
    right = places[places[:, 0].argmax()]
    middle = np.array((places[places[:, 1].argmax()][0], right[1]))
    turn = np.radians(degrees)
    to = middle + (right - middle)[0] * np.array((np.cos(turn), np.sin(turn)))
    walker.page.mouse.move(*right)
    walker.page.mouse.down()
    walker.page.keyboard.down("Shift")
    walker.page.mouse.move(*to, steps=4)
    walker.page.mouse.up()
    walker.page.keyboard.up("Shift")


def test_turned_planes_are_those_of_the_service_and_stay_turned(walker: Walker, station: Station) -> None:
    open_scene(station, PT, overlay={"series": PT}, layout="fused", cursor_mm=[20, -10, 0], mode="checkerboard")
    straight = station.pixels("sagittal")
    turn_planes(walker, "axial", 30)
    expect(walker.page.get_by_text("● oblique 30°")).to_have_count(2)
    assert station.state()["plane_turn"] == pytest.approx([3**0.5 / 2, 0.5, 0, -0.5, 3**0.5 / 2, 0, 0, 0, 1], abs=1e-12)
    walker.page.get_by_role("textbox", name="Thickness of the slab").fill("12")
    for pane in ("axial", "coronal", "sagittal"):
        mean, above = station.differs(pane)
        assert mean < 0.5, pane
        assert above < 0.002, pane
    shown = station.pixels("sagittal")

    walker.page.reload()
    station.wait_for(CT, PT)
    expect(walker.page.get_by_text("● oblique 30°")).to_have_count(2)
    assert np.abs(station.pixels("sagittal") - shown).max() == 0
    walker.page.get_by_role("textbox", name="Thickness of the slab").fill("0")
    walker.button("Straighten").click()
    expect(walker.page.get_by_text("oblique")).to_have_count(0)
    assert np.abs(station.pixels("sagittal") - straight).max() == 0


# --- what was done stays -------------------------------------------------------------------------


@contextlib.contextmanager
def web(data: Path, port: int) -> Iterator[None]:
    """``radfuse web`` alone, once it serves, until the block ends."""
    words = [sys.executable, "-m", "radfuse", "web", "--data", str(data), "--http-port", str(port)]
    with subprocess.Popen(
        words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert "ready" in process.stdout.readline()  # it listens long before it answers
            yield
        finally:
            process.terminate()
            process.wait(STOP_S)


def bookmarked(station: Station) -> list[str]:
    """The names of the bookmarks that the service has."""
    return [each["name"] for each in station.ask("GET", f"/workspaces/{station.draft}")["state"]["bookmarks"]]


def test_edits_made_without_the_service_are_kept_once_it_is_back(
    data: Path, console: Console, walker: Walker, free_port: int
) -> None:
    station = Station(walker.page, f"http://127.0.0.1:{free_port}")
    with web(data, free_port):
        walker.page.goto(f"{station.url}/workstation/new?fresh&study={STUDY_UID}")
        station.wait_for(CT, PT)
        walker.page.keyboard.press("b")
        station.state()
    walker.page.keyboard.press("b")
    walker.sees("Not kept yet: no answer")
    walker.page.keyboard.press("b")
    with web(data, free_port):
        station.state()
        assert bookmarked(station) == ["View 1", "View 2", "View 3"]


def decide(walker: Walker) -> None:
    """Go on with one's own version: again, where the other page kept something more meanwhile."""
    kept, again = walker.page.get_by_text("Draft kept"), walker.button("Decide …")
    for _ in range(3):
        again.click()
        walker.button("Go on with mine").click()
        expect(kept.or_(again)).to_be_visible()
        if kept.is_visible():
            return
    pytest.fail("the two pages never agree")


def test_two_people_in_one_draft_are_told_and_neither_loses_anything(
    console: Console, walker: Walker, station: Station
) -> None:
    station.open_study(STUDY_UID, CT, PT)
    with console.page() as second:
        other = Station(second.page, console.url)
        other.open_draft(station.draft, CT, PT)
        walker.page.keyboard.press("b")
        station.state()
        second.page.keyboard.press("l")
        second.page.keyboard.press("2")
        second.sees("Changed by someone else")
        decide(second)
        assert other.state()["layout"] == "side"
        versions = other.ask("GET", f"/workspaces/{other.draft}/versions")
        kept = [other.ask("GET", f"/workspaces/{other.draft}/versions/{each['number']}") for each in versions]
        assert {(each["state"]["layout"], len(each["state"]["bookmarks"])) for each in kept} >= {
            ("fused", 1),
            ("side", 0),
        }


def test_a_session_is_restored_where_nothing_but_its_objects_is_kept(
    console: Console, walker: Walker, station: Station, tmp_path: Path, free_port: int
) -> None:
    station.open_study(STUDY_UID, CT, PT)
    walker.page.keyboard.press("o")
    station.click("axial", (LESION.centre_mm[0], LESION.centre_mm[1], 0))
    expect(walker.button("Hide the outline of Region 1")).to_be_visible()
    walker.page.keyboard.press("c")
    before, shown = station.state(), station.pixels("axial")
    walker.page.keyboard.press("Control+s")
    walker.page.get_by_role("dialog", name="Save session").get_by_role("button", name="Save session").click()
    walker.sees("Session v1 saved")

    with Archive(ArchiveSettings(tmp_path / "data")) as archive:
        assert {each.verdict for each in import_files(archive, stored_files(console.node))} == {Verdict.STORED}
    with web(tmp_path / "data", free_port), console.page() as fresh:
        other = Station(fresh.page, f"http://127.0.0.1:{free_port}")
        (session,) = other.ask("GET", "/sessions", study=STUDY_UID)
        query = f"study={STUDY_UID}&session={session['SOPInstanceUID']}"
        fresh.page.goto(f"{other.url}/workstation/new?{query}")
        other.wait_for(CT, PT)
        after = other.ask("GET", f"/workspaces/{other.draft}")["state"]
        for name in ("base", "overlay", "mode", "layout", "blend", "regions"):
            assert parts_of(after[name]) == parts_of(before[name]), name
        assert np.abs(other.pixels("axial") - shown).max() == 0
        # Eleven modalities by now: what the study is called keeps its room beside them.
        fresh.page.goto(f"{other.url}/?study={STUDY_UID}")
        named = fresh.page.get_by_role("complementary").get_by_text("PET/CT and MR thorax (made up)").bounding_box()
        assert named is not None
        assert named["height"] < 50
        expect(fresh.page.get_by_role("complementary").get_by_text("v1", exact=True)).to_be_in_viewport()


def parts_of(value: Any) -> Any:
    """Of regions what was drawn and measured; ids may be new."""
    if not isinstance(value, list):
        return value
    return [(each["name"], each["shape"], each["numbers"], each["colour"]) for each in value]


# --- the prior -----------------------------------------------------------------------------------

PRIOR_PT = "2.25.88200"
_AWAY_MM = (16.0, -12.0, 8.0)
"""From points of the CT to those of the prior."""


@pytest.fixture
def prior(data: Path) -> None:
    """The PET of half a year before in a frame of its own, and a registration of it that failed its check."""
    with Archive(ArchiveSettings(data)) as archive:
        scene = Scene(archive, {"ct": headers_of(images_of(archive, CT)), "prior": []})
        for number, path in enumerate(images_of(archive, PT).paths):
            ds = pydicom.dcmread(path)
            ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = "2.25.88100", PRIOR_PT, f"2.25.8840{number}"
            ds.FrameOfReferenceUID, ds.SeriesDescription = "2.25.88300", "PET before therapy"
            ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20250705"
            ds.ImagePositionPatient = list(np.add(ds.ImagePositionPatient, _AWAY_MM))
            scene.keep(ds)
            scene.images["prior"].append(ds)
        scene.judge(scene.register("ct", "prior", shift(*_AWAY_MM)), "FAIL", "remaining shift 12 mm")


def region_on(station: Station, series: str, place_mm: Sequence[float]) -> dict[str, Any]:
    """A ball that somebody drew on a series by itself, as drafts keep it."""
    rule = {"kind": "sphere", "centre_mm": list(place_mm), "diameter_mm": 24}
    made = station.ask("POST", "/regions", {"series": {"series": series}, "rule": rule, "also": []})
    facts = {"id": "r1", "name": "Region 1", "number": 1, "colour": [76, 201, 240], "kind": "measurement"}
    kept = {"series": series, "rule": rule, "shape": made["shape"], "numbers": made["numbers"]}
    return facts | kept | {"is_visible": True, "made_by": "somebody", "made_s": 1.0}


def test_a_prior_whose_registration_failed_is_shown_after_a_yes_with_what_was_drawn_on_it(
    console: Console, prior: None, walker: Walker, station: Station
) -> None:
    drawn = region_on(station, PRIOR_PT, list(np.add(LESION.centre_mm, _AWAY_MM)))
    cursor = (*LESION.centre_mm[:2], 20.0)
    views = {"overlay": {"series": PT}, "prior": {"series": PRIOR_PT}}
    open_scene(station, PT, PRIOR_PT, layout="prior", cursor_mm=cursor, regions=[drawn], **views)
    pane = walker.page.locator("[data-pane='prior-axial']")
    expect(pane).to_contain_text("The only path failed its report card")
    outline = walker.page.locator("[data-pane='axial'] svg [class*='outline']")
    expect(outline).to_have_count(0)

    walker.button("Show it all the same …").click()
    dialog = walker.page.get_by_role("dialog", name="A registration that failed its check")
    expect(dialog.get_by_role("button", name="Show it all the same")).to_be_disabled()
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Show it all the same").click()
    expect(pane).to_contain_text("The registration failed its check.")
    station.wait_for(PRIOR_PT)
    mean, above = station.differs("prior-axial")
    assert mean < 0.5
    assert above < 0.002

    # What was drawn on the prior lies about the lesion, which the service says: where the two panes are the same.
    expect(outline).to_have_count(1)
    assert station.middle_of(outline, "axial") == pytest.approx(LESION.centre_mm[:2], abs=4)
    (consent,) = station.state()["consents"]
    assert consent["what"] == f"allow_failed {PRIOR_PT}"
    assert "failed its report card" in consent["sentence"]
    told = station.ask("GET", "/audit", limit=50)["entries"]
    assert any("failed" in str(each) for each in told)
