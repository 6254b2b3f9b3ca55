"""The numbers of a session as a Comprehensive SR (TID 1500): regions by their segments, lines as shapes on images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from radfuse import __version__
from radfuse.core.errors import InvalidRegion
from radfuse.objects.common import Code, Making, NewSeries, Provenance, reference_to
from radfuse.objects.sr import (
    Algorithm,
    Coordinates,
    Detail,
    Measurement,
    MeasurementGroup,
    MeasurementReport,
    ObjectReference,
    Region,
    SegmentReference,
    build_measurement_report,
    codes,
)
from radfuse.services.drawing import Numbers
from radfuse.services.measure.numbers import coded
from radfuse.services.series_views import SeriesView
from radfuse.services.workspace_objects.images import Images
from radfuse.services.workspace_objects.model import SavedLine, SavedRegion, SegmentOfRegion
from radfuse.services.workspace_objects.segmentations import MadeSegmentation, rule_text
from radfuse.volume import Unit

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LONG_AXIS: Final = Code("103339001", "SCT", "Long Axis")
_SHORT_AXIS: Final = Code("103340004", "SCT", "Short Axis")
_ACTIVITY: Final = Code("ACTIVITY", "99RADFUSE", "Activity concentration")
_COUNTS: Final = Code("COUNTS", "99RADFUSE", "Counts")
_BQ_PER_ML: Final = Code("Bq/ml", "UCUM", "Becquerels/milliliter")

_MORE_UNITS: Final = {
    Unit.BQML: (_ACTIVITY, _BQ_PER_ML),
    Unit.COUNTS: (_COUNTS, codes.COUNTS),
}
_LINES: Final = {"length": (codes.LENGTH, codes.MILLIMETRE), "angle": (codes.ANGLE, codes.DEGREE)}
_MOST_TEXT: Final = 1000


def report_of(
    images: Images,
    made: Sequence[tuple[MadeSegmentation, Sequence[SavedRegion]]],
    lines: Sequence[SavedLine],
    view_of: Callable[[str], SeriesView],
    *,
    series: NewSeries,
    making: Making,
) -> Dataset | None:
    """The report; None where there is nothing to report. Raises what the builder raises, and InvalidRegion."""
    sources: dict[str, SeriesView] = {each.series: view_of(each.series) for each, _ in made}
    sources |= {line.series: view_of(line.series) for line in lines}
    groups = [group for each, regions in made for region in regions for group in _of_region(each, region)]
    groups += [_of_line(images, view_of(line.series), line, making) for line in lines]
    if not groups:
        return None
    headers = {uid: images.headers(view) for uid, view in sources.items()}
    references = [reference_to(header) for each in headers.values() for header in each]
    references += [reference_to(each.ds) for each, _ in made]
    return build_measurement_report(
        MeasurementReport(tuple(groups)),
        [each[0] for each in headers.values()],
        references,
        provenance=Provenance("numbers of a session", {}, tuple(references)),
        series=series,
        making=making,
    )


def _of_region(made: MadeSegmentation, region: SavedRegion) -> Iterator[MeasurementGroup]:
    """One group for each series that it was measured on; the first has its segment's tracking UID, as all have."""
    segment: SegmentOfRegion = made.segments[region.id]
    itself = ObjectReference(str(made.ds.SOPClassUID), segment.segmentation, segments=(segment.number,))
    for numbers in region.numbers or (Numbers(region.series),):
        measurements = tuple(_measurements(numbers))
        yield MeasurementGroup(
            tracking_id=region.label,
            tracking_uid=segment.tracking_uid,
            measurements=measurements,
            region=SegmentReference(itself, made.series),
            algorithm=Algorithm("Radfuse region", __version__, (f"rule = {rule_text(region.rule)}",)),
            evaluations=tuple(_remarks(numbers, made.series)) or (() if measurements else (_comment(region.label),)),
        )


def _measurements(numbers: Numbers) -> Iterator[Measurement]:
    if numbers.volume_ml is not None:
        yield Measurement(codes.VOLUME, numbers.volume_ml, codes.MILLILITRE, method=codes.SUM_OF_VOXELS)
    if (known := _codes_of(numbers.unit)) is not None:
        name, unit = known
        for derivation, value in (
            (codes.MEAN, numbers.mean),
            (codes.STANDARD_DEVIATION, numbers.sd),
            (codes.MINIMUM, numbers.min),
            (codes.MAXIMUM, numbers.max),
            (codes.MEDIAN, numbers.median),
        ):
            if value is not None:
                yield Measurement(name, value, unit, derivation)
        if numbers.peak is not None:
            yield Measurement(name, numbers.peak, unit, codes.PEAK, algorithm=_peak(numbers))
    if numbers.tlg is not None:
        yield Measurement(codes.TOTAL_LESION_GLYCOLYSIS, numbers.tlg, codes.GRAM)
    if numbers.longest_mm is not None:
        yield Measurement(_LONG_AXIS, numbers.longest_mm, codes.MILLIMETRE)
    if numbers.perpendicular_mm is not None:
        yield Measurement(_SHORT_AXIS, numbers.perpendicular_mm, codes.MILLIMETRE)


def _peak(numbers: Numbers) -> Algorithm:
    parts = []
    if numbers.peak_at_mm is not None:
        parts.append("centre = {:.2f}, {:.2f}, {:.2f} mm".format(*numbers.peak_at_mm))
    if numbers.peak_volume_ml is not None:
        parts.append(f"volume = {numbers.peak_volume_ml:.4f} ml")
    return Algorithm("Radfuse peak", __version__, tuple(parts))


def _codes_of(unit: str) -> tuple[Code, Code] | None:
    """The codes of a quantity and its unit; None for numbers that mean nothing outside of their images."""
    try:
        meant = Unit(unit)
        return _MORE_UNITS.get(meant) or coded(meant)
    except (ValueError, InvalidRegion):
        return None


def _remarks(numbers: Numbers, series: str) -> Iterator[Detail]:
    if numbers.series_uid != series:
        yield _comment(f"measured on series {numbers.series_uid}")
    for told in dict.fromkeys((*numbers.findings, *numbers.remarks)):
        yield _comment(told)


def _comment(text: str) -> Detail:
    return Detail(codes.COMMENT, text[:_MOST_TEXT])


def _of_line(images: Images, view: SeriesView, line: SavedLine, making: Making) -> MeasurementGroup:
    header, frame, points = images.nearest(view, line.points_mm)
    shape = Coordinates("POLYLINE", tuple((float(column), float(row)) for column, row in points))
    image = ObjectReference(str(header.SOPClassUID), str(header.SOPInstanceUID), (frame,) if frame else ())
    name = line.text.strip()[:64] or line.kind.capitalize()
    measurements: tuple[Measurement, ...] = ()
    if line.kind in _LINES and line.value is not None:
        concept, unit = _LINES[line.kind]
        measurements = (Measurement(concept, line.value, unit),)
    told = line.text.strip() or ("" if measurements else line.kind)
    return MeasurementGroup(
        tracking_id=name,
        tracking_uid=making.uids(),
        measurements=measurements,
        region=(Region(shape, image),),
        evaluations=(_comment(told),) if told else (),
    )


def tracking_of(segments: Mapping[str, SegmentOfRegion]) -> dict[str, str]:
    """Tracking UIDs by region: what an earlier version followed is followed on."""
    return {region: segment.tracking_uid for region, segment in segments.items()}
