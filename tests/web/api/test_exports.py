"""Exports over the API: told before they are made, kept before they are sent, the same for other people's readers."""

from __future__ import annotations

import io
import os
import socket
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK

from radfuse.core.aetitle import AETitle
from radfuse.dicom import Transcoder
from radfuse.fusion import Window
from radfuse.jobs import Job, JobContext, JobState, run_next
from radfuse.services.associating import Caller
from radfuse.services.drawing import MadeRegion
from radfuse.services.export_job import EXPORT, ExportSurroundings, run_export
from radfuse.services.one_object import stored_data_set
from radfuse.services.peers import Peer
from radfuse.services.send_job import SEND, SendSurroundings, run_send
from radfuse.services.viewing import Place
from radfuse.services.volumes import objects_of_series
from radfuse.services.workspace_objects.captions import letters_of, written_on
from tests.archive.objects import stored_objects
from tests.support import judges
from tests.support.drawn import HOT_MM, add_image, add_pet_and_ct, ct
from tests.support.exported import bookmark_on, hot_region, kept, length_on, picture_of
from tests.support.graphs import Scene
from tests.support.servers import running_storescp
from tests.web.api.conftest import RunningApi, api_in
from tests.web.api.working import LIMITS

sitk: Any = SimpleITK


@dataclass(frozen=True)
class Desk:
    """An API over a PET and a CT, and a draft on them."""

    api: RunningApi
    pet: str
    ct: str
    elsewhere: str
    """A series that is registered with neither."""
    made: MadeRegion
    workspace: str

    def ask(self, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"items": list(items), "workspace": self.workspace, **more}

    def plan(self, *items: dict[str, Any]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.api.send("POST", "/exports/plan", self.ask(*items))["objects"]
        return rows

    def export(self, to: dict[str, Any], *items: dict[str, Any]) -> Job:
        job = self.api.send("POST", "/exports", self.ask(*items, to=to), 202)
        return self.run(job["id"])

    def run(self, number: int) -> Job:
        """One attempt, as a worker makes it."""
        desk = self.api.desk
        exporting = ExportSurroundings(desk.archive, desk.jobs, desk.peers, desk.data)

        def caller_of(peer: Peer, title: str) -> Caller:
            return Caller(title, peer.limits(LIMITS))

        with Transcoder() as transcoder:
            sending = SendSurroundings(desk.archive, desk.peers, desk.context_lists, caller_of, transcoder)
            kinds: dict[str, Callable[[JobContext], None]] = {
                EXPORT: partial(run_export, surroundings=exporting),
                SEND: partial(run_send, surroundings=sending),
            }
            return run_next(desk.jobs, kinds, number)

    def kept(self) -> int:
        return len(stored_objects(self.api.archive))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with api_in(tmp_path_factory.mktemp("exports") / "data") as api:
        scene = Scene(api.archive)
        pet_series, ct_series = add_pet_and_ct(scene)
        elsewhere = add_image(scene, "elsewhere", ct(6), 20.0, "CT", "2.25.4712")
        made = hot_region(api.archive, pet_series, ct_series)
        study = str(scene.of("ct")[0].StudyInstanceUID)
        draft = api.send("POST", "/workspaces", {"study": study, "series": [ct_series, pet_series]})
        state = draft["state"] | {
            "regions": [kept(made, pet_series)],
            "lines": [length_on(ct_series)],
            "bookmarks": [bookmark_on(pet_series, ct_series)],
        }
        api.send("PUT", f"/workspaces/{draft['id']}", {"revision": 1, "state": state})
        yield Desk(api, pet_series, ct_series, elsewhere, made, draft["id"])


def everything(desk: Desk) -> list[dict[str, Any]]:
    """An item of each kind."""
    fused = picture_of(desk.ct, desk.pet, regions=[{"shape": kept(desk.made, desk.pet)["shape"]}])
    return [
        {"kind": "images", "series": desk.elsewhere},
        {"kind": "snapshot", "picture": fused},
        {"kind": "cine", "pictures": [fused], "range": RANGE},
        {"kind": "rotating", "view": {"series": desk.pet}, "window": {"low": 0, "high": 5}, "frames": 6},
        {"kind": "rotating", "view": {"series": desk.ct}, "window": {"low": 800, "high": 1200}, **over(desk.pet)},
        {"kind": "volume", "view": {"series": desk.pet}, "onto": desk.ct},
        {"kind": "regions", "ids": ["r1"]},
        {"kind": "regions", "as": "RTSTRUCT"},
        {"kind": "numbers"},
        {"kind": "report", "title": "Lesions", "text": "One.", "ids": ["r1", "l1"], "pictures": [{"picture": fused}]},
        {"kind": "bookmark", "id": "b1"},
    ]


RANGE = {"axis": "axial", "from_mm": 0, "to_mm": 16, "step_mm": 8}


def over(series: str) -> dict[str, Any]:
    return {"overlay": {"series": series}, "overlay_window": {"low": 0, "high": 5}, "frames": 6}


@pytest.fixture(scope="module")
def arrived(desk: Desk, dcmtk: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """What DCMTK's storescp got, by SOP class."""
    folder = tmp_path_factory.mktemp("arrived")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    desk.api.desk.peers.add(Peer("PACS", AETitle("PACS"), "127.0.0.1", port))
    with running_storescp(dcmtk("storescp"), folder, port, "--exec-sync"):
        done = desk.export({"archive": True, "peers": ["PACS"]}, *everything(desk))
        assert (done.state, done.counts.failed) == (JobState.DONE, 0), done.message
        sending = max(job.id for job in desk.api.desk.jobs.list())
        sent = desk.run(sending)
        assert (sent.kind, sent.state, sent.parameters["from"]) == ("send", JobState.DONE, "RADFUSE_SCU"), sent.message
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        name = pydicom.uid.UID(pydicom.dcmread(path, specific_tags=["SOPClassUID"]).SOPClassUID).name
        found.setdefault(name.removesuffix(" Storage"), []).append(path)
    return found


def test_the_objects_are_told_before_anything_is_made(desk: Desk, arrived: dict[str, list[Path]]) -> None:
    before = desk.kept()
    rows = desk.plan(*everything(desk))
    assert desk.kept() == before
    assert not any(row["refusal"] for row in rows)
    told: dict[str, int] = {}
    for row in rows:
        told[row["object"]] = told.get(row["object"], 0) + row["count"]
    states = {"Grayscale Softcopy Presentation State": 1}
    assert told | states == {name: len(paths) for name, paths in arrived.items()}
    assert sum(row["bytes"] for row in rows) == pytest.approx(
        sum(path.stat().st_size for paths in arrived.values() for path in paths), rel=0.5
    )


def test_each_class_that_arrives_is_accepted_by_dciodvfy(arrived: dict[str, list[Path]]) -> None:
    made = {name: paths[-1] for name, paths in arrived.items() if name != "CT Image"}
    assert {name: judges.dciodvfy(path) for name, path in made.items()} == {name: [] for name in made}


def test_the_report_has_the_numbers_of_the_screen(desk: Desk, arrived: dict[str, list[Path]]) -> None:
    (path,) = arrived["Comprehensive SR"]
    content: Any = highdicom.sr.srread(path).content
    (own, *_) = content.get_volumetric_roi_measurement_groups()
    found = {(each.name.meaning, how(each)): each.value for each in own.get_measurements()}
    numbers = desk.made.numbers[0]
    assert numbers.unit == "SUVbw"
    assert found == {
        ("Volume", ""): numbers.volume_ml,
        ("SUVbw", "Mean"): numbers.mean,
        ("SUVbw", "Standard Deviation"): numbers.sd,
        ("SUVbw", "Minimum"): numbers.min,
        ("SUVbw", "Maximum"): numbers.max,
        ("SUVbw", "Median"): numbers.median,
        ("SUVbw", "Peak Value Within ROI"): numbers.peak,
        ("Total Lesion Glycolysis", ""): numbers.tlg,
        ("Long Axis", ""): numbers.longest_mm,
        ("Short Axis", ""): numbers.perpendicular_mm,
    }


def how(measured: Any) -> str:
    return measured.derivation.meaning if measured.derivation else ""


def test_segmentation_and_structures_have_the_volume_of_the_region(desk: Desk, arrived: dict[str, list[Path]]) -> None:
    own = desk.made.numbers[0]
    (path,) = arrived["Segmentation"]
    segmentation = highdicom.seg.segread(path)
    volume = segmentation.get_volume(segment_numbers=[1])
    assert int(np.count_nonzero(volume.array)) == own.voxels
    assert own.voxels * np.prod(volume.spacing) / 1000 == pytest.approx(own.volume_ml)
    (path,) = arrived["RT Structure Set"]
    (region,) = pydicom.dcmread(path).ROIContourSequence
    areas = [area(np.array(each.ContourData, float).reshape(-1, 3)) for each in region.ContourSequence]
    assert sum(areas) * 4.0 / 1000 == pytest.approx(own.volume_ml)


def area(points: np.ndarray[Any, Any]) -> float:
    x, y = points[:, 0], points[:, 1]
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


def test_the_resampled_series_lies_on_the_base_with_the_values_of_its_own_images(
    desk: Desk, arrived: dict[str, list[Path]]
) -> None:
    made = [pydicom.dcmread(path) for path in arrived["Positron Emission Tomography Image"]]
    made.sort(key=lambda ds: ds.ImagePositionPatient[2])
    source = [stored_data_set(desk.api.archive, each) for each in objects_of_series(desk.api.archive, desk.pet)]
    source.sort(key=lambda ds: ds.ImagePositionPatient[2])
    like = sitk.Image([24, 24, 24], sitk.sitkFloat32)
    like.SetSpacing((6, 6, 6))
    like.SetOrigin(made[0].ImagePositionPatient)
    expected = sitk.GetArrayFromImage(sitk.Resample(as_image(source), like, sitk.Transform(), sitk.sitkLinear, 0))
    found = np.stack([ds.pixel_array * float(ds.RescaleSlope) for ds in made])
    inside = expected > 0
    assert inside.sum() > 9000
    assert np.abs(found - expected)[inside].max() < 0.5


def as_image(slices: list[pydicom.Dataset]) -> Any:
    voxels = np.stack([ds.pixel_array * float(ds.RescaleSlope) for ds in slices]).astype(np.float32)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((4, 4, 4))
    image.SetOrigin(slices[0].ImagePositionPatient)
    return image


def test_pictures_are_played_at_their_rate_and_lie_where_they_were_seen(arrived: dict[str, list[Path]]) -> None:
    cine, rotating = sorted(
        map(pydicom.dcmread, arrived["Multi-frame True Color Secondary Capture Image"]),
        key=lambda ds: ds.NumberOfFrames,
    )
    assert (cine.NumberOfFrames, rotating.NumberOfFrames, float(cine.FrameTime)) == (3, 6, 100.0)
    places = [each.PlanePositionSequence[0].ImagePositionPatient[2] for each in cine.PerFrameFunctionalGroupsSequence]
    assert places == [0, 8, 16]
    (gray,) = map(pydicom.dcmread, arrived["Multi-frame Grayscale Word Secondary Capture Image"])
    assert gray.pixel_array.max() == 65_535
    assert gray.BurnedInAnnotation == cine.BurnedInAnnotation == "NO"


def test_a_picture_with_the_name_of_the_patient_says_that_it_is_burned_in(desk: Desk) -> None:
    plain, written = (
        {"kind": "snapshot", "picture": picture_of(desk.ct), "annotate": annotate} for annotate in (False, True)
    )
    cine: dict[str, Any] = {"kind": "cine", "pictures": [picture_of(desk.ct) | {"annotate": True}]}
    bookmark = {"kind": "bookmark", "id": "b1", "annotate": True}
    with zipfile.ZipFile(io.BytesIO(files(desk, plain, written, cine, bookmark))) as content:
        made = [pydicom.dcmread(io.BytesIO(content.read(name))) for name in sorted(content.namelist())]
    first, second, *others = sorted(
        (ds for ds in made if ds.SOPClassUID.endswith((".7", ".7.4"))), key=lambda ds: ds.BurnedInAnnotation
    )
    assert [each.BurnedInAnnotation for each in (first, second, *others)] == ["NO", "YES", "YES", "YES"]
    assert (first.pixel_array != second.pixel_array).any()
    (coronal,) = (ds for ds in made if ds.get("ImageOrientationPatient") == [1, 0, 0, 0, 0, -1])
    assert coronal.ImagePositionPatient[1] == HOT_MM[1]


def test_the_picture_of_a_bookmark_is_tilted_with_its_plane_and_not_rolled(desk: Desk) -> None:
    planes = ("axial", "coronal", "sagittal")
    marks = [bookmark_on(desk.pet, desk.ct) | {"id": plane} for plane in planes]
    for mark, plane in zip(marks, planes, strict=True):
        mark["view"] |= {"active": plane, "plane_turn": [0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1]}
    old = desk.api.send("GET", f"/workspaces/{desk.workspace}")
    draft = desk.api.send("POST", "/workspaces", {"study": old["study"], "series": [desk.ct, desk.pet]})
    change = {"revision": 1, "state": draft["state"] | {"bookmarks": marks}}
    desk.api.send("PUT", f"/workspaces/{draft['id']}", change)
    asked = desk.ask(*({"kind": "bookmark", "id": plane} for plane in planes), workspace=draft["id"])
    job = desk.api.send("POST", "/exports", asked | {"to": {"download": True}}, 202)
    assert desk.run(job["id"]).state is JobState.DONE
    content = desk.api.http.get(f"{desk.api.url}/api/exports/{job['id']}/file").content
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        made = [pydicom.dcmread(io.BytesIO(found.read(name))) for name in found.namelist()]
    ways = {tuple(ds.ImageOrientationPatient) for ds in made if "ImageOrientationPatient" in ds}
    assert ways >= {(1, 0, 0, 0, 1, 0), (0.8, 0.6, 0, 0, 0, -1), (-0.6, 0.8, 0, 0, 0, -1)}


def test_a_picture_says_which_side_of_the_patient_is_where() -> None:
    pixels = np.zeros((200, 300, 3), np.uint8)
    place = Place((1.0, 2.0, 3.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0), 1.0, 200, 300)
    written = written_on(pixels, [(pydicom.Dataset(), Window(0, 1))], place)
    middle = written[80:120].max(axis=(0, 2))
    assert min(middle[:20].max(), middle[-20:].max()) > 128  # R and L
    assert middle[30:-30].max() == 0
    assert written[-20:, 140:160].max() > 128  # F
    found = [letters_of(way) for way in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, -1), (0.6, 0, 0.8), (0.99, 0.1, 0))]
    assert found == ["L", "R", "P", "F", "HL", "L"]


def files(desk: Desk, *items: dict[str, Any]) -> bytes:
    """The zip of a download."""
    done = desk.export({"download": True}, *items)
    assert done.state is JobState.DONE, done.message
    answer = desk.api.http.get(f"{desk.api.url}/api/exports/{done.id}/file")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    return answer.content


def test_a_download_leaves_the_archive_as_it_is_and_is_gone_after_a_day(desk: Desk) -> None:
    before = desk.kept()
    with zipfile.ZipFile(io.BytesIO(files(desk, {"kind": "images", "series": desk.elsewhere}))) as content:
        assert content.testzip() is None
        names = content.namelist()
        stored = {pydicom.dcmread(io.BytesIO(content.read(name))).SOPInstanceUID for name in names}
    assert names[0] == "ct-image/00001.dcm"
    assert stored == {each.sop_instance_uid for each in objects_of_series(desk.api.archive, desk.elsewhere)}
    assert desk.kept() == before
    (*_, newest) = sorted((desk.api.folder / "exports").iterdir(), key=lambda path: int(path.stem))
    long_ago = time.time() - 86_401
    os.utime(newest, (long_ago, long_ago))
    assert "more than a day ago" in desk.api.problem("GET", f"/exports/{newest.stem}/file")["detail"]
    assert not newest.exists()


def test_a_job_that_crashed_before_it_was_recorded_keeps_nothing_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("crashed")

    before = desk.kept()
    with monkeypatch.context() as patch:
        patch.setattr(JobContext, "record", crash)
        failed = desk.export({"archive": True}, {"kind": "snapshot", "picture": picture_of(desk.ct)})
    assert (failed.state, desk.kept()) == (JobState.FAILED, before + 1)
    desk.api.desk.jobs.retry(failed.id)
    again = desk.run(failed.id)
    assert (again.state, desk.kept()) == (JobState.DONE, before + 1), again.message


def test_a_job_that_crashed_after_it_queued_a_send_queues_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[int] = []

    def crash(context: JobContext, item: int, *more: Any) -> None:
        recorded.append(item)
        if len(recorded) == 2:
            raise RuntimeError("crashed")
        really(context, item, *more)

    really = JobContext.record
    desk.api.desk.peers.add(Peer("SINK", AETitle("SINK"), "127.0.0.1", 11112))
    before = {job.id for job in desk.api.desk.jobs.list(kind=SEND)}
    with monkeypatch.context() as patch:
        patch.setattr(JobContext, "record", crash)
        failed = desk.export({"archive": True, "peers": ["SINK"]}, {"kind": "images", "series": desk.elsewhere})
    (queued,) = {job.id for job in desk.api.desk.jobs.list(kind=SEND)} - before
    assert failed.state is JobState.FAILED
    desk.api.desk.jobs.retry(failed.id)
    again = desk.run(failed.id)
    assert again.state is JobState.DONE, again.message
    assert {job.id for job in desk.api.desk.jobs.list(kind=SEND)} == before | {queued}
    assert desk.api.desk.jobs.items(failed.id)[1].comment.endswith(f"by job {queued}")


def test_what_cannot_be_made_is_told_and_nothing_is_begun(desk: Desk) -> None:
    good = {"kind": "numbers", "ids": ["l1"]}
    bad = {"kind": "snapshot", "picture": picture_of(desk.ct, desk.elsewhere)}
    told, fine = desk.plan(bad, good)
    assert "not registered" in told["refusal"]
    assert (fine["object"], fine["refusal"]) == ("Comprehensive SR", "")
    before = len(desk.api.desk.jobs.list())
    problem = desk.api.problem("POST", "/exports", desk.ask(bad, good, to={"archive": True}))
    assert (problem["status"], "not registered" in problem["detail"]) == (422, True)
    assert len(desk.api.desk.jobs.list()) == before


@pytest.mark.parametrize(
    ("item", "to", "status", "words"),
    [
        ({"kind": "regions", "ids": ["r9"]}, {"archive": True}, 400, "r9"),
        ({"kind": "bookmark", "id": "none"}, {"archive": True}, 400, "none"),
        ({"kind": "numbers"}, {}, 400, "where to"),
        ({"kind": "numbers"}, {"archive": True, "download": True}, 400, "where to"),
        ({"kind": "numbers"}, {"peers": ["NOBODY"]}, 404, "NOBODY"),
        ({"kind": "images", "series": "x"}, {"archive": True}, 400, "Series Instance UID"),
        ({"kind": "images", "series": "2.25.404"}, {"archive": True}, 404, "no such series"),
        ({"kind": "volume", "view": {"series": "2.25.404", "unit": "spoons"}}, {"archive": True}, 400, "unit"),
        ({"kind": "film"}, {"archive": True}, 400, "film"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    item: dict[str, Any], to: dict[str, Any], status: int, words: str, desk: Desk
) -> None:
    problem = desk.api.problem("POST", "/exports", desk.ask(item, to=to))
    assert (problem["status"], words in problem["detail"]) == (status, True), problem["detail"]


def test_runs_of_an_outline_that_are_no_runs_are_refused(desk: Desk) -> None:
    shape = kept(desk.made, desk.pet)["shape"] | {"runs": "no runs!"}
    item = {"kind": "snapshot", "picture": picture_of(desk.ct, regions=[{"shape": shape}])}
    assert "base64" in desk.api.problem("POST", "/exports/plan", desk.ask(item))["detail"]


def test_an_empty_cine_and_one_without_end_are_refused(desk: Desk) -> None:
    far = RANGE | {"to_mm": 90_000, "step_mm": 1}
    endless = {"kind": "cine", "pictures": [picture_of(desk.ct)], "range": far}
    assert "larger steps" in desk.api.problem("POST", "/exports/plan", desk.ask(endless))["detail"]
    nothing = {"kind": "cine", "pictures": []}
    assert desk.api.problem("POST", "/exports/plan", desk.ask(nothing))["status"] == 400
