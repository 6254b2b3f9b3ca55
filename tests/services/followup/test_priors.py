"""Which earlier series is the prior, and why each of the others is not."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from radfuse.archive import Archive
from radfuse.core.errors import CannotRegister, UnknownEntity
from radfuse.objects.common import Code, code_sequence, encode
from radfuse.services.followup import Priors, priors_of_series, priors_of_study
from radfuse.services.import_media import Verdict, import_stream
from tests.support.volumes import Shape, image

NOW = "20260105"
Edit = Callable[[Dataset], None]


def drug(name: str) -> Sequence:
    item = Dataset()
    item.RadiopharmaceuticalCodeSequence = code_sequence(Code("X", "SCT", name))
    return Sequence([item])


class Patient:
    """Series of five small images, each in a study of its own, of one patient."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.number = 0

    def series(self, date: str, modality: str = "PT", edit: Edit = lambda ds: None, images: int = 5) -> str:
        self.number += 1
        for place in range(images):
            ds = image(Shape(8, 8), modality, place, self.number)
            ds.StudyInstanceUID, ds.FrameOfReferenceUID = f"2.25.81{self.number}", f"2.25.82{self.number}"
            ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = date
            ds.SeriesDescription, ds.BodyPartExamined = f"{modality} whole body", "CHEST"
            if modality == "PT":
                ds.RadiopharmaceuticalInformationSequence = drug("Fluorodeoxyglucose F^18^")
            edit(ds)
            assert import_stream(self.archive, "image", BytesIO(encode(ds))).verdict is Verdict.STORED
        return str(ds.SeriesInstanceUID)

    def priors(self, series: str) -> Priors:
        return priors_of_series(self.archive, series)

    def refusal(self, edit: Edit, date: str = "20250101", modality: str = "PT", images: int = 5) -> str:
        """Why an earlier series with a difference is not chosen."""
        other = self.series(date, modality, edit, images)
        found = self.priors(self.series(NOW, modality))
        assert found.chosen is None
        (one,) = [each for each in found.candidates if each.series_instance_uid == other]
        return one.reason


@pytest.fixture
def patient(archive: Archive) -> Patient:
    return Patient(archive)


def test_the_nearest_earlier_comparable_series_is_chosen_and_says_why(patient: Patient) -> None:
    old, near = patient.series("20240101"), patient.series("20251001")
    patient.series("20260301")
    current = patient.series(NOW)
    found = patient.priors(current)
    assert found.chosen is not None
    assert found.chosen.series_instance_uid == near
    assert "the same radiopharmaceutical (fdg)" in found.chosen.reason
    reasons = {each.series_instance_uid: each.reason for each in found.candidates}
    assert "nearer in time" in reasons[old]
    assert [each.moment[:4] for each in found.candidates] == ["2025", "2024", "2026"], "comparable ones first"
    assert "not of an earlier day" in found.candidates[2].reason


def test_of_two_series_of_a_day_the_more_alike_is_chosen(patient: Patient) -> None:
    def other_name(ds: Dataset) -> None:
        ds.SeriesDescription = "PT head delayed"

    patient.series("20251001", edit=other_name)
    alike = patient.series("20251001")
    found = patient.priors(patient.series(NOW))
    assert found.chosen is not None
    assert found.chosen.series_instance_uid == alike


@pytest.mark.parametrize(
    ("keyword", "value", "words"),
    [
        ("BodyPartExamined", "HEAD", "another part of the body: head, not chest"),
        ("CorrectedImage", ["DECY"], "only one of the two is corrected for attenuation"),
        ("RadiopharmaceuticalInformationSequence", drug("Ga-68 PSMA"), "another radiopharmaceutical: ga-68 psma"),
        ("ImageType", ["DERIVED", "SECONDARY", "MIP"], "a localizer or a projection"),
        ("PatientBirthDate", "19010101", "written differently"),
        ("FrameOfReferenceUID", "", "frame of reference"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)
def test_what_is_not_comparable_says_why(keyword: str, value: object, words: str, patient: Patient) -> None:
    assert words in patient.refusal(lambda ds: setattr(ds, keyword, value))


def test_a_localizer_of_few_images_is_no_prior(patient: Patient) -> None:
    assert "2 images only" in patient.refusal(lambda ds: None, modality="CT", images=2)


def test_series_of_the_same_study_are_not_priors(patient: Patient) -> None:
    def same_study(ds: Dataset) -> None:
        ds.StudyInstanceUID = "2.25.899"

    patient.series(NOW, edit=same_study)
    found = patient.priors(patient.series(NOW, edit=same_study))
    assert [each.reason for each in found.candidates] == ["it is of the same study"]


def test_another_patient_is_never_looked_at(patient: Patient) -> None:
    def stranger(ds: Dataset) -> None:
        ds.PatientID = "GEN-00012"

    patient.series("20251001", edit=stranger)
    assert patient.priors(patient.series(NOW)).candidates == ()


def test_of_a_study_each_series_of_images_has_its_priors(patient: Patient) -> None:
    earlier = patient.series("20251001", "CT")
    patient.series(NOW, "CT")
    (found,) = priors_of_study(patient.archive, "2.25.812")
    assert (found.modality, [each.series_instance_uid for each in found.candidates]) == ("CT", [earlier])
    assert found.candidates[0].as_json()["Chosen"] is True


def test_what_is_not_kept_or_no_image_has_no_priors(patient: Patient) -> None:
    with pytest.raises(UnknownEntity):
        priors_of_study(patient.archive, "2.25.404")
    secondary = patient.series(NOW, "CT", lambda ds: setattr(ds, "Modality", "OT"))
    with pytest.raises(CannotRegister, match="this one is OT"):
        patient.priors(secondary)
