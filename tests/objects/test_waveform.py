"""Waveforms: the same numbers as pydicom reads, and what is wrong with one is said instead of drawn."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from radfuse.core.errors import UnreadableObject
from radfuse.objects.waveform import read_waveform

ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"


def code(value: str, scheme: str, meaning: str) -> list[Dataset]:
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, scheme, meaning
    return [ds]


def channel(name: str, unit: str = "uV", sensitivity: float = 2.5, baseline: float = 0) -> Dataset:
    ds = Dataset()
    ds.ChannelSourceSequence = code("2:1", "MDC", name)
    ds.ChannelSensitivity = sensitivity
    ds.ChannelSensitivityUnitsSequence = code(unit, "UCUM", unit)
    ds.ChannelSensitivityCorrectionFactor, ds.ChannelBaseline = 1, baseline
    ds.FilterLowFrequency, ds.FilterHighFrequency, ds.WaveformBitsStored = 0.05, 150, 16
    return ds


def group(stored: np.ndarray, *channels: Dataset, kind: str = "SS", frequency_hz: float = 500) -> Dataset:
    ds = Dataset()
    ds.MultiplexGroupTimeOffset, ds.WaveformOriginality, ds.MultiplexGroupLabel = 40, "ORIGINAL", "RHYTHM"
    ds.NumberOfWaveformSamples, ds.NumberOfWaveformChannels = stored.shape
    ds.SamplingFrequency, ds.ChannelDefinitionSequence = frequency_hz, list(channels)
    ds.WaveformBitsAllocated, ds.WaveformSampleInterpretation = 8 * stored.itemsize, kind
    ds.add_new("WaveformData", "OW" if stored.itemsize > 1 else "OB", stored.tobytes() + bytes(stored.nbytes % 2))
    return ds


def note(**values: object) -> Dataset:
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def recording(*groups: Dataset, notes: tuple[Dataset, ...] = (), syntax: str = ExplicitVRLittleEndian) -> bytes:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = ECG, "2.25.77", "ECG"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.PatientID = "2.25.78", "2.25.79", "4711"
    ds.AcquisitionDateTime = "20260301101500"
    ds.WaveformSequence = list(groups)
    ds.WaveformAnnotationSequence = list(notes)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    out = BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


STORED = np.array([[1, -2], [3, 4], [-5, 600]], "<i2")
TWO = (channel("Lead I"), channel("Lead II", sensitivity=5, baseline=-10))


def test_an_ecg_has_the_values_that_pydicom_reads(shared_data: Path) -> None:
    path = shared_data / "sop-classes" / "pydicom" / "waveform_ecg.dcm"
    found, theirs = read_waveform(path.read_bytes()), dcmread(path)
    assert [len(each.channels) for each in found.groups] == [12, 12]
    for number, each in enumerate(found.groups):
        np.testing.assert_allclose(each.values(0, each.samples).T, theirs.waveform_array(number), rtol=1e-6)
    assert found.groups[0].duration_s == 10
    assert {("PR Interval", "161", "ms"), ("QTc Interval", "370", "ms")} <= {
        (each.name, each.value, each.unit) for each in found.annotations
    }


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_values_are_in_the_unit_of_their_channel(syntax: str) -> None:
    (found,) = read_waveform(recording(group(STORED, *TWO), syntax=syntax)).groups
    assert [(each.name, each.unit, each.low_hz, each.high_hz) for each in found.channels] == [
        ("Lead I", "uV", 0.05, 150),
        ("Lead II", "uV", 0.05, 150),
    ]
    assert found.values(0, 3).tolist() == [[2.5, 7.5, -12.5], [-20, 10, 2990]]
    assert found.values(2, 9).tolist() == [[-12.5], [2990]]
    assert (found.offset_s, found.duration_s) == (0.04, 0.006)


def test_big_endian_samples_are_turned() -> None:
    content = recording(group(STORED.byteswap(), *TWO), syntax=ExplicitVRBigEndian)
    assert read_waveform(content).groups[0].values(0, 3)[0].tolist() == [2.5, 7.5, -12.5]


@pytest.mark.parametrize(("kind", "form"), [("SB", "i1"), ("UB", "u1"), ("US", "<u2"), ("SL", "<i4"), ("UL", "<u4")])
def test_samples_of_every_plain_kind_are_read(kind: str, form: str) -> None:
    stored = np.array([[100], [7], [90]], form)
    (found,) = read_waveform(recording(group(stored, channel("P", "mmHg", 1), kind=kind))).groups
    assert found.values(0, 3).tolist() == [[100, 7, 90]]


def test_padding_is_a_gap() -> None:
    padded = group(STORED, *TWO)
    padded.add_new("WaveformPaddingValue", "OW", np.array([600], "<i2").tobytes())
    values = read_waveform(recording(padded)).groups[0].values(0, 3)
    assert np.isnan(values[1, 2])
    assert not np.isnan(values[0]).any()


def _without(keyword: str) -> Dataset:
    ds = group(STORED, *TWO)
    delattr(ds, keyword)
    return ds


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: group(STORED.astype("i1"), *TWO, kind="MB"), "sound"),
        (lambda: group(STORED, *TWO, frequency_hz=0), "how often"),
        (lambda: _without("WaveformData"), "no samples"),
        (lambda: _without("NumberOfWaveformChannels"), "no channels"),
        (lambda: _without("WaveformSampleInterpretation"), "unknown kind"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(make: Callable[[], Dataset], reason: str) -> None:
    with pytest.raises(UnreadableObject, match=reason):
        read_waveform(recording(make()))


def test_an_object_without_a_waveform_is_refused() -> None:
    with pytest.raises(UnreadableObject, match="no waveform"):
        read_waveform(recording())


def test_a_group_that_cannot_be_drawn_is_left_out_and_the_others_stay_who_they_were() -> None:
    notes = (note(UnformattedTextValue="about the second", ReferencedWaveformChannels=[2, 1]),)
    found = read_waveform(recording(group(STORED, *TWO, kind="AB"), group(STORED, *TWO), notes=notes))
    assert len(found.groups) == 1
    assert found.findings == ("group 1 is sound, and is not drawn",)
    assert [(each.group, each.channel) for each in found.annotations] == [(0, 0)]


def test_missing_samples_are_told() -> None:
    short = group(STORED, *TWO)
    short.NumberOfWaveformSamples = 1000
    found = read_waveform(recording(short))
    assert found.groups[0].samples == 3
    assert "fewer samples than it says" in found.findings[0]


def test_a_channel_without_a_definition_is_counted_and_has_no_unit() -> None:
    found = read_waveform(recording(group(STORED, TWO[0])))
    assert [(each.name, each.unit) for each in found.groups[0].channels] == [("Lead I", "uV"), ("Channel 2", "")]
    assert "what all of its channels are" in found.findings[0]


def test_annotations_say_what_and_when() -> None:
    number = note(
        ConceptNameCodeSequence=code("122158", "DCM", "RR interval"),
        NumericValue="812",
        MeasurementUnitsCodeSequence=code("ms", "UCUM", "ms"),
        ReferencedWaveformChannels=[1, 0],
    )
    mark = note(
        ConceptNameCodeSequence=code("5.10.2", "SCPECG", "QRS onset"),
        ReferencedWaveformChannels=[1, 2],
        ReferencedSamplePositions=[1, 251],
    )
    late = note(UnformattedTextValue="pause", ReferencedWaveformChannels=[1, 0], ReferencedTimeOffsets=[1040])
    everywhere = note(UnformattedTextValue="sinus rhythm", ReferencedWaveformChannels=[1, 0, 2, 0])
    both = (group(STORED, *TWO), group(STORED, *TWO))
    found = read_waveform(recording(*both, notes=(number, mark, late, everywhere))).annotations
    assert [(each.name, each.value, each.unit, each.group, each.channel) for each in found] == [
        ("RR interval", "812", "ms", 0, None),
        ("QRS onset", "", "", 0, 1),
        ("", "pause", "", 0, None),
        ("", "sinus rhythm", "", None, None),
    ]
    assert [each.at_s for each in found] == [(), (0, 0.5), (1,), ()]
