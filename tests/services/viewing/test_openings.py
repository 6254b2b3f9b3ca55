"""What to open of a patient, told from the index and one header of each series."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.errors import UnknownEntity
from radfuse.core.uids import new_uid
from radfuse.services.viewing.openings import Opening, OpeningSeries, opening_of
from radfuse.services.viewing.showable import ShowsAs
from tests.support.generate import base_instance
from tests.support.graphs import Scene
from tests.support.volumes import Shape, image, pixels_of, put_pixels

FRAME, OTHER_FRAME = "2.25.7001", "2.25.7002"


class Patient:
    """Studies of one patient, as a test wants them."""

    def __init__(self, archive: Archive) -> None:
        self.scene = Scene(archive)
        self.archive = archive
        self._series = 20

    def add(self, modality: str, count: int = 3, frame: str = FRAME, date: str = "20260105", **facts: object) -> str:
        """Keep a series in the study of a day; its UID."""
        self._series += 1
        for number in range(count):
            ds = image(Shape(), modality, number, self._series)
            ds.StudyInstanceUID, ds.StudyDate, ds.FrameOfReferenceUID = f"2.25.70{date}", date, frame
            for name, value in facts.items():
                setattr(ds, name, value)
            self.scene.keep(ds)
        return str(ds.SeriesInstanceUID)

    def keep(self, ds: Dataset) -> str:
        """Keep an object of the same study; the UID of its series."""
        ds.StudyInstanceUID, ds.StudyDate = "2.25.7020260105", "20260105"
        self.scene.keep(ds)
        return str(ds.SeriesInstanceUID)

    def opening(self, *wanted: str, date: str = "20260105") -> Opening:
        return opening_of(self.archive, f"2.25.70{date}", wanted)


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    with Archive(ArchiveSettings(tmp_path)) as archive:
        yield Patient(archive)


def series_in(opening: Opening, uid: str) -> OpeningSeries:
    return next(each for study in opening.studies for each in study.series if each.row.series_instance_uid == uid)


def test_corrected_pet_is_taken_before_a_larger_one_that_is_not_and_the_larger_of_equals(patient: Patient) -> None:
    patient.add("PT", 6, CorrectedImage=["DECY"])
    corrected, small, large = patient.add("PT", 4), patient.add("CT", 3), patient.add("CT", 5)
    found = patient.opening().proposal
    assert (found.base, found.overlay) == (large, corrected)
    assert patient.opening(corrected, small).proposal.base == small


def test_without_a_common_frame_of_reference_nothing_is_proposed_to_be_fused(patient: Patient) -> None:
    pet, ct = patient.add("PT", frame=OTHER_FRAME), patient.add("CT")
    found = patient.opening().proposal
    assert (found.base, found.overlay, found.layout) == (ct, pet, "side")
    assert "no common frame of reference" in found.reason


def test_a_description_that_begins_with_its_modality_does_not_say_it_twice(patient: Patient) -> None:
    patient.add("PT", SeriesDescription="PET whole body")
    patient.add("CT", SeriesDescription="thorax")
    assert patient.opening().proposal.reason == "PET whole body on CT thorax: one frame of reference"


def test_mr_under_pet_and_a_lone_volume(patient: Patient) -> None:
    pet, mr = patient.add("PT"), patient.add("MR")
    patient.add("CT", frame=OTHER_FRAME)
    assert patient.opening().proposal.base == mr
    assert patient.opening(pet).proposal.base == pet
    assert patient.opening(mr).proposal.overlay == ""


def test_the_newest_earlier_scan_of_the_same_modality_is_the_prior(patient: Patient) -> None:
    patient.add("PT")
    patient.add("CT")
    patient.add("PT", date="20250101", frame="2.25.7003")
    prior = patient.add("PT", date="20250601", frame="2.25.7004")
    later = patient.add("PT", date="20260601", frame="2.25.7005")
    found = patient.opening()
    assert found.proposal.prior == prior
    assert [study.row.study_date for study in found.studies] == ["20260105", "20260601", "20250601", "20250101"]
    assert patient.opening(date="20260601").proposal.base == later


def test_a_patient_of_the_same_beginning_is_another_one(patient: Patient) -> None:
    patient.add("CT")
    patient.add("CT", date="20250101", PatientID="GEN-00011")
    assert len(patient.opening().studies) == 1


def test_what_is_no_volume_says_how_it_is_shown_and_why(patient: Patient) -> None:
    shown = {}
    ultrasound = base_instance("1.2.840.10008.5.1.4.1.1.3.1", "US", 50, 1)
    put_pixels(ultrasound, pixels_of(Shape(), 1)[None].repeat(3, axis=0))
    shown[patient.keep(ultrasound)] = (ShowsAs.CINE, "US images are no slices of a volume")
    capture = base_instance("1.2.840.10008.5.1.4.1.1.7", "OT", 51, 1)
    put_pixels(capture, pixels_of(Shape(), 1))
    shown[patient.keep(capture)] = (ShowsAs.IMAGES, "the images do not say where they lie")
    ecg = base_instance("1.2.840.10008.5.1.4.1.1.9.1.1", "ECG", 52, 1)
    shown[patient.keep(ecg)] = (ShowsAs.WAVEFORM, "")
    report = base_instance("1.2.840.10008.5.1.4.1.1.104.1", "DOC", 53, 1)
    shown[patient.keep(report)] = (ShowsAs.DOCUMENT, "")
    raw = base_instance("1.2.840.10008.5.1.4.1.1.66", "OT", 54, 1)
    shown[patient.keep(raw)] = (ShowsAs.NOTHING, "there is no view for objects of this kind")
    shown[patient.add("CT", 1)] = (ShowsAs.IMAGES, "there is one image")
    scout = patient.add("CT", 2, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    shown[scout] = (ShowsAs.IMAGES, "a localizer (scout) is no volume")
    tomogram = {"ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]}
    placed = base_instance("1.2.840.10008.5.1.4.1.1.20", "NM", 55, 1)
    put_pixels(placed, pixels_of(Shape(), 1)[None].repeat(3, axis=0))
    placed.ImageType = tomogram["ImageType"]
    shown[patient.keep(placed)] = (ShowsAs.CINE, "the images do not say where they lie")
    detector = Dataset()
    detector.ImagePositionPatient, detector.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    placed = deepcopy(placed)
    placed.SOPInstanceUID, placed.SeriesInstanceUID = new_uid(), new_uid()
    placed.DetectorInformationSequence = [detector]
    shown[patient.keep(placed)] = (ShowsAs.VOLUME, "")
    raw_views = deepcopy(placed)
    raw_views.SOPInstanceUID, raw_views.SeriesInstanceUID = new_uid(), new_uid()
    raw_views.ImageType = ["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]
    shown[patient.keep(raw_views)] = (ShowsAs.CINE, "only reconstructed NM tomograms have slices")
    found = patient.opening()
    with pytest.raises(UnknownEntity):
        patient.opening(date="19000101")
    for uid, expected in shown.items():
        each = series_in(found, uid).showable
        assert (each.shows_as, each.reason) == expected
    assert patient.opening(scout).proposal.layout == "images"
    assert found.proposal.base == str(next(uid for uid, (how, _) in shown.items() if how is ShowsAs.VOLUME))
