"""Slices: one frame of one file, where it lies, and what tells it from the others of its series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from radfuse.volume.attributes import Attributes
from radfuse.volume.images import ImageFile

MarkValue: TypeAlias = tuple[float | str, ...]


class Mark(StrEnum):
    """What may tell slices of one series apart."""

    IMAGE_TYPE = "image type"
    ECHO_TIME = "echo time"
    B_VALUE = "b-value"
    KERNEL = "reconstruction kernel"
    ENERGY_WINDOW = "energy window"
    DETECTOR = "detector"
    SEGMENT = "segment"
    TEMPORAL_POSITION = "temporal position"
    STACK = "stack"
    GATE = "gate"
    TRIGGER_TIME = "trigger time"
    FRAME_TIME = "frame reference time"
    ACQUISITION = "acquisition"
    INVERSION_TIME = "inversion time"
    FLIP_ANGLE = "flip angle"
    REPETITION_TIME = "repetition time"
    GRADIENT = "diffusion gradient"
    TUBE_VOLTAGE = "tube voltage"
    PLACE = "place in the plane"
    DIMENSION = "dimension"
    ACQUISITION_TIME = "acquisition time"
    CONTENT_TIME = "content time"


@dataclass(frozen=True, slots=True)
class Rescale:
    """Stored values to numbers: ``slope * stored + intercept``, or a table (PS3.3 section C.11.1).

    ``label``: a labelmap's frame, of which the voxels with this number are meant.
    """

    slope: float = 1.0
    intercept: float = 0.0
    kind: str = ""
    is_stated: bool = False
    """Whether the image has a rescale, or this is the one that does nothing."""
    first: int = 0
    table: tuple[int, ...] | None = None
    label: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether whole numbers stay whole."""
        return self.table is None and self.slope.is_integer() and self.intercept.is_integer()


@dataclass(frozen=True, slots=True)
class Frame:
    """One slice. Positions and directions are in mm of the patient's coordinate system."""

    image: ImageFile
    index: int
    """From 0."""
    position_mm: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    """Direction along a row, then along a column."""
    spacing_mm: tuple[float, ...] = ()
    """Between rows, then between columns (PS3.3 section 10.7.1.1)."""
    thickness_mm: float = 0.0
    between_mm: float = 0.0
    """Spacing Between Slices, as said; 0 when it is not."""
    rescale: Rescale = Rescale()
    marks: Mapping[Mark, MarkValue] = field(default_factory=dict)
    dimensions: tuple[float, ...] = ()
    note: str = ""
    """Something a person should know of where this came from."""

    @property
    def order(self) -> tuple[str, int, float, str]:
        """What files are put in order by before anything is looked at, so that theirs does not matter."""
        label = self.marks.get(Mark.SEGMENT, (0.0,))[0]
        return self.image.sop_instance_uid, self.index, float(label), str(self.image.path)


_FIRST_OF: Final[tuple[tuple[Mark, tuple[int, ...], int], ...]] = (
    (Mark.TEMPORAL_POSITION, (0x0020_9128, 0x0020_0100), 6),
    (Mark.TRIGGER_TIME, (0x0018_1060, 0x0020_9153), 3),
    (Mark.GATE, (0x0020_9241, 0x0020_9245), 3),
    (Mark.FRAME_TIME, (0x0054_1300,), 3),
    (Mark.ACQUISITION, (0x0020_9156, 0x0020_0012), 0),
    (Mark.INVERSION_TIME, (0x0018_9079, 0x0018_0082), 3),
    (Mark.FLIP_ANGLE, (0x0018_1314,), 3),
    (Mark.REPETITION_TIME, (0x0018_0080,), 3),
    (Mark.TUBE_VOLTAGE, (0x0018_0060,), 3),
)
"""Marks that are one number: where it stands, and to how many decimals it counts."""


def marks_of(a: Attributes, modality: str) -> dict[Mark, MarkValue]:
    """What an image, or a frame with its functional groups, says of itself."""
    marks: dict[Mark, MarkValue] = {}
    for mark, tags, decimals in _FIRST_OF:
        value = next((v for v in map(a.number, tags) if v is not None), None)
        if value is not None:
            marks[mark] = (round(value, decimals),)
    marks[Mark.IMAGE_TYPE] = _image_type(a)
    if modality == "MR":
        marks |= _magnetic(a)
    if modality == "CT":
        marks[Mark.KERNEL] = a.texts(0x0018_1210) or a.texts(0x0018_9315)
    if a.text(0x0020_9056):
        marks[Mark.STACK] = (a.text(0x0020_9056),)
    marks |= _times(a)
    return {mark: value for mark, value in marks.items() if value}


def _image_type(a: Attributes) -> MarkValue:
    """The third value on, which says what is seen (PS3.3 section C.7.6.1.1.2), and the complex component."""
    kind = a.texts(0x0008_9007) or a.texts(0x0008_0008)
    component = a.text(0x0008_9208)
    parts = [part for part in kind[2:] if part]
    return (*parts, component) if component and component != "MAGNITUDE" else tuple(parts)


def _magnetic(a: Attributes) -> dict[Mark, MarkValue]:
    marks: dict[Mark, MarkValue] = {}
    echo_ms = next((v for v in map(a.number, (0x0018_9082, 0x0018_0081)) if v is not None), None)
    if echo_ms is not None:
        marks[Mark.ECHO_TIME] = (round(echo_ms, 2),)
    b_value = _b_value(a)
    if b_value is not None:
        marks[Mark.B_VALUE] = (round(b_value),)
    gradient = a.numbers(0x0018_9089)
    if gradient:
        marks[Mark.GRADIENT] = tuple(round(part, 4) for part in gradient)
    return marks


def _b_value(a: Attributes) -> float | None:
    """Diffusion b-value in s/mm2, also where Siemens, GE and Philips kept it before the standard had a place."""
    value = a.number(0x0018_9087)
    if value is not None:
        return value
    tag = a.private("SIEMENS MR HEADER", 0x0019, 0x0C) or a.private("Philips Imaging DD 001", 0x2001, 0x03)
    if tag:
        return a.number(tag)
    tag = a.private("GEMS_PARM_01", 0x0043, 0x39)
    value = a.number(tag) if tag else None
    # GE adds 1e9 for its own use.
    return None if value is None else value % 1e9


def _times(a: Attributes) -> dict[Mark, MarkValue]:
    acquired = a.text(0x0018_9074) or a.text(0x0008_002A) or a.text(0x0008_0022) + a.text(0x0008_0032)
    content = a.text(0x0018_9151) or a.text(0x0008_0023) + a.text(0x0008_0033)
    marks: dict[Mark, MarkValue] = {}
    if acquired:
        marks[Mark.ACQUISITION_TIME] = (acquired,)
    if content:
        marks[Mark.CONTENT_TIME] = (content,)
    return marks
