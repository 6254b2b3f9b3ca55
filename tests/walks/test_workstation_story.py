"""A physician opens a PET/CT, fuses an MR of another day onto it, outlines a lesion and sends all of it.

Real data: whole-body FDG PET, CT of the thigh, T1 in their frame of reference, T2 in a frame of its own. What arrives
is read by other people's programs, and compared with the numbers on the page and with what is known of the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from playwright.sync_api import Browser, Page, expect

from radfuse.archive import Archive, ArchiveSettings
from radfuse.services.peers import Peer
from tests.interop.client import configured_peer, wait_until
from tests.support.servers import running_node, running_storescp
from tests.support.workstation import Station
from tests.walks.conftest import Console, Walker, url_of
from tests.web.conftest import keep

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(600)]

_UID = "1.3.6.1.4.1.14519.5.2.1.5168.1900"
STUDY = f"{_UID}.980314374925518526455629963929"
CT = f"{_UID}.449841255123215696894565592289"
PT = f"{_UID}.279539551699081894888330051583"
T1 = f"{_UID}.251522783846522173126679797698"
T2 = f"{_UID}.267475167888884755506702762438"
SUV = 2.42903e-4
"""Of the stored Bq/ml: by hand from the header of the PET."""
TUMOUR_MM = np.array((70.20, 12.51, -791.17))
TRUTH = np.array(
    (
        (0.996749, 0.080197, -0.007725, -20.384666),
        (-0.070055, 0.815331, -0.574742, -459.113418),
        (-0.039794, 0.573415, 0.818298, 631.304656),
    )
)
"""From points of the PET/CT to those of the T2, known to 1.5 mm at the tumour."""
_SERIES = ("sts-001/ct", "sts-001/mr-t1", "sts-001-raw/pet", "sts-001-raw/mr-t2")
OBJECTS = {"SEG", "RTSTRUCT", "SR", "REG", "OT"}


@pytest.fixture(scope="module")
def console(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory, built: None, browser: Browser
) -> Iterator[Console]:
    """A service with both examinations."""
    folder = tmp_path_factory.mktemp("story") / "data"
    with Archive(ArchiveSettings(folder)) as archive:
        for series in _SERIES:
            for path in sorted((shared_data / "petct" / series).iterdir()):
                keep(archive, path)
    with running_node(folder, "--http-port", "0") as node:
        yield Console(node, url_of(node), browser)


def add(page: Page, series: str, slot: str) -> None:
    """Choose another series of the patient."""
    page.get_by_role("button", name="Add a series").click()
    row = page.get_by_role("listitem").filter(has_text=series)
    row.get_by_role("button", name=slot, exact=True).click()


@dataclass(frozen=True)
class Pet:
    """The PET in SUV as pydicom reads it: each slice where its header says."""

    suv: np.ndarray
    first_mm: np.ndarray
    places_mm: np.ndarray
    pixel_mm: float
    slice_mm: float

    @classmethod
    def of(cls, folder: Path) -> Pet:
        """From its files."""
        images = sorted(map(pydicom.dcmread, folder.iterdir()), key=lambda ds: float(ds.ImagePositionPatient[2]))
        suv = np.stack([ds.pixel_array * float(ds.RescaleSlope) * SUV for ds in images])
        places = np.array([float(ds.ImagePositionPatient[2]) for ds in images])
        first = np.array(images[0].ImagePositionPatient[:2], float)
        return cls(suv, first, places, float(images[0].PixelSpacing[0]), float(np.ptp(places)) / (len(places) - 1))

    def at(self, points: np.ndarray) -> np.ndarray:
        """The values of the nearest voxels."""
        i, j = np.rint((points[:, :2] - self.first_mm) / self.pixel_mm).astype(int).T
        k = np.abs(points[:, 2, None] - self.places_mm).argmin(axis=1)
        found: np.ndarray = self.suv[k, j, i]
        return found

    def peak_near(self, place: tuple[float, float, float]) -> float:
        """The hottest voxel within 10 mm: what the threshold is a share of."""
        axes = [self.first_mm[0] + np.arange(self.suv.shape[2]) * self.pixel_mm]
        axes.append(self.first_mm[1] + np.arange(self.suv.shape[1]) * self.pixel_mm)
        x, y, z = np.meshgrid(*axes, self.places_mm, indexing="ij", sparse=True)
        near = (x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2 <= 100
        return float(self.suv.transpose(2, 1, 0)[near].max())

    def hottest(self, z_mm: float) -> tuple[float, float, float]:
        """The hottest voxel near the tumour in a slice."""
        k = int(np.abs(self.places_mm - z_mm).argmin())
        i, j = np.rint((TUMOUR_MM[:2] - self.first_mm) / self.pixel_mm).astype(int) - 12
        down, across = np.unravel_index(self.suv[k, j : j + 24, i : i + 24].argmax(), (24, 24))
        x, y = self.first_mm + np.array((i + across, j + down)) * self.pixel_mm
        return float(x), float(y), float(self.places_mm[k])


def outline(walker: Walker, station: Station, place: tuple[float, float, float]) -> dict[str, Any]:
    """A lesion by its threshold; as the draft has it."""
    walker.page.keyboard.press("t")
    station.click("axial", place)
    expect(walker.button("Hide the outline of Lesion 1")).to_be_visible()
    (region,) = station.state()["regions"]
    return dict(region)


def register(walker: Walker, station: Station) -> None:
    """The T2 onto the T1 from one click, looked at and accepted."""
    page = walker.page
    add(page, "AXIAL SE T2", "Overlay")
    blocked = page.get_by_role("main").get_by_role("alert").filter(has_text="Not registered")
    expect(blocked).to_have_count(3)
    add(page, "MR_T1", "Base")
    station.wait_for(T1, T2)
    blocked.first.get_by_role("button", name="Register").click()
    place = np.array((70.0, -2.3, -786.5))
    station.click("base", place.tolist())
    station.click("overlay", TRUTH @ (*place, 1), alone=T2)
    registering = page.get_by_role("region", name="Registering")
    registering.get_by_role("button", name="Register", exact=True).click()
    expect(registering.get_by_text("Proposed: passed")).to_be_visible(timeout=300_000)
    expect(registering.get_by_role("row", name=re.compile("Overlap"))).to_contain_text("50.0 %")
    registering.get_by_role("button", name="Accept").click()
    expect(registering).to_have_count(0)


def fuse_again(walker: Walker, station: Station) -> None:
    """The T2 on the CT: through the registration."""
    add(walker.page, "001_CT_image", "Base")
    walker.page.keyboard.press("1")
    expect(walker.page.locator("[data-pane=axial]").get_by_text("Registered", exact=True)).to_be_visible()
    mean, above = station.differs("axial")
    assert mean < 0.5
    assert above < 0.002


def export(walker: Walker, station: Station, folder: Path, peer: str) -> dict[str, pydicom.Dataset]:
    """Everything as objects to a peer; what arrived, by modality."""
    walker.button("Export").click()
    sheet = walker.page.get_by_role("dialog", name="Export")
    wanted = ("as Segmentation", "as RT Structure Set", "structured report", "This axial plane", "its registration")
    expect(sheet.get_by_role("checkbox").first).to_be_visible()
    while (chosen := sheet.get_by_role("checkbox", checked=True)).count():
        chosen.first.uncheck()
    for words in wanted:
        sheet.get_by_role("checkbox", name=re.compile(words)).first.check()
    sheet.get_by_text("Archive and peers").click()
    sheet.get_by_role("combobox", name="Peers").click()
    walker.page.get_by_role("option", name=peer).click()
    sheet.get_by_text("Where to", exact=False).or_(sheet.get_by_text("Pictures", exact=True)).first.click()
    sheet.get_by_role("button", name=re.compile("Export [0-9]+ objects")).click()
    found: dict[str, pydicom.Dataset] = {}

    def is_there() -> bool:
        # Only then: the peer writes its files while they come.
        if {each["state"] for each in station.ask("GET", "/jobs", kind="send")["jobs"]} != {"done"}:
            return False
        found.update((ds.Modality, ds) for ds in map(pydicom.dcmread, folder.iterdir()))
        return found.keys() >= OBJECTS

    wait_until(is_there, "everything arrives", 120.0)
    return found


def test_a_pet_ct_is_fused_with_an_mr_of_another_day_measured_kept_and_sent(
    console: Console, walker: Walker, dcmtk: Any, shared_data: Path, tmp_path: Path, free_port: int
) -> None:
    folder = tmp_path / "arrived"
    with (
        running_storescp(dcmtk("storescp"), folder, free_port),
        configured_peer(console.node, Peer.parse(f"PACS@127.0.0.1:{free_port}")),
    ):
        station, page = Station(walker.page, console.url), walker.page
        walker.go("/")
        walker.row("PT").get_by_text("STS_001").first.click()
        page.keyboard.press("o")
        station.wait_for(CT, PT)
        expect(page.locator("[data-pane=axial]")).to_contain_text("Same frame of reference")

        pet = Pet.of(shared_data / "petct" / "sts-001-raw" / "pet")
        lesion = outline(walker, station, pet.hottest(-786.5))
        register(walker, station)
        fuse_again(walker, station)
        page.keyboard.press("b")
        save(walker, station)
        arrived = export(walker, station, folder, "PACS")
    judge_numbers(lesion, pet, arrived["SEG"], arrived["SR"])
    judge_contours(lesion, arrived["RTSTRUCT"])
    judge_registration(arrived["REG"])
    picture = arrived["OT"].pixel_array
    assert picture.shape[-1] == 3
    assert picture.std() > 10


def save(walker: Walker, station: Station) -> None:
    """A session, which the study has from then on."""
    walker.page.keyboard.press("Control+s")
    form = walker.page.get_by_role("dialog", name="Save session")
    form.get_by_role("textbox", name="Name").fill("Tumour board")
    form.get_by_role("button", name="Save session").click()
    expect(form).to_have_count(0, timeout=60_000)
    (session,) = station.ask("GET", "/sessions", study=STUDY)
    assert (session["name"], session["version"], session["is_complete"]) == ("Tumour board", 1, True)


# --- what arrived, by other programs ---------------------------------------------------------------


def judge_numbers(lesion: dict[str, Any], pet: Pet, seg: pydicom.Dataset, sr: pydicom.Dataset) -> None:
    """The voxels are those of the PET; page, report and what is read here have the same numbers."""
    numbers = lesion["numbers"][0]
    mask = highdicom.seg.Segmentation.from_dataset(seg).get_volume(segment_numbers=[1])
    inside = np.argwhere(np.squeeze(mask.array))
    points = (mask.affine @ np.c_[inside[:, :3], np.ones(len(inside))].T).T[:, :3]
    values = pet.at(points)
    assert (numbers["unit"], len(values)) == ("SUVbw", numbers["voxels"])
    assert values.max() == pytest.approx(numbers["max"], rel=1e-3)
    assert values.mean() == pytest.approx(numbers["mean"], rel=1e-3)
    assert values.min() >= 0.41 * pet.peak_near(pet.hottest(-786.5)) * (1 - 1e-3)
    assert len(values) * pet.pixel_mm**2 * pet.slice_mm / 1000 == pytest.approx(numbers["volume_ml"], rel=1e-3)
    content: Any = highdicom.sr.ComprehensiveSR.from_dataset(sr).content
    (group, *_) = content.get_volumetric_roi_measurement_groups()
    told = {
        (each.name.meaning, each.derivation.meaning if each.derivation else ""): each.value
        for each in group.get_measurements()
    }
    assert told["SUVbw", "Maximum"] == pytest.approx(numbers["max"], rel=1e-9)
    assert told["SUVbw", "Peak Value Within ROI"] == pytest.approx(numbers["peak"], rel=1e-9)
    assert told["Volume", ""] == pytest.approx(numbers["volume_ml"], rel=1e-9)


def judge_contours(lesion: dict[str, Any], structures: pydicom.Dataset) -> None:
    """Their area times the distance of the slices is the volume."""
    (roi,) = structures.ROIContourSequence
    loops = [np.array(each.ContourData, float).reshape(-1, 3) for each in roi.ContourSequence]
    heights = np.unique(np.round([loop[0, 2] for loop in loops], 2))
    volume_ml = abs(sum(signed_area(loop) for loop in loops)) * np.diff(heights).mean() / 1000
    assert volume_ml == pytest.approx(lesion["numbers"][0]["volume_ml"], rel=0.02)


def signed_area(loop: np.ndarray) -> float:
    """Holes run the other way."""
    x, y = loop[:, 0], loop[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def judge_registration(reg: pydicom.Dataset) -> None:
    """It brings the tumour where it is known to be, to 4 mm."""
    matrices = {}
    for item in reg.RegistrationSequence:
        rows = item.MatrixRegistrationSequence[0].MatrixSequence[0].FrameOfReferenceTransformationMatrix
        matrices[str(item.FrameOfReferenceUID)] = np.array(rows, float).reshape(4, 4)
    own = matrices.pop(str(reg.FrameOfReferenceUID), np.eye(4))
    (other,) = matrices.values()
    found = np.linalg.inv(np.linalg.inv(own) @ other) @ (*TUMOUR_MM, 1)
    assert np.linalg.norm(found[:3] - TRUTH @ (*TUMOUR_MM, 1)) < 4
