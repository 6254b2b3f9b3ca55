"""Proposed registrations: put aside by a job, shown, and kept only when a person accepts them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from radfuse.core.errors import NotOverlaid, UnknownEntity
from radfuse.geometry import Points
from radfuse.jobs import JobContext, run_next
from radfuse.services import proposals
from radfuse.services.image_jobs import ImageSurroundings
from radfuse.services.import_media import import_files
from radfuse.services.measure import Image
from radfuse.services.one_object import stored_data_set
from radfuse.services.register import RegisterAsk, RegisterKind, read_landmarks
from radfuse.services.register_job import REGISTER, new_registration, run_registration
from radfuse.services.registrations import NotRegistered, RegistrationPath, path
from radfuse.services.series_views import SeriesView
from radfuse.services.stored_objects import objects_named
from radfuse.services.viewing import facts_of, show, values_at
from radfuse.services.volumes import objects_of_series
from tests.services.routing_scenes import Desk
from tests.support.graphs import Scene
from tests.support.judges import dciodvfy, dsrdump, written
from tests.support.two_series import CT_SERIES, MR_SERIES, TRUTH, landmark_lines, write_two_series

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("proposals")
    with contextlib.closing(Desk(folder / "data")) as desk:
        list(import_files(desk.archive, write_two_series(folder).files))
        yield desk


def proposed(desk: Desk, ask: RegisterAsk) -> int:
    """The number of a job that has proposed what was asked for."""

    def attempt(context: JobContext) -> None:
        run_registration(context, ImageSurroundings(desk.open))

    number = desk.jobs.submit(new_registration(ask, is_proposal=True))
    job = run_next(desk.jobs, {REGISTER: partial(attempt)}, number)
    assert job.counts.pending == 0, job.message
    return number


@pytest.fixture(scope="module")
def good(scene: Desk, tmp_path_factory: pytest.TempPathFactory) -> int:
    """By landmarks: passes."""
    file = tmp_path_factory.mktemp("landmarks") / "landmarks.csv"
    file.write_text(landmark_lines(), encoding="utf-8")
    kind = RegisterKind.LANDMARKS
    return proposed(scene, RegisterAsk(Image(CT_SERIES), Image(MR_SERIES), kind, landmarks=read_landmarks(file)))


@pytest.fixture(scope="module")
def poor(scene: Desk) -> int:
    """By hand, with landmarks that say no: fails."""
    far = ((200.0, 0.0, 0.0), (0.0, 0.0, 90.0))
    return proposed(scene, RegisterAsk(Image(CT_SERIES), Image(MR_SERIES), RegisterKind.MANUAL, manual=far))


def test_what_is_proposed_is_not_in_the_graph_and_is_shown_where_it_is_asked_for(scene: Desk, good: int) -> None:
    assert isinstance(path(scene.archive, CT_SERIES, MR_SERIES), NotRegistered)
    with pytest.raises(NotOverlaid):
        show(scene.archive, SeriesView(MR_SERIES), CT_SERIES)
    shown = show(scene.archive, SeriesView(MR_SERIES, proposed=good), CT_SERIES)
    assert not shown.is_resampled
    back = shown.native.grid.from_patient.apply(TRUTH.apply(shown.volume.grid.corners_mm))
    assert np.allclose(back, shown.native.grid.from_patient.apply(shown.native.grid.corners_mm), atol=0.01)
    alignment = facts_of(scene.archive, shown).alignment
    assert (alignment.kind, alignment.grade) == ("proposed", "PASS")
    assert alignment.sentence.startswith("proposed: landmarks, PASS: ")


def test_it_leads_back_as_well(scene: Desk, good: int) -> None:
    forth, _ = proposals.proposed_path(scene.archive, CT_SERIES, MR_SERIES, good)
    back, _ = proposals.proposed_path(scene.archive, MR_SERIES, CT_SERIES, good)
    point: Points = np.array([[10.0, -5.0, 20.0]])
    assert np.allclose(back.chain.apply(forth.chain.apply(point)), point)
    with pytest.raises(NotOverlaid, match="does not join"):
        proposals.proposed_path(scene.archive, CT_SERIES, CT_SERIES, good)


def test_it_lays_no_other_patient_over_the_base_without_a_yes(scene: Desk, good: int) -> None:
    ds = stored_data_set(scene.archive, objects_of_series(scene.archive, MR_SERIES)[0])
    ds.PatientID, ds.StudyInstanceUID = "OTHER", "2.25.91"
    ds.SeriesInstanceUID, ds.SOPInstanceUID = "2.25.92", "2.25.93"
    Scene(scene.archive).keep(ds)
    with pytest.raises(NotOverlaid) as refused:
        proposals.proposed_path(scene.archive, CT_SERIES, "2.25.92", good)
    assert refused.value.setting == "allow_other_patient"
    allowed, _ = proposals.proposed_path(scene.archive, CT_SERIES, "2.25.92", good, allow_other_patient=True)
    assert allowed.is_other_patient


def test_values_are_those_of_the_place_that_is_proposed(scene: Desk, good: int) -> None:
    point = np.array([[5.0, 5.0, 5.0]])
    found = values_at(scene.archive, CT_SERIES, SeriesView(MR_SERIES, proposed=good), point)
    assert found.values == values_at(scene.archive, "", SeriesView(MR_SERIES), TRUTH.apply(point)).values


def test_card_and_pictures_are_with_it(scene: Desk, good: int) -> None:
    found = proposals.proposal_of(scene.archive, good)
    kinds = [each["Kind"] for each in found.facts["Pictures"]]
    assert kinds[:3] == ["fixed and moving in squares", "edges of fixed on moving", "moving in colour on fixed"]
    assert all(proposals.picture_of(found, number).startswith(b"\x89PNG") for number in range(9))
    with pytest.raises(UnknownEntity):
        proposals.picture_of(found, 9)


def test_one_that_failed_needs_a_deliberate_yes(scene: Desk, poor: int) -> None:
    with pytest.raises(NotOverlaid) as refused:
        proposals.accept(scene.archive, poor, "Ada", WHEN)
    assert refused.value.setting == "allow_failed"
    assert "failed its check" in str(refused.value)
    assert not proposals.proposal_of(scene.archive, poor).accepted


def test_what_is_discarded_is_gone_and_an_attempt_that_comes_again_makes_it_anew(scene: Desk, poor: int) -> None:
    proposals.discard(scene.archive, poor)
    with pytest.raises(UnknownEntity, match="proposed registration"):
        show(scene.archive, SeriesView(MR_SERIES, proposed=poor), CT_SERIES)
    with pytest.raises(UnknownEntity):
        proposals.discard(scene.archive, poor)


def test_what_is_accepted_is_in_the_graph_with_its_author_once(scene: Desk, good: int, tmp_path: Path) -> None:
    accepted = proposals.accept(scene.archive, good, "Ada\\Lovelace", WHEN)
    again = proposals.accept(scene.archive, good, "Bob", datetime.now(UTC))
    assert again.accepted == accepted.accepted
    found = path(scene.archive, CT_SERIES, MR_SERIES)
    assert isinstance(found, RegistrationPath)
    assert (found.steps[0].link.registration, found.grade) == (accepted.registration, "PASS")
    stored = objects_named(scene.archive, accepted.facts["Objects"])
    assert len(stored) == 4
    ds = stored_data_set(scene.archive, stored[accepted.registration])
    assert (ds.ContentCreatorName, ds.ContentDate, ds.ContentTime) == ("Ada Lovelace", "20260304", "050607")
    card = next(each for each in stored.values() if each.sop_class_uid == "1.2.840.10008.5.1.4.1.1.88.33")
    report = written(stored_data_set(scene.archive, card), tmp_path)
    assert dciodvfy(report) == []
    said = dsrdump(report)
    assert '"Observer Type")=(121006,DCM,"Person")' in said
    assert '"Person Observer Name")="Ada Lovelace"' in said
    assert said.index('"Person Observer Name")') < said.index('"Device Observer')


def test_what_is_too_old_is_removed_with_the_next_one(scene: Desk, good: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radfuse.services.proposals.keeping.LASTS_DAYS", -1)
    hand = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    proposed(scene, RegisterAsk(Image(CT_SERIES), Image(MR_SERIES), RegisterKind.MANUAL, manual=hand))
    with pytest.raises(UnknownEntity):
        proposals.proposal_of(scene.archive, good)


def test_the_folder_has_nothing_half_made(scene: Desk) -> None:
    folder = Path(scene.archive.settings.folder) / "proposals"
    assert [each.name for each in folder.iterdir() if each.name.startswith(".")] == []
