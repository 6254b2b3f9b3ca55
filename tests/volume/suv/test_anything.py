"""Whatever stands in a header, it becomes a factor that can be one, or a refusal; never anything else."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from radfuse.core.errors import CannotComputeSUV
from radfuse.volume.suv import SuvKind, suv_evidence
from tests.volume.suv.headers import pet

_OF_IMAGE = (
    "Units", "SUVType", "DecayCorrection", "CorrectedImage", "PatientWeight", "PatientSize", "PatientSex", "SeriesDate",
    "SeriesTime", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "FrameReferenceTime", "DecayFactor",
    "ActualFrameDuration", "RescaleSlope", "TimezoneOffsetFromUTC", "DecayCorrectionDateTime",
)  # fmt: skip
_OF_DRUG = (
    "Radiopharmaceutical", "RadiopharmaceuticalStartTime", "RadiopharmaceuticalStartDateTime",
    "RadionuclideTotalDose", "RadionuclideHalfLife",
)  # fmt: skip
_NASTY = (
    b"", b" ", b"\0", b"0", b"-1", b"1e308", b"-1e308", b"1e-320", b"nan", b"inf", b"1\\2", b"\\", b"GML", b"CM2ML",
    b"CNTS", b"NONE", b"ADMIN", b"LBM", b"O", b"ATTN", b"ATTN\\DECY", b"00010101", b"99991231", b"20250230",
    b"000000", b"235960", b"2400", b"9", b"20250101", b"20250101110000+9999", b"99991231235959", b"0001", b"\xff\xfe",
    b"20250101110000-0500", b"+1400", b"110000.1234567", b"10:00:00", b"2025.01.01", b"1e5", b"300000", b"70",
)  # fmt: skip

edits = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(_OF_IMAGE + _OF_DRUG), st.sampled_from(_NASTY)), min_size=1, max_size=4
)


def write(header: Dataset, keyword: str, value: bytes) -> None:
    target = header.RadiopharmaceuticalInformationSequence[0] if keyword in _OF_DRUG else header
    tag = Tag(tag_for_keyword(keyword) or 0)
    target[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)


@settings(max_examples=120, deadline=None, database=None)
@given(edits, st.sampled_from(list(SuvKind)))
def test_any_header_gives_possible_factors_or_a_refusal(edited: list[tuple[int, str, bytes]], kind: SuvKind) -> None:
    headers = [pet(), pet()]
    for image, keyword, value in edited:
        write(headers[image], keyword, value)
        write(headers[1 - image], keyword, value)
    try:
        evidence = suv_evidence(headers, kind)
    except CannotComputeSUV as refused:
        assert refused.reason
        return
    assert len(evidence.factors) in (1, 2)
    assert all(math.isfinite(factor) and factor > 0 for factor in evidence.factors)
    assert evidence.as_json()
