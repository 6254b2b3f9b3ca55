"""Made-up images and circumstances for the tests of documents, reports and presentation states."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

from pydicom.dataset import Dataset

from radfuse.objects.common import Code, Making, NewSeries, Provenance, Reference, reference_to
from radfuse.objects.sr import (
    Algorithm,
    Coordinates,
    Detail,
    Measurement,
    MeasurementGroup,
    MeasurementReport,
    ObjectReference,
    Quantity,
    Region,
    SegmentReference,
    Site,
    build_measurement_report,
    codes,
)

PROVENANCE = Provenance("percentage isocontour", {"threshold": "41 % of SUVmax"})
SERIES = NewSeries("Made by a test")
STUDY = "2.25.100"
SEGMENTATION = Reference("1.2.840.10008.5.1.4.1.1.66.4", "2.25.900", "2.25.901", STUDY)


def making() -> Making:
    """The same at every call: UIDs count up from 2.25.1000."""
    numbers = count(1000)
    return Making(datetime(2026, 11, 22, 10, 30, tzinfo=UTC), lambda: f"2.25.{next(numbers)}", "Reader^One")


def image(number: int = 1, modality: str = "PT", study: str = STUDY, name: str = "Test^Patient") -> Dataset:
    """The header of one image of a series of 8 x 10 pixels."""
    ds = Dataset()
    ds.SOPClassUID = {"PT": "1.2.840.10008.5.1.4.1.1.128", "CT": "1.2.840.10008.5.1.4.1.1.2"}[modality]
    ds.SOPInstanceUID = f"{study}.{ord(modality[0])}.{number}"
    ds.SeriesInstanceUID = f"{study}.{ord(modality[0])}"
    ds.StudyInstanceUID = study
    ds.FrameOfReferenceUID = "2.25.500"
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.Modality = modality
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = name, "4711", "19500102", "O"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20260102", "101500", "1", ""
    ds.Rows, ds.Columns, ds.PixelSpacing = 8, 10, [2, 2]
    ds.RescaleSlope, ds.RescaleIntercept, ds.SeriesNumber = 1, -1024 if modality == "CT" else 0, 3
    return ds


IMAGES = tuple(image(number) for number in (1, 2, 3))
REFERENCES = (*map(reference_to, IMAGES), SEGMENTATION)
ON_IMAGE = ObjectReference(REFERENCES[0].sop_class_uid, REFERENCES[0].sop_instance_uid)

SEGMENT_GROUP = MeasurementGroup(
    tracking_id="lesion 1",
    tracking_uid="2.25.601",
    measurements=(
        Measurement(codes.SUV_BW, 8.212345678901234, codes.G_PER_ML_BW, codes.MAXIMUM),
        Measurement(
            codes.SUV_BW,
            6.5,
            codes.G_PER_ML_BW,
            codes.PEAK,
            details=(Detail(codes.THRESHOLD, Quantity(41.0, codes.PERCENT)), Detail(codes.COMMENT, "sphere of 1 cm3")),
        ),
        Measurement(
            codes.METABOLIC_VOLUME,
            12.5,
            codes.MILLILITRE,
            method=codes.SUM_OF_VOXELS,
            algorithm=Algorithm("percentage isocontour", "1", ("threshold = 41 % of SUVmax",)),
        ),
    ),
    region=SegmentReference(
        ObjectReference(SEGMENTATION.sop_class_uid, SEGMENTATION.sop_instance_uid, segments=(1,)),
        IMAGES[0].SeriesInstanceUID,
    ),
    finding=Code("108369006", "SCT", "Neoplasm"),
    category=Code("49755003", "SCT", "Morphologically Abnormal Structure"),
    sites=(Site(Code("39607008", "SCT", "Lung"), Code("7771000", "SCT", "Left")),),
    session="1",
    time_point="baseline",
    evaluations=(Detail(codes.COMMENT, "well seen"),),
)
SHAPE_GROUP = MeasurementGroup(
    tracking_id="ellipse",
    tracking_uid="2.25.602",
    measurements=(Measurement(codes.AREA, 78.5, codes.SQUARE_MM),),
    region=(Region(Coordinates("ELLIPSE", ((1.0, 4.0), (9.0, 4.0), (5.0, 2.0), (5.0, 6.0))), ON_IMAGE),),
)
LINE_GROUP = MeasurementGroup(
    tracking_id="line",
    tracking_uid="2.25.603",
    measurements=(
        Measurement(
            codes.DISTANCE,
            12.25,
            codes.MILLIMETRE,
            sources=(Region(Coordinates("POLYLINE", ((1.5, 2.0), (3.0, 4.5))), ON_IMAGE),),
        ),
        Measurement(codes.ANGLE, 30.0, codes.DEGREE),
    ),
)
GROUPS = (SEGMENT_GROUP, SHAPE_GROUP, LINE_GROUP)


def report_of(*groups: MeasurementGroup, name: str = "Test^Patient") -> Dataset:
    """A measurement report of groups."""
    source = image(name=name)
    return build_measurement_report(
        MeasurementReport(groups), [source], REFERENCES, provenance=PROVENANCE, series=SERIES, making=making()
    )
