"""What a waveform object holds: groups of channels that were sampled together, and notes on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

SAMPLE_TYPES: Final = {
    "SB": "i1",
    "UB": "u1",
    "SS": "i2",
    "US": "u2",
    "SL": "i4",
    "UL": "u4",
    "SV": "i8",
    "UV": "u8",
}
"""Waveform Sample Interpretation (section C.10.9.1.5) as types of numpy; companded audio (MB, AB) is none of them."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One signal: its values are ``stored * sensitivity + baseline``, in ``unit``."""

    name: str
    """Of its lead or site, as its code or its label says it."""
    unit: str
    """UCUM; "" where the object does not say how its numbers are to be read."""
    sensitivity: float
    """Channel Sensitivity, corrected by its factor."""
    baseline: float
    low_hz: float | None
    high_hz: float | None
    """What its filters let through."""


@dataclass(frozen=True, slots=True)
class Group:
    """A multiplex group: channels with one clock."""

    label: str
    originality: str
    frequency_hz: float
    offset_s: float
    """Of its first sample from the acquisition's begin."""
    channels: tuple[Channel, ...]
    stored: npt.NDArray[np.generic]
    """As they are in the object: [sample, channel]."""
    padding: int | None
    """What stands where nothing was measured."""

    @property
    def samples(self) -> int:
        """Of each channel."""
        return int(self.stored.shape[0])

    @property
    def duration_s(self) -> float:
        """From the first sample to the end of the last."""
        return self.samples / self.frequency_hz

    def values(self, first: int, count: int) -> npt.NDArray[np.float32]:
        """Samples in the channels' units, [channel, sample]; NaN where nothing was measured."""
        part = self.stored[first : first + count]
        scale = np.array([channel.sensitivity for channel in self.channels])
        offset = np.array([channel.baseline for channel in self.channels])
        values = part * scale + offset
        if self.padding is not None:
            values[part == self.padding] = np.nan
        return np.ascontiguousarray(values.T, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Annotation:
    """What somebody, or the recorder, says of the signal: a text, or a value of something that was measured."""

    name: str
    value: str
    unit: str
    group: int | None
    """The group it is about, from 0; None: the whole recording."""
    channel: int | None
    """The channel of that group, from 0; None: all of them, or several."""
    at_s: tuple[float, ...]
    """Seconds from the begin of the group that it points at."""


@dataclass(frozen=True, slots=True)
class Waveform:
    """A recording."""

    sop_class_uid: str
    sop_instance_uid: str
    acquired: str
    """Acquisition DateTime as it is stored."""
    groups: tuple[Group, ...]
    annotations: tuple[Annotation, ...]
    findings: tuple[str, ...]
    """What was not as the standard has it, a sentence each; without patient data."""
