"""Measurements as standard objects: the voxels as a Segmentation, the numbers as a Comprehensive SR (TID 1500)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from radfuse import __version__
from radfuse.archive import Archive
from radfuse.core.errors import InvalidRegion, UnknownEntity
from radfuse.geometry import Mask
from radfuse.roi.sampling import carried
from radfuse.services.measure.numbers import dose_numbers, lesion_numbers, region_numbers, threshold_numbers
from radfuse.services.measure.results import ImageNumbers, Measured
from radfuse.services.one_object import stored_data_set
from radfuse.services.stored_objects import objects_named

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.objects.common import Making, Provenance
    from radfuse.objects.sr import Measurement, MeasurementGroup


def report_objects(archive: Archive, measured: Measured, making: Making) -> list[Dataset]:
    """The Segmentations of what was measured, one for each image, and the report that refers to them, last.

    The images must be in the archive. Raises UnknownEntity when they are not, InvalidRegion for a unit that
    has no code, and what building the objects raises.
    """
    from radfuse.objects.common import NewSeries, reference_to
    from radfuse.objects.sr import MeasurementReport, build_measurement_report

    provenance = _provenance(measured)
    made, groups, sources, references = [], [], [], []
    for numbers in measured.images:
        headers = _headers(archive, numbers)
        segmentation = _segmentation(measured, numbers, headers, provenance, making)
        made.append(segmentation)
        sources.append(headers[0])
        references += [reference_to(header) for header in headers] + [reference_to(segmentation)]
        groups += list(_groups(measured, numbers, segmentation, making))
    report = build_measurement_report(
        MeasurementReport(tuple(groups)),
        sources,
        references,
        provenance=provenance,
        series=NewSeries("Measurements"),
        making=making,
    )
    return [*made, report]


def _headers(archive: Archive, numbers: ImageNumbers) -> list[Dataset]:
    """The headers of the images, without pixels, each once, in the order of the slices."""
    uids = numbers.instance_uids
    found = objects_named(archive, uids)
    if not uids or len(found) < len(uids):
        raise UnknownEntity("series")
    return [stored_data_set(archive, found[uid], pixels=False) for uid in uids]


def _provenance(measured: Measured) -> Provenance:
    from radfuse.objects.common import Provenance

    region = measured.region
    parameters = {"region": region.kind}
    if region.definition:
        parameters["definition"] = region.definition
    if region.source_uid:
        parameters["region from"] = region.source_uid
    for numbers in measured.images:
        if numbers.above is not None:
            parameters["threshold"] = str(numbers.above.threshold)
        if numbers.tumour is not None:
            parameters["threshold"] = str(numbers.tumour.threshold)
            parameters["minimum volume"] = f"{numbers.tumour.minimum_ml:g} ml"
        if numbers.suv is not None:
            parameters["SUV"] = f"{numbers.suv.kind.value}, {numbers.suv.branch.value}"
    return Provenance("measurement of a region", parameters)


# --- the voxels ------------------------------------------------------------------------------


def _masks(numbers: ImageNumbers) -> list[tuple[str, Mask]]:
    """What was measured: the region, and the voxels above the threshold in it, with what they are called."""
    if numbers.tumour is not None:
        if not numbers.tumour.lesions:
            raise InvalidRegion("there is no lesion to report")
        return [("Lesions", numbers.tumour.mask)]
    found = [("Region", numbers.mask)]
    if numbers.above_mask is not None:
        found.append(("Above threshold", numbers.above_mask))
    return found


def _segmentation(
    measured: Measured, numbers: ImageNumbers, headers: Sequence[Dataset], provenance: Provenance, making: Making
) -> Dataset:
    from radfuse.objects.common import Code, NewSeries, codes
    from radfuse.objects.seg import Content, NewSegment, SegmentFacts, build_segmentation

    lesion = Code("52988006", "SCT", "Lesion")
    masks = _masks(numbers)
    grid = masks[-1][1].grid
    segments = []
    for name, mask in masks:
        on_grid, _ = carried(mask, grid)
        is_region = name == "Region"
        facts = SegmentFacts(
            label=(measured.region.name or name) if is_region else name,
            category=codes.TISSUE if is_region else codes.MORPHOLOGICALLY_ABNORMAL,
            kind=codes.TISSUE if is_region else lesion,
            algorithm_name=f"Radfuse {__version__}",
            tracking_id=(measured.region.name or name) if is_region else name,
            tracking_uid=making.uids(),
        )
        segments.append(NewSegment.of(facts, on_grid))
    content = Content("MEASURED", series=NewSeries("Measured regions"))
    return build_segmentation(segments, grid, headers, content=content, provenance=provenance, making=making)


# --- the numbers -----------------------------------------------------------------------------


def _groups(
    measured: Measured, numbers: ImageNumbers, segmentation: Dataset, making: Making
) -> Iterator[MeasurementGroup]:
    from radfuse.objects.sr import Algorithm, MeasurementGroup, ObjectReference, SegmentReference

    parameters = [f"unit = {numbers.unit.value}"]
    if numbers.suv is not None:
        parameters.append(f"SUV = {numbers.suv.formula}")
    algorithm = Algorithm("Radfuse measure", __version__, tuple(parameters))

    def group(number: int, measurements: Sequence[Measurement]) -> MeasurementGroup:
        item = segmentation.SegmentSequence[number - 1]
        uids = str(segmentation.SOPClassUID), str(segmentation.SOPInstanceUID)
        return MeasurementGroup(
            tracking_id=str(item.TrackingID),
            tracking_uid=str(item.TrackingUID),
            measurements=tuple(measurements),
            region=SegmentReference(ObjectReference(*uids, segments=(number,)), numbers.series_uid),
            algorithm=algorithm,
        )

    if numbers.tumour is not None:
        yield group(1, list(threshold_numbers(numbers)))
        for lesion in numbers.tumour.lesions:
            measurements = tuple(lesion_numbers(lesion, numbers.tumour))
            yield MeasurementGroup(f"Lesion {lesion.number}", making.uids(), measurements, algorithm=algorithm)
        return
    yield group(1, list(dose_numbers(numbers) if numbers.dose else region_numbers(numbers)))
    if numbers.above is not None:
        yield group(2, list(threshold_numbers(numbers)))
