"""What our encoders write can be decoded frame by frame (ITU-T T.81 annex B.2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.core.errors import MalformedDataSet
from radfuse.dicom import Transcoder, read_file_meta
from radfuse.dicom.transcode import is_interchange_format
from tests.dicom.codecs.images import (
    BASELINE,
    EXPLICIT,
    EXTENDED,
    LOSSLESS,
    LOSSLESS_SV1,
    Kind,
    data_set,
    foreign_stream,
    with_meta,
    write,
    write_encapsulated,
)

FRAMES = Kind(8, 8, frames=3)


@pytest.fixture(scope="module")
def transcoder() -> Iterator[Transcoder]:
    with Transcoder() as running:
        yield running


def is_interchange(path: Path, syntax: str) -> bool:
    data = path.read_bytes()
    return is_interchange_format(data, read_file_meta(data).data_offset, syntax)


@pytest.mark.parametrize(
    ("target", "uid"), [(LOSSLESS_SV1, ""), (LOSSLESS, ""), (BASELINE, "2.25.9"), (EXTENDED, "2.25.9")]
)
def test_every_frame_that_we_encode_has_its_tables(
    transcoder: Transcoder, tmp_path: Path, target: str, uid: str
) -> None:
    path = write(tmp_path / "in.dcm", data_set(FRAMES, FRAMES.pixels()))
    transcoder.transcode(path, target, tmp_path / "out", derived_uid=uid)
    assert is_interchange(with_meta(tmp_path / "out", target, tmp_path / "out.dcm"), target)


def test_a_frame_whose_tables_are_in_another_frame_is_seen(tmp_path: Path) -> None:
    first, second, third = (foreign_stream(frame, FRAMES, BASELINE) for frame in FRAMES.pixels())
    tables = second.index(b"\xff\xc4")
    length = int.from_bytes(second[tables + 2 : tables + 4], "big")
    cut = second[:tables] + second[tables + 2 + length :]
    while (at := cut.find(b"\xff\xc4")) >= 0:
        cut = cut[:at] + cut[at + 2 + int.from_bytes(cut[at + 2 : at + 4], "big") :]
    ds = data_set(FRAMES, FRAMES.pixels())
    assert is_interchange(write_encapsulated(tmp_path / "whole", ds, [first, second, third], BASELINE), BASELINE)
    assert not is_interchange(write_encapsulated(tmp_path / "cut", ds, [first, cut, third], BASELINE), BASELINE)


def test_what_has_no_encapsulated_pixels_breaks_nothing(tmp_path: Path) -> None:
    assert is_interchange(write(tmp_path / "in.dcm", data_set(FRAMES, FRAMES.pixels())), EXPLICIT)


def test_broken_fragments_are_an_error(tmp_path: Path) -> None:
    ds = data_set(FRAMES, FRAMES.pixels())
    path = write_encapsulated(tmp_path / "in.dcm", ds, [foreign_stream(FRAMES.pixels()[0], FRAMES, BASELINE)], BASELINE)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(MalformedDataSet):
        is_interchange(path, BASELINE)
