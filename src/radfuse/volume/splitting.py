"""Series into groups of slices that may make a volume, by what their headers say of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

import numpy as np

from radfuse.volume.frames import Frame, Mark, MarkValue
from radfuse.volume.model import Finding, FindingKind

Key = TypeVar("Key", bound=Hashable)

Splitter: TypeAlias = Callable[[tuple[Frame, ...]], list[tuple[str, tuple[Frame, ...]]]]
"""Gives groups in a fixed order, each with the words for its label."""

ORIENTATION_TOLERANCE: Final = 5e-4
"""Of direction cosines, which are often rounded: 0.03 degrees."""
_SPACING_TOLERANCE: Final = 1e-4
"""Of the larger spacing."""
_PLAIN_DIRECTION: Final = 0.99


@dataclass(frozen=True, slots=True)
class Group:
    """Slices of one series that belong together, what tells them from its other groups, and what was noticed."""

    frames: tuple[Frame, ...]
    labels: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def parted(self, what: str, parts: list[tuple[str, tuple[Frame, ...]]]) -> Iterator[Group]:
        """The groups this one was split into by ``what``; itself when it was not."""
        if len(parts) == 1:
            yield replace(self, frames=parts[0][1])
            return
        for number, (words, frames) in enumerate(parts, 1):
            label = f"{what} {number} of {len(parts)}" + (f", {words}" if words else "")
            finding = Finding(FindingKind.SPLIT, f"the series was split by {what}; this is {label}")
            yield Group(frames, (*self.labels, label), (*self.findings, finding))


def separated(whole: Group) -> list[Group]:
    """The slices of one series, by everything that one volume has only one of."""
    groups = [whole]
    for what, splitter in _SPLITTERS:
        groups = [part for group in groups for part in group.parted(what, splitter(group.frames))]
    return groups


def parts_by(frames: Iterable[Frame], key: Callable[[Frame], Key]) -> dict[Key, tuple[Frame, ...]]:
    """Slices by a key, in the order the keys first come."""
    found: dict[Key, list[Frame]] = {}
    for frame in frames:
        found.setdefault(key(frame), []).append(frame)
    return {value: tuple(part) for value, part in found.items()}


def by_mark(frames: tuple[Frame, ...], mark: Mark) -> list[tuple[str, tuple[Frame, ...]]]:
    """Slices by a mark, lowest value first; those without one first of all."""
    parts = parts_by(frames, lambda frame: frame.marks.get(mark, ()))
    return [(words_of(mark, value), parts[value]) for value in sorted(parts, key=sortable)]


def sortable(value: MarkValue) -> list[tuple[bool, float, str]]:
    """What puts values of one mark in order: numbers, then texts."""
    return [(True, 0.0, part) if isinstance(part, str) else (False, float(part), "") for part in value]


def words_of(mark: Mark, value: MarkValue) -> str:
    """A mark for people."""
    if not value:
        return "not said"
    template = _WORDS.get(mark)
    if template is not None and not isinstance(value[0], str):
        return template.format(value[0])
    if mark is Mark.SEGMENT:
        return f"number {value[0]:g}" + (f", {value[1]}" if value[1] else "")
    return "\\".join(part if isinstance(part, str) else f"{part:g}" for part in value)


_WORDS: Final = {
    Mark.ECHO_TIME: "TE {:g} ms",
    Mark.B_VALUE: "b {:g} s/mm2",
    Mark.TRIGGER_TIME: "{:g} ms",
    Mark.FRAME_TIME: "{:g} ms",
    Mark.INVERSION_TIME: "TI {:g} ms",
    Mark.REPETITION_TIME: "TR {:g} ms",
    Mark.FLIP_ANGLE: "{:g} degrees",
    Mark.TUBE_VOLTAGE: "{:g} kV",
    Mark.TEMPORAL_POSITION: "number {:g}",
    Mark.ACQUISITION: "number {:g}",
    Mark.GATE: "number {:g}",
    Mark.DETECTOR: "number {:g}",
    Mark.ENERGY_WINDOW: "number {:g}",
}


def _by_size(frames: tuple[Frame, ...]) -> list[tuple[str, tuple[Frame, ...]]]:
    parts = parts_by(frames, lambda frame: (frame.image.pixels.rows, frame.image.pixels.columns))
    return [(f"{size[0]} rows x {size[1]} columns", parts[size]) for size in sorted(parts)]


def _by_frame_of_reference(frames: tuple[Frame, ...]) -> list[tuple[str, tuple[Frame, ...]]]:
    parts = parts_by(frames, lambda frame: frame.image.frame_uid)
    return [("", parts[uid]) for uid in sorted(parts)]


def _clusters(
    frames: tuple[Frame, ...], values: Callable[[Frame], tuple[float, ...]], tolerance: float
) -> list[tuple[Frame, ...]]:
    """Slices whose values agree with those of the first of their cluster."""
    found: list[tuple[tuple[float, ...], list[Frame]]] = []
    for frame in frames:
        mine = values(frame)
        for theirs, cluster in found:
            if max(abs(a - b) for a, b in zip(mine, theirs, strict=True)) <= tolerance:
                cluster.append(frame)
                break
        else:
            found.append((mine, [frame]))
    return [tuple(cluster) for _, cluster in sorted(found, key=lambda each: each[0])]


def _by_orientation(frames: tuple[Frame, ...]) -> list[tuple[str, tuple[Frame, ...]]]:
    parts = _clusters(frames, lambda frame: frame.orientation, ORIENTATION_TOLERANCE)
    return [(_plane_of(part[0]), part) for part in parts]


def _plane_of(frame: Frame) -> str:
    normal = np.abs(np.cross(frame.orientation[:3], frame.orientation[3:]))
    largest = int(normal.argmax())
    return ("sagittal", "coronal", "axial")[largest] if normal[largest] > _PLAIN_DIRECTION else "oblique"


def _by_spacing(frames: tuple[Frame, ...]) -> list[tuple[str, tuple[Frame, ...]]]:
    largest = max(max(frame.spacing_mm) for frame in frames)
    parts = _clusters(frames, lambda frame: frame.spacing_mm, _SPACING_TOLERANCE * largest)
    return [(f"{part[0].spacing_mm[0]:.4g} x {part[0].spacing_mm[1]:.4g} mm", part) for part in parts]


def _marked(mark: Mark) -> tuple[str, Splitter]:
    return mark.value, lambda frames: by_mark(frames, mark)


_SPLITTERS: Final[tuple[tuple[str, Splitter], ...]] = (
    ("image size", _by_size),
    ("frame of reference", _by_frame_of_reference),
    ("orientation", _by_orientation),
    ("pixel spacing", _by_spacing),
    _marked(Mark.IMAGE_TYPE),
    _marked(Mark.ECHO_TIME),
    _marked(Mark.B_VALUE),
    _marked(Mark.KERNEL),
    _marked(Mark.ENERGY_WINDOW),
    _marked(Mark.DETECTOR),
    _marked(Mark.SEGMENT),
)
"""What one volume has only one of."""
