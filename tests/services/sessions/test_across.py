"""Sessions over several frames of reference, studies and patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.errors import InvalidObject, UnknownEntity
from radfuse.core.uids import new_uid
from radfuse.objects.common import Making
from radfuse.services.forget import forget_objects
from radfuse.services.series_views import SeriesView
from radfuse.services.sessions import NewSession, restore_session, save_session, sessions_of_study
from radfuse.services.sessions.model import Role
from radfuse.services.stored_objects import object_of, proved_file
from radfuse.services.workspace_objects import Look, SavedLine, Scene
from tests.support.graphs import SHAPE, SLICES, shift
from tests.support.graphs import Scene as Graph
from tests.support.volumes import image

EARLIER = "2.25.777"


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    with Archive(ArchiveSettings(tmp_path / "data")) as archive:
        made = Graph(archive)
        made.add_series("ct")
        made.add_series("mr", modality="MR")
        yield made


def making() -> Making:
    return Making(datetime.now(UTC), new_uid)


def session(graph: Graph, overlay: SeriesView | None = None, **more: Any) -> NewSession:
    """The CT with an overlay, as the API would save it."""
    base = SeriesView(graph.uid("ct"))
    others = more.get("others", ())
    views = {"base": base, "overlay": overlay}
    document = {name: view and {"series": view.series} for name, view in views.items()}
    looks = {view.series: Look(0, 100) for view in (base, overlay) if view is not None}
    return NewSession(
        study=str(graph.of("ct")[0].StudyInstanceUID),
        name="Across",
        note="",
        by="ada",
        workspace="w1",
        document={**document, "prior": None, "others": [{"series": each.series} for each in others], "regions": []},
        scene=Scene(base, overlay, looks),
        **more,
    )


def kept(graph: Graph, uid: str) -> Dataset:
    return dcmread(BytesIO(proved_file(graph.archive, object_of(graph.archive, uid))))


def earlier(graph: Graph, patient: str = "GEN-0001") -> SeriesView:
    """A CT of another study, and perhaps of another patient."""
    made = [image(SHAPE, "CT", place, 47) for place in range(SLICES)]
    for ds in made:
        ds.StudyInstanceUID, ds.PatientID, ds.FrameOfReferenceUID = EARLIER, patient, "2.25.888"
        graph.keep(ds)
    return SeriesView(str(made[0].SeriesInstanceUID))


def test_the_registrations_that_it_used_are_named_and_missed(graph: Graph) -> None:
    registration = graph.register("ct", "mr", shift(x_mm=5))
    saved = save_session(graph.archive, session(graph, SeriesView(graph.uid("mr"))), making())
    assert saved.registrations == (registration,)
    assert saved.notes == ()
    fused = next(part for part in saved.parts if part.role is Role.FUSED)
    (named,) = kept(graph, fused.sop_instance_uid).ReferencedSpatialRegistrationSequence
    assert named.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == registration
    assert restore_session(graph.archive, saved.sop_instance_uid).findings == ()
    forget_objects(graph.archive, [object_of(graph.archive, registration)])
    restored = restore_session(graph.archive, saved.sop_instance_uid)
    assert restored.findings == ("the registration (Registration) is missing: it was deleted, or has not arrived here",)


def test_series_that_are_gone_are_named_and_the_rest_is_restored(graph: Graph) -> None:
    overlay = SeriesView(graph.uid("mr"))
    saved = save_session(graph.archive, session(graph, overlay), making())
    forget_objects(graph.archive, [graph.stored(str(ds.SOPInstanceUID)) for ds in graph.of("mr")])
    restored = restore_session(graph.archive, saved.sop_instance_uid)
    assert restored.gone == (overlay.series,)
    assert restored.findings[-1].startswith("a series that it shows is not in this archive")


def test_with_a_prior_of_another_study_it_is_in_both_studies(graph: Graph) -> None:
    saved = save_session(graph.archive, session(graph, others=(earlier(graph),)), making())
    manifests = [part.sop_instance_uid for part in saved.parts if part.role is Role.KEY_OBJECT]
    assert manifests[-1] == saved.sop_instance_uid
    rows = {study: sessions_of_study(graph.archive, study) for study in (EARLIER, session(graph).study)}
    found = [row.session.sop_instance_uid for each in rows.values() for row in each]
    assert sorted(found) == sorted(manifests)
    one, other = (restore_session(graph.archive, uid).session for uid in manifests)
    assert one.document == other.document
    again = save_session(graph.archive, session(graph), making())
    assert again.version == 2


def test_images_of_another_patient_are_in_no_object_of_this_one(graph: Graph) -> None:
    stranger = replace(earlier(graph, "GEN-0002"), allow_other_patient=True)
    saved = save_session(graph.archive, session(graph, stranger), making())
    assert [part.role for part in saved.parts] == [Role.KEY_OBJECT]
    manifest = kept(graph, saved.sop_instance_uid)
    studies = {each.StudyInstanceUID for each in manifest.CurrentRequestedProcedureEvidenceSequence}
    assert studies == {graph.of("ct")[0].StudyInstanceUID}
    assert restore_session(graph.archive, saved.sop_instance_uid).findings == ()


def test_a_line_lies_on_the_image_that_is_nearest(graph: Graph) -> None:
    line = SavedLine("l", "angle", ((0, 0, 9), (10, 0, 9), (10, 10, 9)), graph.uid("ct"), "hip", 90.0, "deg")
    arrow = SavedLine("a", "arrow", ((0, 0, -9), (10, 0, -9)), graph.uid("ct"), "here", None, "")
    saved = save_session(graph.archive, session(graph, lines=(line, arrow)), making())
    report = next(part for part in saved.parts if part.role is Role.REPORT)
    text = str(kept(graph, report.sop_instance_uid))
    upper = max(graph.of("ct"), key=lambda ds: float(ds.ImagePositionPatient[2]))
    assert text.index(str(upper.SOPInstanceUID)) >= 0
    assert "[10.5, 10.5, 12.5, 10.5, 12.5, 12.5]" in text
    assert "here" in text


def test_what_is_too_much_for_the_private_block_is_refused_and_nothing_is_kept(graph: Graph) -> None:
    new = session(graph)
    with pytest.raises(InvalidObject, match="remove bookmarks"):
        save_session(graph.archive, replace(new, document={**new.document, "x": "y" * (1 << 20)}), making())
    assert sessions_of_study(graph.archive, new.study) == []


def test_a_session_whose_images_are_all_of_others_is_not_found_elsewhere(graph: Graph) -> None:
    with pytest.raises(UnknownEntity):
        restore_session(graph.archive, "2.25.404")
