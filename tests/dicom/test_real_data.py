"""The header scan over every real object that the project has."""

from __future__ import annotations

import warnings
from pathlib import Path

import pydicom
import pytest

from radfuse.core.errors import DataSetError, NotPart10
from radfuse.dicom.header import SOP_CLASS_UID, scan_header
from radfuse.dicom.part10 import read_file_meta

# What the scan says of every file under malformed/ (and of three elsewhere that break, too); the rest is accepted:
# wrong VRs, absurd values, missing attributes and damaged pixels are not faults of structure.
REFUSED = {
    "malformed/other/3gb-bulk-data-truncated": "an element is longer",
    "malformed/pydicom/MR_truncated.dcm": "an element is longer",
    "malformed/pydicom/emri_small_jpeg_2k_lossless_too_short.dcm": "it ends inside an element",
    "malformed/pydicom/no_meta.dcm": "neither File Meta Information nor a data set",  # one byte precedes the first tag
    "malformed/pydicom/rtplan_truncated.dcm": "a sequence is longer",
    "media/pydicom-filesets/DICOMDIR-nooffset": "an item is longer",  # elements cut out, lengths left as they were
    "transfer-syntaxes/colour/SC_rgb_jpeg.dcm": "an element is longer",  # implicit VR under a JPEG syntax
}
GUESSED = {
    "anonymizer/PrivateMDNTags.dcm": "1.2.840.10008.1.2",
    "malformed/other/no_preamble_dicm_in_data": "1.2.840.10008.1.2.1",
    "malformed/other/spatial_reg.dcm": "1.2.840.10008.1.2",
    "malformed/pydicom/ExplVR_BigEndNoMeta.dcm": "1.2.840.10008.1.2.2",
    "malformed/pydicom/ExplVR_LitEndNoMeta.dcm": "1.2.840.10008.1.2.1",
    "malformed/pydicom/meta_missing_tsyntax.dcm": "1.2.840.10008.1.2",
    "sop-classes/pydicom/rtstruct.dcm": "1.2.840.10008.1.2",
}
NOT_DICOM = {".gz", ".json", ".md", ".nii", ".nrrd", ".txt"}
"""Endings of the files beside the objects."""


def real_files(shared_data: Path) -> list[Path]:
    files = (path for path in sorted(shared_data.rglob("*")) if path.is_file())
    return [path for path in files if path.suffix not in NOT_DICOM]


def test_every_valid_object_is_scanned_and_every_broken_one_refused(shared_data: Path) -> None:
    refused: dict[str, str] = {}
    guessed: dict[str, str] = {}
    for path in real_files(shared_data):
        name = path.relative_to(shared_data).as_posix()
        data = path.read_bytes()
        try:
            meta = read_file_meta(data)
            if meta.guessed:
                guessed[name] = meta.transfer_syntax_uid
            scan_header(data, meta.transfer_syntax_uid, start=meta.data_offset)
        except DataSetError as error:
            refused[name] = str(error)
    assert guessed == GUESSED
    assert refused.keys() == REFUSED.keys()
    for name, reason in REFUSED.items():
        assert reason in refused[name]


def test_what_is_no_dicom_is_refused(shared_data: Path) -> None:
    others = [path for path in shared_data.rglob("*") if path.suffix in NOT_DICOM]
    assert others
    for path in others:
        with pytest.raises(NotPart10):
            read_file_meta(path.read_bytes())


def test_the_top_level_values_are_those_that_pydicom_reads(shared_data: Path) -> None:
    compared = 0
    for path in real_files(shared_data)[::7]:
        data = path.read_bytes()
        try:
            meta = read_file_meta(data)
            header = scan_header(data, meta.transfer_syntax_uid, None, start=meta.data_offset)
        except DataSetError:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            for tag in (SOP_CLASS_UID, 0x00080018, 0x0020000D, 0x0020000E):
                expected = dataset.get_item(tag)
                value = expected.value if expected is not None else b""
                raw = value if isinstance(value, bytes) else str(value or "").encode()
                assert header.raw.get(tag, b"").rstrip(b"\0 ") == raw.rstrip(b"\0 ")
        known = {tag for tag in map(int, dataset.keys()) if tag < 0x7FE00000}
        ours = {tag for tag in header.raw if tag < 0x7FE00000}
        opaque = {tag for tag in known if dataset.get_item(tag).VR == "SQ"}
        assert ours <= known
        assert known - ours <= opaque | {tag for tag in known if tag >> 16 & 1}
        compared += 1
    assert compared > 100
