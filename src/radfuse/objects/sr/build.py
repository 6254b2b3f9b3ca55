"""Comprehensive SR of measurements (PS3.3 section A.35.3) by the templates of PS3.16 TID 1500.

Written from a tree of ours, not through highdicom, whose reports carry the time of day and take neither
numbers nor texts as qualifiers of a measurement; highdicom, DCMTK and dcmqi read them in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject
from radfuse.objects.common import Code, Making, NewSeries, Provenance, Reference, add_provenance, new_object
from radfuse.objects.sr import codes
from radfuse.objects.sr.measurements import (
    Algorithm,
    Detail,
    Measurement,
    MeasurementGroup,
    MeasurementReport,
    Quantity,
    Region,
    SegmentReference,
    Site,
)
from radfuse.objects.sr.model import (
    CONTAINS,
    HAS_ACQ_CONTEXT,
    HAS_CONCEPT_MOD,
    HAS_OBS_CONTEXT,
    HAS_PROPERTIES,
    INFERRED_FROM,
    SELECTED_FROM,
    Item,
    Number,
    ObjectReference,
    Text,
)
from radfuse.objects.sr.write import (
    add_evidence,
    add_tree,
    code_item,
    container_item,
    image_item,
    text_item,
    uid_item,
)

COMPREHENSIVE_SR: Final = "1.2.840.10008.5.1.4.1.1.88.33"


def build_measurement_report(
    report: MeasurementReport,
    sources: Sequence[Dataset],
    references: Sequence[Reference],
    *,
    provenance: Provenance,
    series: NewSeries,
    making: Making,
) -> Dataset:
    """The document.

    ``sources``: the header of one image of each series that was measured, the first of them names patient
    and study. ``references``: every image and segmentation that the report speaks of, with series and study.
    Raises InvalidObject for a report that refers to anything else, or has a group without measurement,
    finding or judgement.
    """
    if not sources:
        raise InvalidObject(("a report needs at least one image that it is about",))
    ds = new_object(COMPREHENSIVE_SR, "SR", sources[0], series=series, making=making)
    drop_general_series(ds)
    root = container_item("", report.title, _root(report, sources, references, making), "1500")
    add_tree(ds, root)
    add_evidence(ds, root, references)
    add_document_flags(ds, is_complete=report.is_complete, is_final=report.is_final)
    add_provenance(ds, provenance, making)
    return ds


def drop_general_series(ds: Dataset) -> None:
    """Take out what the series of documents do not have (PS3.3 sections C.17.1 and C.17.6.1)."""
    for keyword in ("BodyPartExamined", "Laterality", "OperatorsName"):
        if keyword in ds:
            del ds[keyword]


def add_document_flags(ds: Dataset, *, is_complete: bool, is_final: bool) -> None:
    """SR Document Series and General modules but for evidence (PS3.3 sections C.17.1 and C.17.2)."""
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.PerformedProcedureCodeSequence = []
    ds.CompletionFlag = "COMPLETE" if is_complete else "PARTIAL"
    ds.VerificationFlag = "UNVERIFIED"
    ds.PreliminaryFlag = "FINAL" if is_final else "PRELIMINARY"


def _root(
    report: MeasurementReport, sources: Sequence[Dataset], references: Sequence[Reference], making: Making
) -> Iterator[Item]:
    yield code_item(HAS_CONCEPT_MOD, codes.LANGUAGE, report.language)
    yield from observers(making)
    for procedure in report.procedures or _procedures(sources):
        yield code_item(HAS_CONCEPT_MOD, codes.PROCEDURE_REPORTED, procedure)
    yield container_item(CONTAINS, codes.IMAGE_LIBRARY, _library(sources, references), "1600")
    groups = [_group(group) for group in report.groups]
    if groups:
        yield container_item(CONTAINS, codes.IMAGING_MEASUREMENTS, groups)
    yield from report.sections


def observers(making: Making) -> Iterator[Item]:
    """Who observed: the person, if one is known, and this program (TID 1001)."""
    if making.operator:
        yield code_item(HAS_OBS_CONTEXT, codes.OBSERVER_TYPE, codes.PERSON)
        yield Item(HAS_OBS_CONTEXT, "PNAME", codes.PERSON_NAME, Text(making.operator))
    from radfuse import __version__
    from radfuse.core.uids import IMPLEMENTATION_CLASS_UID

    yield code_item(HAS_OBS_CONTEXT, codes.OBSERVER_TYPE, codes.DEVICE)
    yield uid_item(HAS_OBS_CONTEXT, codes.DEVICE_UID, IMPLEMENTATION_CLASS_UID)
    yield text_item(HAS_OBS_CONTEXT, codes.DEVICE_NAME, "Radfuse")
    yield text_item(HAS_OBS_CONTEXT, codes.DEVICE_MANUFACTURER, "Radfuse")
    yield text_item(HAS_OBS_CONTEXT, codes.DEVICE_MODEL, f"Radfuse {__version__}")
    yield text_item(HAS_OBS_CONTEXT, codes.DEVICE_SERIAL_NUMBER, making.serial_number)


def _procedures(sources: Iterable[Dataset]) -> Iterable[Code]:
    found = [codes.PROCEDURES.get(str(source.get("Modality")), codes.IMAGING_PROCEDURE) for source in sources]
    return dict.fromkeys(found)


# --- image library (TID 1600) ----------------------------------------------------------------


def _library(sources: Iterable[Dataset], references: Sequence[Reference]) -> Iterator[Item]:
    for source in sources:
        series_uid = str(source.get("SeriesInstanceUID") or "")
        images = [
            image_item(CONTAINS, None, ObjectReference(reference.sop_class_uid, reference.sop_instance_uid))
            for reference in references
            if reference.series_uid == series_uid
        ]
        yield container_item(CONTAINS, codes.IMAGE_LIBRARY_GROUP, [*_descriptors(source), *images])


def _descriptors(source: Dataset) -> Iterator[Item]:
    """What holds for all images of a series (TID 1602)."""
    if modality := codes.MODALITIES.get(str(source.get("Modality"))):
        yield code_item(HAS_ACQ_CONTEXT, codes.MODALITY, modality)
    date = str(source.get("StudyDate") or "")
    if len(date) == 8 and date.isdigit():
        yield Item(HAS_ACQ_CONTEXT, "DATE", codes.STUDY_DATE, Text(date))
    if frame := str(source.get("FrameOfReferenceUID") or ""):
        yield uid_item(HAS_ACQ_CONTEXT, codes.FRAME_OF_REFERENCE_UID, frame)
    for keyword, concept in (("Rows", codes.PIXEL_ROWS), ("Columns", codes.PIXEL_COLUMNS)):
        if source.get(keyword):
            size = Number(float(source[keyword].value), codes.PIXELS)
            yield Item(HAS_ACQ_CONTEXT, "NUM", concept, size)


# --- groups ----------------------------------------------------------------------------------


def _group(group: MeasurementGroup) -> Item:
    """TID 1411 for a segment or several shapes, 1410 for one shape, 1501 for no region."""
    if not (group.measurements or group.evaluations or group.finding or group.remarks):
        raise InvalidObject(("a group of measurements is empty",))
    if isinstance(group.region, SegmentReference) or len(group.region) > 1:
        template = "1411"
    else:
        template = "1410" if group.region else "1501"
    return container_item(CONTAINS, codes.MEASUREMENT_GROUP, _group_items(group), template)


def _group_items(group: MeasurementGroup) -> Iterator[Item]:
    if group.session:
        yield text_item(HAS_OBS_CONTEXT, codes.SESSION, group.session)
    yield text_item(HAS_OBS_CONTEXT, codes.TRACKING_IDENTIFIER, group.tracking_id)
    yield uid_item(HAS_OBS_CONTEXT, codes.TRACKING_UID, group.tracking_uid)
    if group.category is not None:
        yield code_item(CONTAINS, codes.FINDING_CATEGORY, group.category)
    if group.finding is not None:
        yield code_item(CONTAINS, codes.FINDING, group.finding)
    if group.time_point:
        yield text_item(HAS_OBS_CONTEXT, codes.TIME_POINT, group.time_point)
    yield from _region_items(group)
    if group.method is not None:
        yield code_item(HAS_CONCEPT_MOD, codes.METHOD, group.method)
    yield from map(_site, group.sites)
    yield from _algorithm_items(group.algorithm)
    yield from map(_measurement, group.measurements)
    yield from (_detail(evaluation, CONTAINS) for evaluation in group.evaluations)
    yield from group.remarks


def _region_items(group: MeasurementGroup) -> Iterator[Item]:
    if not isinstance(group.region, SegmentReference):
        for region in group.region:
            yield _shape(CONTAINS, codes.IMAGE_REGION, region)
        return
    yield image_item(CONTAINS, codes.REFERENCED_SEGMENT, group.region.segmentation)
    if group.region.source_series_uid:
        yield uid_item(CONTAINS, codes.SOURCE_SERIES, group.region.source_series_uid)
    for image in group.region.source_images:
        yield image_item(CONTAINS, codes.SOURCE_IMAGE, image)


def _shape(relationship: str, concept: Code, region: Region) -> Item:
    if region.shape.frame_uid or any(len(point) != 2 for point in region.shape.points):
        raise InvalidObject(("Comprehensive SR holds shapes on images only, no 3D coordinates",))
    return Item(relationship, "SCOORD", concept, region.shape, (image_item(SELECTED_FROM, None, region.image),))


def _site(site: Site) -> Item:
    children = [
        code_item(HAS_CONCEPT_MOD, concept, code)
        for concept, code in ((codes.LATERALITY, site.laterality), (codes.TOPOGRAPHICAL_MODIFIER, site.modifier))
        if code is not None
    ]
    return code_item(HAS_CONCEPT_MOD, codes.FINDING_SITE, site.place, *children)


def _algorithm_items(algorithm: Algorithm | None) -> Iterator[Item]:
    if algorithm is not None:
        yield text_item(HAS_CONCEPT_MOD, codes.ALGORITHM_NAME, algorithm.name)
        yield text_item(HAS_CONCEPT_MOD, codes.ALGORITHM_VERSION, algorithm.version)
        for parameter in algorithm.parameters:
            yield text_item(HAS_CONCEPT_MOD, codes.ALGORITHM_PARAMETERS, parameter)


def _measurement(measurement: Measurement) -> Item:
    number = Number(measurement.value, measurement.unit, measurement.missing)
    return Item(CONTAINS, "NUM", measurement.name, number, tuple(_measurement_items(measurement)))


def _measurement_items(measurement: Measurement) -> Iterator[Item]:
    if measurement.method is not None:
        yield code_item(HAS_CONCEPT_MOD, codes.METHOD, measurement.method)
    if measurement.derivation is not None:
        yield code_item(HAS_CONCEPT_MOD, codes.DERIVATION, measurement.derivation)
    for detail in measurement.details:
        yield _detail(detail, HAS_PROPERTIES if isinstance(detail.value, Quantity) else HAS_CONCEPT_MOD)
    for source in measurement.sources:
        if isinstance(source, Region):
            yield _shape(INFERRED_FROM, codes.SOURCE_OF_MEASUREMENT, source)
        else:
            yield image_item(INFERRED_FROM, codes.SOURCE_OF_MEASUREMENT, source)
    yield from _algorithm_items(measurement.algorithm)


def _detail(detail: Detail, relationship: str) -> Item:
    match detail.value:
        case Quantity(value, unit):
            return Item(relationship, "NUM", detail.name, Number(value, unit))
        case str() as text:
            return text_item(relationship, detail.name, text)
        case code:
            return code_item(relationship, detail.name, code)
