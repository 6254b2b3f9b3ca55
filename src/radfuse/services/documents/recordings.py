"""Waveforms out of the archive, to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from radfuse.archive import Archive
from radfuse.core.errors import UnreadableObject
from radfuse.services.documents.contents import content_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from radfuse.objects.waveform import Waveform

MOST_VALUES: Final = 8_000_000
"""Of all channels of a group at once: a recording of a day is drawn part by part."""


def recording(archive: Archive, sop_instance_uid: str) -> Waveform:
    """The recording in an object. Raises InvalidUID, UnknownEntity, UnreadableObject, BlobMissing, BlobDamaged."""
    from radfuse.objects.waveform import read_waveform

    return read_waveform(content_of(archive, sop_instance_uid)[1])


def part_of(waveform: Waveform, group: int, from_s: float, seconds: float) -> npt.NDArray[np.float32]:
    """Values of a group (from 0) in the units of its channels, [channel, sample]: no more than there are.

    Raises UnreadableObject for a group that there is not, and for more values than fit one answer.
    """
    if not 0 <= group < len(waveform.groups):
        raise UnreadableObject("it has no such group of channels")
    found = waveform.groups[group]
    first = min(max(0, round(from_s * found.frequency_hz)), found.samples)
    count = min(max(0, round(seconds * found.frequency_hz)), found.samples - first)
    if count * len(found.channels) > MOST_VALUES:
        raise UnreadableObject("these are too many samples for one answer: ask for fewer seconds")
    return found.values(first, count)
