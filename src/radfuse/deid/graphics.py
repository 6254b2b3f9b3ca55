"""Overlays, curves and annotations: what is drawn over images (PS3.15 section E.3.3).

With the option a drawn annotation keeps its shapes and those words that are known. An overlay stays
when it says that it is a region of interest; bitmaps of graphics may show writing that nobody
can read out of them here, so they go. Curves stay as numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from radfuse.deid.options import Option, Profile
from radfuse.deid.table import Action
from radfuse.dicom.tree import Tree

_ANNOTATIONS: Final = 0x0070_0001
_LAYERS: Final = 0x0070_0060
_WAVEFORM_ANNOTATIONS: Final = 0x0040_B020
_OVERLAY_TYPE: Final = 0x0040
_CURVE_TYPE: Final = 0x0020
_OVERLAY_TEXTS: Final = frozenset((0x0022, 0x1500, 0x4000))
"""Overlay Description, Label and Comments (PS3.3 section C.9.2)."""
_OVERLAY_ELEMENTS: Final = frozenset(
    (0x0010, 0x0011, 0x0015, 0x0040, 0x0045, 0x0050, 0x0051, 0x0100, 0x0102, 0x1001, 0x1301, 0x1302, 0x1303, 0x3000)
)
_CURVE_ELEMENTS: Final = frozenset((0x0005, 0x0010, 0x0020, 0x0103, 0x0110, 0x0112, 0x0114, 0x3000))
"""Dimensions, points, type, representation, descriptor, start and step, data (retired, PS3.3-2004 section C.10.2)."""
_DRAWN_CURVES: Final = frozenset(("ECG", "EEG", "HIST", "POLY", "PRESSURE", "PROF", "RESP", "ROI", "TAC"))


WRITTEN: Final[Mapping[int, Action]] = {0x0070_0006: Action.CLEAN}
"""Under the option: Unformatted Text Value, for which Table E.1-1 has no entry in the column of this option."""


def is_repeating(group: int) -> bool:
    """Whether a group is one of curves (50xx) or overlays (60xx)."""
    return group & 0xFF00 in (0x5000, 0x6000) and not group & 1


def repeating_action(tree: Tree, tag: int, profile: Profile) -> Action:
    """For an element of a curve or an overlay."""
    if Option.GRAPHICS not in profile:
        return Action.REMOVE
    group, element = tag & 0xFFFF_0000, tag & 0xFFFF
    if group >> 24 == 0x50:
        is_known = tree.ascii(group | _CURVE_TYPE) in _DRAWN_CURVES and element in _CURVE_ELEMENTS
        return Action.KEEP if is_known else Action.REMOVE
    if tree.ascii(group | _OVERLAY_TYPE) != "R":
        return Action.REMOVE
    if element in _OVERLAY_TEXTS:
        return Action.CLEAN
    return Action.KEEP if element in _OVERLAY_ELEMENTS else Action.REMOVE


def annotation_decisions(tree: Tree, profile: Profile) -> Mapping[int, Action]:
    """What becomes of annotations: those of waveforms go, those of images with their layers unless there is the option.

    The table asks for a dummy; an object without any annotation is valid and says nothing wrong.
    """
    decided = {_WAVEFORM_ANNOTATIONS: Action.REMOVE}
    if Option.GRAPHICS not in profile and tree.get(_ANNOTATIONS) is not None:
        decided |= {_ANNOTATIONS: Action.REMOVE, _LAYERS: Action.REMOVE}
    return decided
