"""Presentation states of any vendor: grayscale, pseudo-colour and blending."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from radfuse.core.errors import InvalidObject, UnreadableObject
from radfuse.dicom import tree, words
from radfuse.objects.common import Reference
from radfuse.objects.elements import Elements, opened
from radfuse.objects.pr.model import Area, Drawing, Layer, Palette, PresentationState, Rescale, StateKind, Window

_KINDS: Final = {kind.value: kind for kind in StateKind}


def read_presentation(content: bytes | memoryview) -> PresentationState:
    """The state in a DICOM file. Raises UnreadableObject for what is none of the three kinds."""
    level, elements = opened(content)
    kind = _KINDS.get(elements.text(level, "SOPClassUID"))
    if kind is None:
        raise UnreadableObject("it is no grayscale, pseudo-colour or blending presentation state")
    return _Reader(elements).state(level, kind)


@dataclass(slots=True)
class _Reader:
    """Reads one state."""

    elements: Elements
    findings: list[str] = field(default_factory=list)

    def state(self, level: tree.Tree, kind: StateKind) -> PresentationState:
        elements = self.elements
        sides = {
            elements.text(item, "BlendingPosition"): self._layer(item)
            for item in elements.items(level, "BlendingSequence")
        }
        references = tuple(self._of_series(level, elements.text(level, "StudyInstanceUID")))
        opacity = elements.numbers(level, "RelativeOpacity")
        if kind is StateKind.BLENDING and (not opacity or {"UNDERLYING", "SUPERIMPOSED"} - sides.keys()):
            self.findings.append("the blend is not complete: it needs two sides and an opacity")
        registrations = [
            reference.sop_instance_uid
            for item in elements.items(level, "ReferencedSpatialRegistrationSequence")
            for reference in self._of_series(item, "", "ReferencedSOPSequence")
        ]
        return PresentationState(
            kind=kind,
            sop_instance_uid=elements.text(level, "SOPInstanceUID"),
            label=elements.text(level, "ContentLabel"),
            description=elements.text(level, "ContentDescription"),
            references=references or tuple(one for side in sides.values() for one in side.references),
            windows=tuple(self._windows(level)),
            rescale=self._rescale(level),
            areas=tuple(self._areas(level)),
            drawings=tuple(self._drawings(level)),
            is_inverted=elements.text(level, "PresentationLUTShape") == "INVERSE",
            palette=self._palette(level),
            underlying=sides.get("UNDERLYING"),
            superimposed=sides.get("SUPERIMPOSED"),
            opacity=opacity[0] if opacity else None,
            registration_uids=tuple(registrations),
            findings=tuple(self.findings),
        )

    def _of_series(
        self, level: tree.Tree, study_uid: str, keyword: str = "ReferencedImageSequence"
    ) -> Iterator[Reference]:
        for series in self.elements.items(level, "ReferencedSeriesSequence"):
            series_uid = self.elements.text(series, "SeriesInstanceUID")
            for item in self.elements.items(series, keyword):
                yield self._reference(item, series_uid, study_uid)

    def _reference(self, item: tree.Tree, series_uid: str = "", study_uid: str = "") -> Reference:
        frames = self.elements.integers(item, "ReferencedFrameNumber")
        return Reference(*self.elements.reference(item), series_uid, study_uid, frames)

    def _layer(self, item: tree.Tree) -> Layer:
        study_uid = self.elements.text(item, "StudyInstanceUID")
        window = next((window for window, _ in self._windows(item)), None)
        return Layer(study_uid, tuple(self._of_series(item, study_uid)), window, self._rescale(item))

    def _windows(self, level: tree.Tree) -> Iterator[tuple[Window, tuple[str, ...]]]:
        for item in self.elements.items(level, "SoftcopyVOILUTSequence"):
            centres = self.elements.numbers(item, "WindowCenter")
            widths = self.elements.numbers(item, "WindowWidth")
            if not centres or not widths:
                self.findings.append("a look-up table for grey values was not read: only windows are")
                continue
            uids = tuple(
                self._reference(image).sop_instance_uid
                for image in self.elements.items(item, "ReferencedImageSequence")
            )
            function = self.elements.text(item, "VOILUTFunction") or "LINEAR"
            explanation = self.elements.text(item, "WindowCenterWidthExplanation")
            try:
                yield Window(centres[0], widths[0], function, explanation), uids
            except InvalidObject:
                self.findings.append("a window of grey values has no width, and was left out")

    def _rescale(self, level: tree.Tree) -> Rescale | None:
        slope = self.elements.numbers(level, "RescaleSlope")
        intercept = self.elements.numbers(level, "RescaleIntercept")
        if not slope or not intercept:
            if self.elements.items(level, "ModalityLUTSequence"):
                self.findings.append("a modality look-up table was not read: only slope and intercept are")
            return None
        return Rescale(slope[0], intercept[0], self.elements.text(level, "RescaleType"))

    def _areas(self, level: tree.Tree) -> Iterator[Area]:
        for item in self.elements.items(level, "DisplayedAreaSelectionSequence"):
            keywords = ("DisplayedAreaTopLeftHandCorner", "DisplayedAreaBottomRightHandCorner")
            corners = [self.elements.integers(item, keyword) for keyword in keywords]
            if all(len(corner) == 2 for corner in corners):
                (left, top), (right, bottom) = corners
                images = self.elements.items(item, "ReferencedImageSequence")
                yield Area((left, top), (right, bottom), tuple(map(self._reference, images)))
            else:
                self.findings.append("a displayed area has no corners, and was left out")

    def _drawings(self, level: tree.Tree) -> Iterator[Drawing]:
        elements = self.elements
        for item in elements.items(level, "GraphicAnnotationSequence"):
            images = tuple(map(self._reference, elements.items(item, "ReferencedImageSequence")))
            for text in elements.items(item, "TextObjectSequence"):
                anchor = elements.numbers(text, "AnchorPoint") or elements.numbers(text, "BoundingBoxTopLeftHandCorner")
                yield Drawing(images, _pairs(anchor), text=elements.text(text, "UnformattedTextValue"))
            for graphic in elements.items(item, "GraphicObjectSequence"):
                if elements.text(graphic, "GraphicAnnotationUnits") not in ("PIXEL", ""):
                    self.findings.append("a drawing in units of the display was left out")
                    continue
                points = _pairs(elements.numbers(graphic, "GraphicData"))
                yield Drawing(images, points, elements.text(graphic, "GraphicType"))

    def _palette(self, level: tree.Tree) -> Palette | None:
        channels = []
        for name in ("Red", "Green", "Blue"):
            descriptor = self.elements.integers(level, f"{name}PaletteColorLookupTableDescriptor")
            data = level.raw(words.tag_of(f"{name}PaletteColorLookupTableData") or 0)
            if len(descriptor) != 3 or not data:
                return None
            channels.append(_entries(data, descriptor, self.elements.is_big))
        lengths = {len(channel) for channel in channels}
        if len(lengths) != 1 or lengths.pop() < 2:
            self.findings.append("the palette is not complete, and was left out")
            return None
        return Palette("", np.stack(channels, axis=1))


def _entries(data: bytes, descriptor: tuple[int, ...], is_big: bool) -> np.typing.NDArray[np.uint16]:
    """The values of one channel, scaled to 16 bits (section C.7.6.3.1.5)."""
    count, _, bits = descriptor
    count = count or 65536
    if bits == 8 and len(data) < 2 * count:
        return np.frombuffer(data[:count], np.uint8).astype(np.uint16) * 257
    values = np.frombuffer(data[: len(data) // 2 * 2], ">u2" if is_big else "<u2")[:count].astype(np.uint16)
    return values * 257 if bits == 8 else values


def _pairs(numbers: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
    return tuple(zip(numbers[::2], numbers[1::2], strict=False))
