"""The measurements in a report, ours or another's, as values again (PS3.16 TID 300, 1410, 1411, 1419, 1501)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from radfuse.objects.common import Code
from radfuse.objects.sr import codes
from radfuse.objects.sr.measurements import (
    Algorithm,
    Detail,
    Measurement,
    MeasurementGroup,
    Quantity,
    Region,
    RegionOfInterest,
    SegmentReference,
    Site,
)
from radfuse.objects.sr.model import Coded, Container, Coordinates, Item, Number, ObjectReference, Report, Text

_NO_UNIT: Final = codes.ONE


def measurements_of(report: Report) -> tuple[MeasurementGroup, ...]:
    """Every Measurement Group of a report, wherever it stands, in reading order.

    What a group holds beside the rows of the templates is in its ``remarks``.
    """
    groups = (
        item
        for _, item in report.root.walk()
        if isinstance(item.value, Container) and item.concept == codes.MEASUREMENT_GROUP
    )
    return tuple(_group(group) for group in groups)


def _concept(item: Item) -> Code | None:
    """The concept under its present name."""
    return codes.OLD_SPELLINGS.get(item.concept, item.concept) if item.concept is not None else None


def _group(item: Item) -> MeasurementGroup:
    children = [replace(child, concept=_concept(child)) for child in item.children]

    def first(*concepts: Code) -> Item | None:
        return next((child for child in children if child.concept in concepts), None)

    used = [
        found
        for found in (first(concept) for concept in (*_TEXTS, codes.TRACKING_UID, *_CODES, codes.METHOD))
        if found is not None
    ]
    region, of_region = _region(children)
    measurements = [child for child in children if isinstance(child.value, Number)]
    sites = [child for child in children if child.concept == codes.FINDING_SITE and isinstance(child.value, Coded)]
    evaluations = [child for child in children if _is_evaluation(child) and child not in (*used, *sites)]
    algorithm = [child for child in children if child.concept in _ALGORITHM]
    known = {id(child) for child in (*used, *of_region, *measurements, *sites, *evaluations, *algorithm)}
    return MeasurementGroup(
        tracking_id=_text(first(codes.TRACKING_IDENTIFIER)),
        tracking_uid=_text(first(codes.TRACKING_UID)),
        measurements=tuple(map(_measurement, measurements)),
        region=region,
        finding=_code(first(codes.FINDING)),
        category=_code(first(codes.FINDING_CATEGORY)),
        sites=tuple(map(_site, sites)),
        method=_code(first(codes.METHOD)),
        algorithm=_algorithm(children),
        session=_text(first(codes.SESSION)),
        time_point=_text(first(codes.TIME_POINT)),
        evaluations=tuple(_detail(child) for child in evaluations),
        remarks=tuple(
            original for original, child in zip(item.children, children, strict=True) if id(child) not in known
        ),
    )


_TEXTS: Final = (codes.TRACKING_IDENTIFIER, codes.SESSION, codes.TIME_POINT)
_CODES: Final = (codes.FINDING, codes.FINDING_CATEGORY)
_ALGORITHM: Final = (codes.ALGORITHM_NAME, codes.ALGORITHM_VERSION, codes.ALGORITHM_PARAMETERS)


def _is_evaluation(item: Item) -> bool:
    return (
        item.relationship == "CONTAINS"
        and isinstance(item.value, Coded | Text)
        and item.value_type
        in (
            "CODE",
            "TEXT",
        )
    )


def _region(children: list[Item]) -> tuple[RegionOfInterest, list[Item]]:
    """What was measured, and the items that say so."""
    segments = [
        child for child in children if child.concept in (codes.REFERENCED_SEGMENT, codes.REFERENCED_SEGMENT_FRAME)
    ]
    if segments and isinstance(segments[0].value, ObjectReference):
        series = [child for child in children if child.concept == codes.SOURCE_SERIES]
        images = [child for child in children if child.concept == codes.SOURCE_IMAGE]
        segment = SegmentReference(
            segments[0].value,
            _text(series[0] if series else None),
            tuple(image.value for image in images if isinstance(image.value, ObjectReference)),
        )
        return segment, [segments[0], *series[:1], *images]
    shapes = [child for child in children if child.concept == codes.IMAGE_REGION and _as_region(child) is not None]
    return tuple(region for shape in shapes if (region := _as_region(shape)) is not None), shapes


def _as_region(item: Item) -> Region | None:
    """A shape with the image that it lies on; None without one."""
    if not isinstance(item.value, Coordinates):
        return None
    image = next((child.value for child in item.children if isinstance(child.value, ObjectReference)), None)
    return Region(item.value, image) if image is not None else None


def _measurement(item: Item) -> Measurement:
    number = item.value
    if not isinstance(number, Number):
        raise TypeError(item.value_type)
    children = [replace(child, concept=_concept(child)) for child in item.children]

    def code_of(concept: Code) -> Code | None:
        return next((_code(child) for child in children if child.concept == concept), None)

    special = (codes.METHOD, codes.DERIVATION, *_ALGORITHM)
    details = [child for child in children if child.concept not in special and _may_be_detail(child)]
    return Measurement(
        name=item.concept or Code("", "", "unnamed"),
        value=number.value,
        unit=number.unit or _NO_UNIT,
        derivation=code_of(codes.DERIVATION),
        method=code_of(codes.METHOD),
        details=tuple(map(_detail, details)),
        algorithm=_algorithm(children),
        sources=tuple(_sources(children)),
        missing=number.qualifier if number.value is None else None,
    )


def _may_be_detail(item: Item) -> bool:
    if isinstance(item.value, Number):
        return item.value.value is not None
    return item.concept is not None and isinstance(item.value, Coded | Text)


def _sources(children: list[Item]) -> Iterator[Region | ObjectReference]:
    for child in children:
        if isinstance(child.value, ObjectReference):
            yield child.value
        elif (region := _as_region(child)) is not None:
            yield region


def _site(item: Item) -> Site:
    found = {_concept(child): _code(child) for child in item.children}
    return Site(_code(item) or Code("", "", ""), found.get(codes.LATERALITY), found.get(codes.TOPOGRAPHICAL_MODIFIER))


def _algorithm(children: list[Item]) -> Algorithm | None:
    def texts(concept: Code) -> tuple[str, ...]:
        return tuple(_text(child) for child in children if child.concept == concept)

    names, versions = texts(codes.ALGORITHM_NAME), texts(codes.ALGORITHM_VERSION)
    if not names:
        return None
    return Algorithm(names[0], versions[0] if versions else "", texts(codes.ALGORITHM_PARAMETERS))


def _detail(item: Item) -> Detail:
    name = item.concept or Code("", "", "unnamed")
    match item.value:
        case Coded(code):
            return Detail(name, code)
        case Number(value=float(value), unit=unit):
            return Detail(name, Quantity(value, unit or _NO_UNIT))
        case Text(text):
            return Detail(name, text)
        case _:
            raise TypeError(item.value_type)


def _text(item: Item | None) -> str:
    return item.value.text if item is not None and isinstance(item.value, Text) else ""


def _code(item: Item | None) -> Code | None:
    return item.value.code if item is not None and isinstance(item.value, Coded) else None
