"""Waveforms of any vendor (PS3.3 sections C.10.9 and C.10.10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import UnreadableObject
from radfuse.dicom import tree
from radfuse.objects.elements import Elements, opened
from radfuse.objects.waveform.model import SAMPLE_TYPES, Annotation, Channel, Group, Waveform

_DATA: Final = 0x5400_1010
_PADDING: Final = 0x5400_100A
_MOST_CHANNELS: Final = 1024
_COMPANDED: Final = ("MB", "AB")


def read_waveform(content: bytes | memoryview) -> Waveform:
    """The recording in a DICOM file. Raises UnreadableObject for what has no waveform that can be drawn."""
    level, elements = opened(content)
    return _Reader(elements).recording(level)


@dataclass(slots=True)
class _Reader:
    """Reads one object."""

    elements: Elements
    findings: list[str] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    """Of the groups that were read, by their numbers in the object (from 1)."""

    def recording(self, level: tree.Tree) -> Waveform:
        elements = self.elements
        items = elements.items(level, "WaveformSequence")
        if not items:
            raise UnreadableObject("it has no waveform")
        groups = [*self._groups(items)]
        if not groups:
            raise UnreadableObject(f"none of its waveforms can be drawn: {self.findings[-1]}")
        return Waveform(
            sop_class_uid=elements.text(level, "SOPClassUID"),
            sop_instance_uid=elements.text(level, "SOPInstanceUID"),
            acquired=elements.text(level, "AcquisitionDateTime"),
            groups=tuple(groups),
            annotations=tuple(self._annotations(level, groups)),
            findings=tuple(dict.fromkeys(self.findings)),
        )

    # --- groups ----------------------------------------------------------------------------------

    def _groups(self, items: list[tree.Tree]) -> Iterator[Group]:
        for number, item in enumerate(items, 1):
            group = self._group(item, number)
            if group is not None:
                self.numbers[number] = len(self.numbers)
                yield group

    def _group(self, item: tree.Tree, number: int) -> Group | None:
        frequency = self._number(item, "SamplingFrequency")
        stored = self._stored(item, number)
        if stored is None:
            return None
        if frequency is None or frequency <= 0:
            self.findings.append(f"group {number} does not say how often it was sampled, and was left out")
            return None
        channels = self.elements.items(item, "ChannelDefinitionSequence")
        count = stored.shape[1]
        if len(channels) < count:
            self.findings.append(f"group {number} does not say what all of its channels are")
        return Group(
            label=self.elements.text(item, "MultiplexGroupLabel"),
            originality=self.elements.text(item, "WaveformOriginality"),
            frequency_hz=frequency,
            offset_s=(self._number(item, "MultiplexGroupTimeOffset") or 0.0) / 1000,
            channels=tuple(self._channel(channels[at : at + 1], at) for at in range(count)),
            stored=stored,
            padding=self._padding(item, stored.dtype),
        )

    def _stored(self, item: tree.Tree, number: int) -> npt.NDArray[np.generic] | None:
        elements = self.elements
        kind = elements.text(item, "WaveformSampleInterpretation")
        channels = self._number(item, "NumberOfWaveformChannels") or 0
        if kind not in SAMPLE_TYPES:
            reason = "is sound, and is not drawn" if kind in _COMPANDED else "has samples of an unknown kind"
            self.findings.append(f"group {number} {reason}")
            return None
        if not 1 <= channels <= _MOST_CHANNELS:
            self.findings.append(f"group {number} has no channels, or more than {_MOST_CHANNELS}, and was left out")
            return None
        form = np.dtype(SAMPLE_TYPES[kind]).newbyteorder(">" if elements.is_big else "<")
        data = item.raw(_DATA)
        row = form.itemsize * int(channels)
        there = len(data) // row
        said = int(self._number(item, "NumberOfWaveformSamples") or there)
        if there < said:
            self.findings.append(f"group {number} has fewer samples than it says: the rest is missing")
        count = max(0, min(there, said))
        if not count:
            self.findings.append(f"group {number} has no samples")
            return None
        return np.frombuffer(data[: count * row], form).reshape(count, int(channels))

    def _padding(self, item: tree.Tree, form: np.dtype[np.generic]) -> int | None:
        raw = item.raw(_PADDING)[: form.itemsize]
        return int(np.frombuffer(raw, form)[0]) if len(raw) == form.itemsize else None

    def _channel(self, definition: list[tree.Tree], at: int) -> Channel:
        if not definition:
            return Channel(f"Channel {at + 1}", "", 1.0, 0.0, None, None)
        item = definition[0]
        source, unit = (
            self.elements.code(item, name) for name in ("ChannelSourceSequence", "ChannelSensitivityUnitsSequence")
        )
        sensitivity = self._number(item, "ChannelSensitivity")
        correction = self._number(item, "ChannelSensitivityCorrectionFactor")
        name = self.elements.text(item, "ChannelLabel") or (source.meaning or source.value if source else "")
        return Channel(
            name=name or f"Channel {at + 1}",
            unit=unit.value if unit is not None and sensitivity is not None else "",
            sensitivity=(1.0 if sensitivity is None else sensitivity) * (1.0 if correction is None else correction),
            baseline=self._number(item, "ChannelBaseline") or 0.0,
            low_hz=self._number(item, "FilterLowFrequency"),
            high_hz=self._number(item, "FilterHighFrequency"),
        )

    def _number(self, level: tree.Tree, keyword: str) -> float | None:
        return next(iter(self.elements.numbers(level, keyword)), None)

    # --- annotations -----------------------------------------------------------------------------

    def _annotations(self, level: tree.Tree, groups: list[Group]) -> Iterator[Annotation]:
        elements = self.elements
        for item in elements.items(level, "WaveformAnnotationSequence"):
            concept, coded = (elements.code(item, name) for name in ("ConceptNameCodeSequence", "ConceptCodeSequence"))
            unit = elements.code(item, "MeasurementUnitsCodeSequence")
            text = elements.text(item, "UnformattedTextValue")
            number = elements.text(item, "NumericValue")
            name = (concept.meaning or concept.value) if concept is not None else ""
            value = number or text or ((coded.meaning or coded.value) if coded is not None else "")
            if name or value:
                group, channel = self._place(item)
                at_s = () if group is None else tuple(self._times(item, groups[group]))
                yield Annotation(name, value, unit.value if unit is not None else "", group, channel, at_s)

    def _place(self, item: tree.Tree) -> tuple[int | None, int | None]:
        """The group, and the channel where it is one; Referenced Waveform Channels are pairs from 1."""
        pairs = self.elements.integers(item, "ReferencedWaveformChannels")
        groups = {self.numbers.get(number) for number in pairs[::2]}
        if len(groups) != 1:
            return None, None
        channels = set(pairs[1::2])
        (group,) = groups
        one = channels.pop() if len(channels) == 1 else 0
        return group, one - 1 if one > 0 else None

    def _times(self, item: tree.Tree, group: Group) -> Iterator[float]:
        samples = self.elements.numbers(item, "ReferencedSamplePositions")
        if samples:
            # The first sample is number 1 (section C.10.10.1.2).
            yield from ((sample - 1) / group.frequency_hz for sample in samples)
        else:
            offsets = self.elements.numbers(item, "ReferencedTimeOffsets")
            yield from (offset / 1000 - group.offset_s for offset in offsets)
