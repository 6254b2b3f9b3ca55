"""What a follow-up leaves in the archive: read back, judged by other people's programs, and the same at every try."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.archive import Archive, queries
from radfuse.core.errors import InvalidRegion
from radfuse.jobs import Job, JobContext, Jobs, JobState, run_next
from radfuse.objects.common import encode
from radfuse.objects.rtstruct import read_structures
from radfuse.objects.seg import read_segmentation
from radfuse.objects.sr import Quantity, codes, measurements_of, read_report
from radfuse.services.commission.scans import PT, uid_of
from radfuse.services.followup import Followup, FollowupAsk, Linking, PairByHand, follow_up, rule_of, write_report
from radfuse.services.followup.codes import CURRENT_VALUE, DIFFERENCE, PERCENT_CHANGE, PRIOR_VALUE
from radfuse.services.followup.kept import table_of
from radfuse.services.followup.results import result_objects
from radfuse.services.followup_job import FOLLOWUP, ask_of, new_followup, run_followup
from radfuse.services.image_jobs import ImageSurroundings
from radfuse.services.one_object import stored_data_set
from radfuse.services.volumes import objects_of_series
from tests.support import judges
from tests.support.made import making
from tests.support.timepoints import CURRENT, DATES, PRIOR, SERIES, STUDIES

DRAWN_BEFORE, DRAWN_NOW = (uid_of(f"series structures {name}") for name in (PRIOR, CURRENT))
ASK = FollowupAsk(SERIES[CURRENT, PT], structures=DRAWN_BEFORE, current_structures=DRAWN_NOW)


@pytest.fixture(scope="module")
def found(kept: Archive) -> Followup:
    return follow_up(kept, ASK)


@pytest.fixture(scope="module")
def objects(kept: Archive, found: Followup) -> dict[str, Dataset]:
    """What one follow-up makes, by modality; of Segmentations also by time point."""
    made = result_objects(kept, found, making())
    names = ("SEG prior", "SEG", "RTSTRUCT", "SR", "DOC")
    assert [str(ds.Modality) for ds in made] == ["SEG", "SEG", "RTSTRUCT", "SR", "DOC"]
    return dict(zip(names, made, strict=True))


def test_the_objects_are_in_the_studies_of_their_images(objects: dict[str, Dataset]) -> None:
    studies = {name: str(ds.StudyInstanceUID) for name, ds in objects.items()}
    assert studies.pop("SEG prior") == STUDIES[PRIOR]
    assert set(studies.values()) == {STUDIES[CURRENT]}


def test_dciodvfy_accepts_them_and_dsrdump_reads_the_table(objects: dict[str, Dataset], tmp_path: Path) -> None:
    assert [judges.dciodvfy(judges.written(ds, tmp_path)) for ds in objects.values()] == [[]] * 5
    text = judges.dsrdump(judges.written(objects["SR"], tmp_path))
    assert "Change in per cent of the prior" in text
    assert f"Current {DATES[CURRENT][:4]}-01-05" in text


def test_a_lesion_has_one_tracking_uid_in_the_table_and_in_both_segmentations(objects: dict[str, Dataset]) -> None:
    groups = measurements_of(read_report(encode(objects["SR"])))
    points = {(group.tracking_id, group.time_point.partition(" ")[0]): group for group in groups}
    uids = {(group.tracking_id, group.tracking_uid) for group in groups if group.tracking_id != "All lesions"}
    assert len(uids) == 4
    for name in ("SEG prior", "SEG"):
        segments = {(str(one.TrackingID), str(one.TrackingUID)) for one in objects[name].SegmentSequence}
        assert segments < uids
    assert ("gone", "Current") in points
    assert ("new", "Prior") not in points


def test_the_table_says_from_what_to_what(objects: dict[str, Dataset]) -> None:
    groups = measurements_of(read_report(encode(objects["SR"])))
    (change,) = [group for group in groups if (group.tracking_id, group.time_point) == ("cooled", "Change")]
    peaks = {
        each.derivation: each for each in change.measurements if any(one.value == codes.PEAK for one in each.details)
    }
    assert peaks[PERCENT_CHANGE].value == pytest.approx(-40, abs=2)
    assert peaks[PERCENT_CHANGE].unit == codes.PERCENT
    values = {one.name: one.value.value for one in peaks[DIFFERENCE].details if isinstance(one.value, Quantity)}
    assert peaks[DIFFERENCE].value == pytest.approx(values[CURRENT_VALUE] - values[PRIOR_VALUE])
    (of_all,) = [group for group in groups if group.tracking_id == "All lesions"]
    assert codes.TOTAL_LESION_GLYCOLYSIS in {each.name for each in of_all.measurements}


def test_the_table_is_read_back_from_the_report(objects: dict[str, Dataset], found: Followup) -> None:
    read = table_of("2.25.1", measurements_of(read_report(encode(objects["SR"]))))
    assert [(each.name, each.status) for each in read.lesions] == [
        (each.name, each.status.value.capitalize()) for each in found.lesions
    ]
    assert (read.registration, len(read.findings)) == (found.link.sentence, len(found.findings) + len(found.notes))
    for lesion, kept_lesion in zip(found.lesions, read.lesions, strict=True):
        said = {each.quantity: (each.prior, each.current, each.percent) for each in kept_lesion.changes}
        for change in found.changes(lesion):
            for told, value in zip(
                said.get(change.quantity.value, (None,) * 3),
                (change.prior, change.current, change.percent),
                strict=True,
            ):
                assert told == (value if value is None else pytest.approx(value, rel=1e-5))


def test_highdicom_reads_the_measurements(objects: dict[str, Dataset], tmp_path: Path) -> None:
    highdicom = pytest.importorskip("highdicom")
    document = highdicom.sr.ComprehensiveSR.from_dataset(dcmread(judges.written(objects["SR"], tmp_path)))
    groups = document.content.get_volumetric_roi_measurement_groups()
    assert len(groups) == 6, "two lesions at both time points, one before, one now"
    assert {group.tracking_identifier for group in groups} == {"grown", "cooled", "gone", "new"}
    assert all(group.get_measurements() for group in groups)


def test_segments_and_carried_contours_lie_where_the_lesions_are(objects: dict[str, Dataset]) -> None:
    segments = read_segmentation(dcmread(BytesIO(encode(objects["SEG"]))))
    masks = {one.label: segments.mask(one.number) for one in segments.segments}
    assert set(masks) == {"grown", "cooled", "new"}
    carried = read_structures(objects["RTSTRUCT"])
    assert [one.name for one in carried.structures] == ["grown", "cooled", "gone"]
    assert {one.frame.uid for one in carried.structures} == {masks["new"].grid.frame.uid}


def test_a_report_in_files_is_a_pdf_and_json(found: Followup, tmp_path: Path) -> None:
    written = write_report(tmp_path / "report", found)
    assert [path.name for path in written] == ["followup.pdf", "followup.json"]
    assert written[0].read_bytes().startswith(b"%PDF-")


# --- the job ---------------------------------------------------------------------------------


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    (tmp_path / "jobs").mkdir()
    with contextlib.closing(Jobs(tmp_path / "jobs")) as opened:
        yield opened


def run(jobs: Jobs, archive: Archive, number: int) -> Job:
    return run_next(jobs, {FOLLOWUP: partial(attempt, archive=archive)}, number, lambda: False)


def attempt(context: JobContext, archive: Archive) -> None:
    run_followup(context, ImageSurroundings(lambda _name: archive))


def test_a_job_keeps_the_table_and_the_same_objects_when_it_is_tried_again(
    own: Archive, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = jobs.submit(new_followup(ASK, by="Lucia Vega"))

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("crashed")

    with monkeypatch.context() as broken:
        broken.setattr(JobContext, "record", crash)
        assert run(jobs, own, number).state is not JobState.DONE
    with monkeypatch.context() as elsewhere:
        # Also where the first look does not find them, making them again changes nothing.
        elsewhere.setattr("radfuse.services.followup_job.pdf_kept", lambda *_, **__: "")
        jobs.retry(number)
        job = run(jobs, own, number)
    assert (job.state, job.counts.warned) == (JobState.DONE, 1), "the registration has no grade"
    assert job.message == "4 lesions: 2 persisting, 1 vanished, 1 new"
    with own.reading() as connection:
        places = queries.study_places(connection, STUDIES[CURRENT])
    (table,) = (each for each in places if (each.modality, each.description) == ("SR", "Follow-up"))
    (report,) = objects_of_series(own, table.series_instance_uid)
    names = [str(item.PersonName) for item in stored_data_set(own, report).ContentSequence if item.ValueType == "PNAME"]
    assert names == ["Lucia Vega"], "the person is an observer"


def test_what_was_asked_for_survives_the_queue() -> None:
    asked = FollowupAsk(
        "2.25.1", "2.25.2", "2.25.3", ("a",), "2.25.4", (PairByHand("a", "b"),), rule_of("SUV 2.5"), 4.0,
        Linking.RIGID, True,
    )  # fmt: skip
    assert ask_of(new_followup(asked).parameters) == asked
    assert ask_of(new_followup(ASK).parameters) == ASK
    with pytest.raises(InvalidRegion, match="import"):
        new_followup(FollowupAsk("2.25.1", structures=Path("lesions.dcm")))
