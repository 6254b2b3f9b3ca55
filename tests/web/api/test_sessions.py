"""Sessions over the API: saved as standard objects, restored from the archive alone, whatever became of the parts."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
from highdicom.sr.coding import CodedConcept
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

from radfuse.core.uids import new_uid
from radfuse.services.peers import Peer
from tests.support.saved import Change, SessionDesk, elsewhere, files_of, session_desk

SEG, SR, KO = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.88.59"
BLOCK = (0x7FD1, "RADFUSE SESSION")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionDesk]:
    with session_desk(tmp_path_factory.mktemp("sessions") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def draft(desk: SessionDesk) -> dict[str, Any]:
    return desk.draft()


@pytest.fixture(scope="module")
def saved(desk: SessionDesk, draft: dict[str, Any]) -> dict[str, Any]:
    return desk.saved(draft, "Baseline", note="before therapy")


def only(sop_class: str, change: Change) -> Change:
    return lambda ds: change(ds) if ds.SOPClassUID == sop_class else ds


def uid_of(saved: dict[str, Any], sop_class: str) -> str:
    return next(str(each["SOPInstanceUID"]) for each in saved["objects"] if each["SOPClassUID"] == sop_class)


def test_a_session_comes_back_as_it_was_where_nothing_is_but_its_objects_and_others_coerced_them(
    desk: SessionDesk, draft: dict[str, Any], saved: dict[str, Any], tmp_path: Path
) -> None:
    def coerced(ds: Dataset) -> Dataset:
        ds.PatientName, ds.StudyDescription, ds.InstitutionName = "Other^Name", "Another", "Elsewhere"
        ds.PerformedProcedureStepID = "P1"
        return ds

    with elsewhere(desk, tmp_path / "data", coerced) as there:
        opened = there.opened(saved["SOPInstanceUID"])
    assert opened["findings"] == []
    assert opened["study"] == desk.study
    assert opened["title"] == "Baseline"
    assert opened["state"]["session"] == saved["SOPInstanceUID"]
    assert opened["state"] | {"session": None} == draft["state"]


def test_all_that_was_made_is_a_standard_object(saved: dict[str, Any]) -> None:
    assert [each["label"] for each in saved["objects"]] == [
        "segmentation: 2 regions",
        "report: Measurements",
        "fused view: Fused view",
        "view: The hot one",
        "picture: The hot one",
        "key object: Baseline",
    ]
    assert (saved["version"], saved["notes"], saved["jobs"]) == (1, [], [])


def test_its_study_is_marked_in_the_list(desk: SessionDesk, saved: dict[str, Any]) -> None:
    (study,) = desk.api.send("GET", "/studies")["studies"]
    assert {"kind": "session"} in study["badges"]
    detail = desk.api.send("GET", f"/studies/{desk.study}")
    assert {"kind": "session"} in detail["study"]["badges"]


def test_saved_again_it_is_the_next_version_and_names_the_one_before(desk: SessionDesk) -> None:
    first = desk.saved(desk.draft(), "Follow")
    reopened = desk.opened(first["SOPInstanceUID"])
    second = desk.saved(reopened, "Follow")
    third = desk.saved(reopened, "Follow")
    assert [each["version"] for each in (first, second, third)] == [1, 2, 3]
    rows = {row["SOPInstanceUID"]: row for row in desk.api.get("/sessions", study=desk.study)}
    chain = [rows[each["SOPInstanceUID"]]["predecessor"] for each in (first, second, third)]
    assert chain == ["", first["SOPInstanceUID"], second["SOPInstanceUID"]]
    (before,) = object_of(desk, third["SOPInstanceUID"]).PredecessorDocumentsSequence
    named = before.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert named == second["SOPInstanceUID"]
    (before,) = object_of(desk, uid_of(third, SR)).PredecessorDocumentsSequence
    named = before.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert named == uid_of(second, SR)
    assert "PredecessorDocumentsSequence" not in object_of(desk, uid_of(first, SR))
    old, new = (object_of(desk, uid_of(each, SEG)).SegmentSequence for each in (first, third))
    assert [one.TrackingUID for one in old] == [one.TrackingUID for one in new]


def object_of(desk: SessionDesk, uid: str) -> Dataset:
    found = (dcmread(io.BytesIO(content)) for content in files_of(desk))
    return next(ds for ds in found if ds.SOPInstanceUID == uid)


def test_without_its_segmentation_the_rest_is_restored_and_the_loss_is_named(
    desk: SessionDesk, draft: dict[str, Any], saved: dict[str, Any], tmp_path: Path
) -> None:
    with elsewhere(desk, tmp_path / "data", only(SEG, lambda _: None)) as there:
        rows = there.api.get("/sessions", study=desk.study)
        opened = there.opened(saved["SOPInstanceUID"])
    assert opened["findings"] == ["the segmentation (2 regions) is missing: it was deleted, or has not arrived here"]
    assert opened["state"] | {"session": None} == draft["state"] | {"regions": []}
    (row,) = [row for row in rows if row["SOPInstanceUID"] == saved["SOPInstanceUID"]]
    assert {name: row[name] for name in ("name", "note", "by", "version", "is_ours")} == {
        "name": "Baseline", "note": "before therapy", "by": "local", "version": 1, "is_ours": True,
    }  # fmt: skip
    assert (row["is_complete"], row["missing"], row["objects"]) == (False, 1, 5)


def test_a_region_that_another_system_changed_is_measured_anew_and_that_is_said(
    desk: SessionDesk, draft: dict[str, Any], saved: dict[str, Any], tmp_path: Path
) -> None:
    def smaller(ds: Dataset) -> Dataset:
        bits = np.unpackbits(np.frombuffer(ds.PixelData, np.uint8), bitorder="little")
        bits[np.flatnonzero(bits)[:20]] = 0
        ds.PixelData = np.packbits(bits, bitorder="little").tobytes()
        return ds

    with elsewhere(desk, tmp_path / "data", only(SEG, smaller)) as there:
        opened = there.opened(saved["SOPInstanceUID"])
    assert opened["findings"] == [
        "the segmentation (2 regions) was changed by another system since the session was saved",
        "the voxels of Lesion 1 are others than when it was saved: measured anew",
    ]
    before, after = draft["state"]["regions"], opened["state"]["regions"]
    assert after[0]["numbers"][0]["voxels"] == before[0]["numbers"][0]["voxels"] - 20
    assert [each["SeriesInstanceUID"] for each in after[0]["numbers"]] == [desk.pet, desk.ct]
    assert after[1] == before[1]


def manifest(desk: SessionDesk, saved: dict[str, Any], change: dict[str, Any] | None) -> str:
    """The UID of a copy of the manifest: with another block, or without one."""
    ds = object_of(desk, saved["SOPInstanceUID"])
    ds.SOPInstanceUID = new_uid()
    ds.file_meta.MediaStorageSOPInstanceUID = UID(ds.SOPInstanceUID)
    if change is None:
        ds.remove_private_tags()
    else:
        element = ds.private_block(*BLOCK)[1]
        element.value = json.dumps(json.loads(element.value) | change)
    return desk.keep(ds)


def test_where_the_private_block_was_removed_series_and_regions_are_opened(
    desk: SessionDesk, draft: dict[str, Any], saved: dict[str, Any]
) -> None:
    opened = desk.opened(manifest(desk, saved, None))
    state, before = opened["state"], draft["state"]["regions"]
    assert {state["base"]["series"], state["overlay"]["series"]} == {desk.ct, desk.pet}
    assert [each["shape"] for each in state["regions"]] == [each["shape"] for each in before]
    assert [each["name"] for each in state["regions"]] == ["Lesion 1", "Lesion 2"]
    told: dict[str, Any] = {"findings": [], "remarks": []}
    assert state["regions"][0]["numbers"][0] | told == before[0]["numbers"][0] | told
    assert opened["findings"] == ["it says nothing of how it was looked at: its series are opened as usual"]


def test_a_session_of_a_newer_version_is_refused_in_a_sentence(desk: SessionDesk, saved: dict[str, Any]) -> None:
    problem = desk.api.problem("POST", "/workspaces", {"from": manifest(desk, saved, {"schema": 2})})
    assert problem["status"] == 422
    assert "newer Radfuse (layout 2, this one reads up to 1)" in problem["detail"]


@pytest.mark.parametrize("document", [{"base": 1}, {"base": None, "regions": [{"id": "r1"}]}])
def test_a_damaged_layout_opens_what_can_be_opened(
    desk: SessionDesk, saved: dict[str, Any], document: dict[str, Any]
) -> None:
    opened = desk.opened(manifest(desk, saved, {"document": document}))
    assert "damaged" in opened["findings"][-1]
    assert opened["state"]["base"]["series"] in (desk.pet, desk.ct)


def test_a_selection_of_another_vendor_opens_its_series(desk: SessionDesk) -> None:
    images = [ds for ds in map(dcmread, map(io.BytesIO, files_of(desk))) if ds.Modality == "PT"][:2]
    uids = {title: desk.keep(selection_of(images, title)) for title in ("113000", "113001")}
    rows = {row["SOPInstanceUID"]: row for row in desk.api.get("/sessions", study=desk.study)}
    opened = desk.opened(uids["113000"])
    refused = desk.api.problem("POST", "/workspaces", {"from": uids["113001"]})
    assert (rows[uids["113000"]]["is_ours"], rows[uids["113000"]]["is_complete"]) == (False, True)
    assert uids["113001"] not in rows
    assert (opened["state"]["base"]["series"], opened["state"]["overlay"]) == (desk.pet, None)
    assert refused["status"] == 422


def selection_of(images: Sequence[Dataset], title: str) -> Dataset:
    content = KeyObjectSelection(CodedConcept(title, "DCM", "Of Interest"), images)
    return KeyObjectSelectionDocument(
        images, content, new_uid(), 1, new_uid(), 1, manufacturer="Other", institution_name="Elsewhere"
    )


def test_a_session_is_sent_with_all_its_parts(desk: SessionDesk) -> None:
    desk.api.desk.peers.add(Peer.parse("FAR@127.0.0.1:9"))
    saved = desk.saved(desk.draft(), "Sent", peers=["FAR"])
    (job,) = saved["jobs"]
    items = desk.api.get(f"/jobs/{job['id']}/items")["items"]
    assert {item["name"] for item in items} == {each["SOPInstanceUID"] for each in saved["objects"]}


def test_what_cannot_be_saved_says_why_and_leaves_nothing_behind(desk: SessionDesk) -> None:
    def refused(draft: dict[str, Any], **more: Any) -> tuple[int, str]:
        path = f"/workspaces/{draft['id']}/session"
        problem = desk.api.problem("POST", path, {"name": "No"} | more)
        return problem["status"], problem["detail"]

    draft = desk.draft()
    before = len(list(files_of(desk)))
    assert refused({"id": "nothing"})[0] == 404
    assert refused(draft, peers=["NOBODY"])[0] == 404
    assert refused(draft, name="  ")[0] == 400
    assert refused(draft, revision=draft["revision"] - 1)[0] == 409
    state = draft["state"]
    lost = desk.kept(draft, state | {"lines": [state["lines"][0] | {"series": "2.25.404"}]})
    assert refused(lost)[0] == 404
    empty = desk.api.send("POST", "/workspaces", {"study": desk.study})
    assert refused(empty) == (400, "workspace: there is nothing to save: open a series first")
    assert len(list(files_of(desk))) == before


def test_what_is_no_session_is_not_opened(desk: SessionDesk, saved: dict[str, Any]) -> None:
    def refused(uid: str, **more: Any) -> int:
        return int(desk.api.problem("POST", "/workspaces", {"from": uid} | more)["status"])

    assert refused("2.25.404") == 404
    assert refused("not a uid") == 400
    assert refused(uid_of(saved, SEG)) == 422
    assert refused(saved["SOPInstanceUID"], series=[desk.ct]) == 400
