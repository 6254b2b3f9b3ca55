"""Places that a group of slices shows more than once: time points to be told apart, or the same slice twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Final, TypeAlias

import numpy as np

from radfuse.volume.frames import Frame, Mark, MarkValue
from radfuse.volume.lattice import Vectors
from radfuse.volume.model import Finding, FindingKind
from radfuse.volume.splitting import Group, parts_by, sortable, words_of

_NAMING: Final = (
    Mark.TEMPORAL_POSITION,
    Mark.STACK,
    Mark.GATE,
    Mark.TRIGGER_TIME,
    Mark.FRAME_TIME,
    Mark.ACQUISITION,
    Mark.INVERSION_TIME,
    Mark.FLIP_ANGLE,
    Mark.REPETITION_TIME,
    Mark.GRADIENT,
    Mark.TUBE_VOLTAGE,
)
"""Marks that name a time point or a variant, most telling first."""
_TIMES: Final = (Mark.ACQUISITION_TIME, Mark.CONTENT_TIME)
_SAME_PLACE: Final = 0.05
"""Of a step: slices nearer than this are at one place."""
_NEAREST_MM: Final = 1e-3
_FARTHEST_MM: Final = 0.2


_Parts: TypeAlias = dict[tuple[MarkValue, ...], tuple[Frame, ...]]


@dataclass(frozen=True, slots=True)
class Key:
    """One way to split: what it is called, the value of a slice, and how the value reads."""

    name: str
    value: Callable[[Frame], MarkValue]
    words: Callable[[MarkValue], str]


def without_repeats(group: Group) -> list[tuple[Group, str | None]]:
    """Groups that show every place once, each with why it must not be used, if so."""
    places = _places(group.frames)
    most = max(map(len, places))
    if most == 1:
        return [(part, None) for part in _slots_of_time(group)]
    named = _split_by_names(group, most)
    if named:
        return [(part, None) for part in named]
    if all(_are_equal(place) for place in places):
        return [(_without_duplicates(group, places), None)]
    timed = _split_by_times(group, places, most)
    if timed:
        return [(part, None) for part in timed]
    repeated = sum(len(place) > 1 for place in places)
    reason = (
        f"{repeated} place{'s are' if repeated > 1 else ' is'} shown up to {most} times by different images, "
        "and nothing in them says which belong together: export one of them as a series of its own"
    )
    return [(group, reason)]


def _slots_of_time(group: Group) -> list[Group]:
    """A gated or dynamic PET of which images are missing may show no place twice, and still be of several times."""
    if group.frames[0].image.modality != "PT" or len(group.frames[0].marks.get(Mark.GATE, ())) == 0:
        return [group]
    key = _mark_key(Mark.GATE)
    return _named(group, (key,), _parts(group.frames, (key,)))


def along_of(frames: tuple[Frame, ...]) -> Vectors:
    """Where slices lie along their normal, in mm."""
    directions = np.array([frame.orientation for frame in frames]).mean(axis=0)
    normal = np.cross(directions[:3], directions[3:])
    along: Vectors = np.array([frame.position_mm for frame in frames]) @ (normal / np.linalg.norm(normal))
    return along


def _places(frames: tuple[Frame, ...]) -> list[tuple[Frame, ...]]:
    """Slices by place, along the normal; at one place in the order they came in."""
    along = along_of(frames)
    order = np.argsort(along, kind="stable")
    steps = np.diff(along[order])
    telling = steps[steps > _NEAREST_MM]
    typical = float(np.percentile(telling, 75)) if len(telling) else 0.0
    near = min(max(_SAME_PLACE * typical, _NEAREST_MM), _FARTHEST_MM)
    places = [[int(order[0])]]
    for step, number in zip(steps, order[1:], strict=True):
        if step <= near:
            places[-1].append(int(number))
        else:
            places.append([int(number)])
    return [tuple(frames[number] for number in sorted(place)) for place in places]


def _is_single(frames: tuple[Frame, ...]) -> bool:
    return all(len(place) == 1 for place in _places(frames))


# --- by what names them ----------------------------------------------------------------------


def _mark_key(mark: Mark) -> Key:
    return Key(mark.value, lambda f: f.marks.get(mark, ()), lambda value: words_of(mark, value))


def _dimension_key(number: int) -> Key:
    """One of the Dimension Index Values (PS3.3 section C.7.6.17)."""
    return Key(
        Mark.DIMENSION.value,
        lambda frame: frame.dimensions[number : number + 1],
        lambda value: words_of(Mark.DIMENSION, value),
    )


def _keys_of(frames: tuple[Frame, ...]) -> list[Key]:
    """The ways to split these slices that have more than one value."""
    keys = [_mark_key(mark) for mark in _NAMING]
    most = max(len(frame.dimensions) for frame in frames)
    keys += [_dimension_key(number) for number in range(most)]
    keys.append(Key(Mark.PLACE.value, _place_in_plane, lambda value: ""))
    keys.append(Key("instance", _instance, lambda value: ""))
    return [key for key in keys if len({key.value(frame) for frame in frames}) > 1]


def _instance(frame: Frame) -> MarkValue:
    return (frame.image.sop_instance_uid,) if frame.image.pixels.frames > 1 else ()


def _place_in_plane(frame: Frame) -> MarkValue:
    """Where the first pixel lies across the normal, to 0.1 mm."""
    across, down = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    position = np.array(frame.position_mm)
    return round(float(position @ across), 1), round(float(position @ down), 1)


def _split_by_names(group: Group, most: int) -> list[Group]:
    """By one key or two that leave as many parts as there are images of a place; else by one that is enough."""
    keys = _keys_of(group.frames)
    for count in (1, 2):
        for chosen in combinations(keys, count):
            parts = _parts(group.frames, chosen)
            if len(parts) == most and all(map(_is_single, parts.values())):
                return _named(group, chosen, parts)
    for key in keys:
        parts = _parts(group.frames, (key,))
        if 2 * len(parts) <= len(group.frames) and all(map(_is_single, parts.values())):
            return _named(group, (key,), parts)
    return []


def _parts(frames: tuple[Frame, ...], keys: tuple[Key, ...]) -> _Parts:
    return parts_by(frames, lambda frame: tuple(key.value(frame) for key in keys))


def _named(group: Group, keys: tuple[Key, ...], parts: _Parts) -> list[Group]:
    what = " and ".join(key.name for key in keys)
    ordered = sorted(parts, key=lambda values: tuple(map(sortable, values)))
    worded = [
        (
            ", ".join(filter(None, (key.words(value) for key, value in zip(keys, values, strict=True)))),
            parts[values],
        )
        for values in ordered
    ]
    return _parted(group, what, worded)


def _parted(group: Group, what: str, parts: list[tuple[str, tuple[Frame, ...]]]) -> list[Group]:
    """The parts, which should have the same places each: where one has fewer slices, every one says so."""
    counts = sorted({len(frames) for _, frames in parts})
    found = list(group.parted(what, parts))
    if len(counts) == 1:
        return found
    sentence = f"the parts of the series have {counts[0]} to {counts[-1]} slices: images of some are missing"
    return [replace(part, findings=(*part.findings, Finding(FindingKind.SPLIT, sentence))) for part in found]


# --- by when they were made ------------------------------------------------------------------


def _split_by_times(group: Group, places: list[tuple[Frame, ...]], most: int) -> list[Group]:
    """By times that are the same for all slices of a part, or that lie one part after the other."""
    for mark in _TIMES:
        parts = _parts(group.frames, (_mark_key(mark),))
        if len(parts) == most and all(map(_is_single, parts.values())):
            return _timed(group, mark, [parts[values] for values in sorted(parts, key=str)])
        rounds = _rounds(places, mark, most)
        if rounds:
            return _timed(group, mark, rounds)
    return []


def _timed(group: Group, mark: Mark, parts: list[tuple[Frame, ...]]) -> list[Group]:
    return _parted(group, mark.value, [("", part) for part in parts])


def _rounds(places: list[tuple[Frame, ...]], mark: Mark, most: int) -> list[tuple[Frame, ...]]:
    """The first image of every place, the second, and so on, if each round ends before the next begins."""
    if any(len(place) != most for place in places):
        return []

    def time(frame: Frame) -> str:
        return str(frame.marks.get(mark, ("",))[0])

    rounds = [tuple(round_) for round_ in zip(*(sorted(place, key=time) for place in places), strict=True)]
    ends = [(min(map(time, part)), max(map(time, part))) for part in rounds]
    follow = all(first[1] < second[0] for first, second in pairwise(ends))
    return rounds if follow and ends[0][0] else []


# --- duplicates ------------------------------------------------------------------------------


def _are_equal(place: tuple[Frame, ...]) -> bool:
    """Whether images of one place have the same pixels, byte for byte, and the same rescale."""
    if len(place) == 1:
        return True
    if len({(frame.rescale, frame.image.transfer_syntax_uid, frame.image.pixels.frame_bits) for frame in place}) > 1:
        return False
    digests = {_digest(frame) for frame in place}
    return len(digests) == 1 and None not in digests


def _digest(frame: Frame) -> bytes | None:
    """Of the stored bytes of a frame; None where they cannot be told."""
    pixels = frame.image.pixels
    if not pixels.length or pixels.frame_bits % 8 or (pixels.is_encapsulated and pixels.frames > 1):
        return None
    size = pixels.length if pixels.is_encapsulated else pixels.frame_bits // 8
    try:
        with frame.image.path.open("rb") as stream:
            stream.seek(pixels.offset + frame.index * size)
            return hashlib.blake2b(stream.read(size)).digest()
    except OSError:
        return None


def _without_duplicates(group: Group, places: list[tuple[Frame, ...]]) -> Group:
    doubled = tuple(number for number, place in enumerate(places) if len(place) > 1)
    dropped = sum(len(place) - 1 for place in places)
    sentence = (
        f"{dropped} image{'s' if dropped > 1 else ''} with the same place and the same pixels as another "
        "left out of the volume"
    )
    finding = Finding(FindingKind.DUPLICATE, sentence, doubled)
    return replace(group, frames=tuple(place[0] for place in places), findings=(*group.findings, finding))
