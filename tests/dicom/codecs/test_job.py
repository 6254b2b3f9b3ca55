"""The child's work done in this process: elements copied, pixels planned, faults refused."""

from __future__ import annotations

import resource
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.encaps import encapsulate_extended

from radfuse.core.transfer_syntaxes import TRANSFER_SYNTAXES
from radfuse.dicom.codecs import child, jpeg_2000
from radfuse.dicom.codecs.base import Limits, PixelDescription
from radfuse.dicom.codecs.element_stream import SHORT_VRS, WORD_BYTES
from radfuse.dicom.codecs.job import transcode_file
from radfuse.dicom.codecs.refused import Refused
from radfuse.dicom.codecs.value_representations import vr_of
from tests.dicom.codecs.images import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    J2K_LOSSLESS,
    LOSSLESS_SV1,
    NATIVE,
    RLE,
    Kind,
    data_set,
    foreign_stream,
    read_result,
    with_meta,
    write,
    write_encapsulated,
)

UNDEFINED = b"\xff\xff\xff\xff"
ITEM, ITEM_END, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0" + bytes(4), b"\xfe\xff\xdd\xe0" + bytes(4)


def run(source: Path, target: str, destination: Path, limits: Limits | None = None) -> bytes:
    """Transcode here and return the result."""
    transcode_file(source, target, destination, limits or Limits(), lambda _: None)
    return destination.read_bytes()


def elements(tmp_path: Path, data: bytes, source: str, target: str) -> bytes:
    """Transcode a hand-made data set."""
    (tmp_path / "bare").write_bytes(data)
    path = with_meta(tmp_path / "bare", source, tmp_path / "in.dcm")
    return run(path, target, tmp_path / "out")


def explicit(tag: int, vr: bytes, value: bytes) -> bytes:
    """One little endian element with explicit VR."""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    if vr in SHORT_VRS:
        return head + struct.pack("<H", len(value)) + value
    return head + bytes(2) + struct.pack("<L", len(value)) + value


def implicit(tag: int, value: bytes) -> bytes:
    """One element with implicit VR."""
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value


@pytest.mark.parametrize("kind", [Kind(12, 16, frames=2), Kind(8, 8, colour="RGB"), Kind(16, 16, signed=True)], ids=str)
@pytest.mark.parametrize("source", NATIVE)
def test_every_way_there_and_back_ends_in_the_same_pixels(tmp_path: Path, kind: Kind, source: str) -> None:
    path = write(tmp_path / "in.dcm", data_set(kind, kind.pixels()), source)
    for target in (*NATIVE, LOSSLESS_SV1, J2K_LOSSLESS):
        run(path, target, tmp_path / "there")
        with_meta(tmp_path / "there", target, tmp_path / "there.dcm")
        run(tmp_path / "there.dcm", EXPLICIT, tmp_path / "back")
        result = read_result(tmp_path / "back", EXPLICIT)
        assert np.array_equal(result.pixel_array.reshape(kind.pixels().shape), kind.pixels())
        assert result.PhotometricInterpretation == kind.colour


def test_one_compressed_syntax_becomes_another(tmp_path: Path) -> None:
    kind = Kind(12, 16)
    pixels = kind.pixels()
    source = write_encapsulated(
        tmp_path / "in.dcm", data_set(kind, pixels), [foreign_stream(pixels[0], kind, RLE)], RLE
    )
    run(source, J2K_LOSSLESS, tmp_path / "out")
    with_meta(tmp_path / "out", J2K_LOSSLESS, tmp_path / "out.dcm")
    run(tmp_path / "out.dcm", EXPLICIT, tmp_path / "back")
    assert np.array_equal(read_result(tmp_path / "back", EXPLICIT).pixel_array, pixels[0])


def test_an_extended_offset_table_is_used_and_left_out(tmp_path: Path) -> None:
    kind = Kind(8, 8, frames=2)
    ds = data_set(kind, kind.pixels())
    frames = [jpeg_2000.encode_frame(frame, kind.description()) for frame in kind.pixels()]
    ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    ds["PixelData"].is_undefined_length = True
    path = write(tmp_path / "in.dcm", ds, J2K_LOSSLESS)
    run(path, EXPLICIT, tmp_path / "out")
    result = read_result(tmp_path / "out", EXPLICIT)
    assert "ExtendedOffsetTable" not in result and "ExtendedOffsetTableLengths" not in result
    assert np.array_equal(result.pixel_array, kind.pixels())
    ds.ExtendedOffsetTable = struct.pack("<2Q", 0, 12)
    write(path, ds, J2K_LOSSLESS)
    with pytest.raises(Refused, match="offset table"):
        run(path, EXPLICIT, tmp_path / "out")


def test_frames_of_different_colour_spaces_are_refused(tmp_path: Path) -> None:
    kind = Kind(8, 8, frames=2)
    ds = data_set(kind, kind.pixels())
    frame = jpeg_2000.encode_frame(kind.pixels()[0], kind.description())
    path = write_encapsulated(tmp_path / "in.dcm", ds, [frame, b"\xff\x4f"], J2K_LOSSLESS)
    with pytest.raises(Refused, match="not a JPEG 2000 stream"):
        run(path, EXPLICIT, tmp_path / "out")


def test_group_lengths_are_left_out(tmp_path: Path) -> None:
    data = explicit(0x00080000, b"UL", b"\x04\0\0\0") + explicit(0x00080060, b"CS", b"CT")
    assert elements(tmp_path, data, EXPLICIT, IMPLICIT) == implicit(0x00080060, b"CT")


def test_values_of_odd_length_are_padded(tmp_path: Path) -> None:
    data = explicit(0x00080018, b"UI", b"1.2") + explicit(0x00080060, b"CS", b"PET")
    expected = implicit(0x00080018, b"1.2\0") + implicit(0x00080060, b"PET ")
    assert elements(tmp_path, data, EXPLICIT, IMPLICIT) == expected


def test_private_and_unknown_elements_become_UN_and_keep_their_bytes(tmp_path: Path) -> None:
    data = implicit(0x00090010, b"MAKER ") + implicit(0x00091001, b"\x01\x02") + implicit(0x00081FFF, b"ab")
    result = elements(tmp_path, implicit(0x00080060, b"CT") + data, IMPLICIT, BIG_ENDIAN)
    assert result.endswith(b"\x00\x09\x10\x01UN\0\0\0\0\0\x02\x01\x02\x00\x08\x1f\xffUN\0\0\0\0\0\x02ab")


def test_a_value_too_long_for_its_vr_becomes_UN(tmp_path: Path) -> None:
    value = bytes(range(256)) * 257
    result = elements(tmp_path, implicit(0x00181310, value), IMPLICIT, BIG_ENDIAN)
    assert result == b"\x00\x18\x13\x10UN\0\0" + struct.pack(">L", len(value)) + value


@pytest.mark.parametrize("vr", sorted(WORD_BYTES))
def test_words_swap_into_big_endian_and_back(tmp_path: Path, vr: bytes) -> None:
    data = explicit(0x00111001, vr, bytes(range(16)))
    big = elements(tmp_path, data, EXPLICIT, BIG_ENDIAN)
    size = WORD_BYTES[vr]
    assert big.endswith(b"".join(bytes(range(start, start + size))[::-1] for start in range(0, 16, size)))
    assert elements(tmp_path, big, BIG_ENDIAN, EXPLICIT) == data


def test_a_value_that_is_no_whole_number_of_words_is_refused_when_it_must_swap(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="whole number"):
        elements(tmp_path, explicit(0x00111001, b"FD", bytes(7)), EXPLICIT, BIG_ENDIAN)


def test_sequences_of_every_length_form_survive(tmp_path: Path) -> None:
    inner = implicit(0x00080100, b"A1")
    defined = struct.pack("<HHL", 0x0008, 0x2218, 8 + len(inner)) + ITEM + struct.pack("<L", len(inner)) + inner
    open_ended = b"\x08\x00\x28\x22" + UNDEFINED + ITEM + UNDEFINED + inner + ITEM_END + SEQUENCE_END
    empty = implicit(0x00082229, b"")
    private = b"\x09\x00\x01\x10" + UNDEFINED + ITEM + struct.pack("<L", len(inner)) + inner + SEQUENCE_END
    result = elements(tmp_path, defined + open_ended + empty + private, IMPLICIT, EXPLICIT)
    item = ITEM + UNDEFINED + explicit(0x00080100, b"SH", b"A1") + ITEM_END + SEQUENCE_END
    heads = [b"\x08\x00\x18\x22SQ\0\0" + UNDEFINED + item, b"\x08\x00\x28\x22SQ\0\0" + UNDEFINED + item]
    ends = [b"\x08\x00\x29\x22SQ\0\0" + bytes(4), b"\x09\x00\x01\x10SQ\0\0" + UNDEFINED + item]
    assert result == b"".join(heads + ends)


def test_UN_of_undefined_length_is_an_implicit_sequence(tmp_path: Path) -> None:
    inner = ITEM + UNDEFINED + implicit(0x00080100, b"A1") + ITEM_END + SEQUENCE_END
    result = elements(tmp_path, b"\x09\x00\x01\x10UN\0\0" + UNDEFINED + inner, EXPLICIT, IMPLICIT)
    assert result == b"\x09\x00\x01\x10" + UNDEFINED + inner


def nested(depth: int) -> bytes:
    """Sequences within sequences."""
    data = b""
    for _ in range(depth):
        data = b"\x40\x00\x30\xa7" + UNDEFINED + ITEM + UNDEFINED + data + ITEM_END + SEQUENCE_END
    return data


def test_64_levels_are_copied_and_more_are_refused(tmp_path: Path) -> None:
    assert elements(tmp_path, nested(64), IMPLICIT, EXPLICIT)
    for depth in (65, 10_000):
        with pytest.raises(Refused, match="too deeply"):
            elements(tmp_path, nested(depth), IMPLICIT, EXPLICIT)


def test_deep_sequences_of_defined_length_are_refused_too(tmp_path: Path) -> None:
    data = b""
    for _ in range(100):
        data = implicit(0x0040A730, ITEM + struct.pack("<L", len(data)) + data)
    with pytest.raises(Refused, match="too deeply"):
        elements(tmp_path, data, IMPLICIT, EXPLICIT)


MALFORMED = {
    "truncated": (EXPLICIT, explicit(0x00080060, b"CS", b"CT")[:-1]),
    "no VR": (EXPLICIT, b"\x08\x00\x60\x00\x02\x00\x00\x00CT"),
    "a stray delimiter": (IMPLICIT, ITEM_END),
    "a sequence of something else": (IMPLICIT, b"\x08\x00\x28\x22" + UNDEFINED + implicit(0x00080060, b"CT")),
    "a defined sequence of something else": (IMPLICIT, implicit(0x00082228, implicit(0x00080060, b"CT"))),
    "an item longer than its sequence": (IMPLICIT, implicit(0x00082228, ITEM + b"\x0a\0\0\0") + bytes(20)),
    "an endless text": (EXPLICIT, b"\x08\x00\x60\x00UT\0\0" + UNDEFINED + ITEM + bytes(4) + SEQUENCE_END),
    "an element longer than its item": (
        IMPLICIT,
        implicit(0x00082228, ITEM + b"\x08\0\0\0" + b"\x08\x00\x60\x00\x04\0\0\0") + bytes(20),
    ),
    "encapsulated pixels in an item": (
        EXPLICIT,
        b"\x08\x00\x28\x22SQ\0\0"
        + UNDEFINED
        + ITEM
        + UNDEFINED
        # an empty offset table and no fragment
        + b"\xe0\x7f\x10\x00OB\0\0"
        + UNDEFINED
        + ITEM
        + bytes(4)
        + SEQUENCE_END
        + ITEM_END
        + SEQUENCE_END,
    ),
    "encapsulated pixels in a native syntax": (
        EXPLICIT,
        b"\xe0\x7f\x10\x00OB\0\0" + UNDEFINED + ITEM + bytes(4) + SEQUENCE_END,
    ),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_data_set_is_refused(tmp_path: Path, fault: str) -> None:
    source, data = MALFORMED[fault]
    with pytest.raises(Refused):
        elements(tmp_path, data, source, BIG_ENDIAN)


def test_a_deflated_data_set_is_inflated_within_limits(tmp_path: Path) -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = explicit(0x00080060, b"CS", b"CT") + explicit(0x00091001, b"OB", bytes(1 << 21))
    (tmp_path / "bare").write_bytes(deflater.compress(data) + deflater.flush())
    path = with_meta(tmp_path / "bare", DEFLATED, tmp_path / "in.dcm")
    assert run(path, EXPLICIT, tmp_path / "out") == data
    with pytest.raises(Refused, match="limit"):
        run(path, EXPLICIT, tmp_path / "out", Limits(object_bytes=1 << 20))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Refused, match="truncated"):
        run(path, EXPLICIT, tmp_path / "out")
    path.write_bytes(path.read_bytes()[:-200] + b"\xff" * 200)
    with pytest.raises(Refused):
        run(path, EXPLICIT, tmp_path / "out")


@pytest.mark.parametrize("allocated", [13, 64])
def test_nonsense_is_refused_before_anything_is_read(allocated: int) -> None:
    description = Kind(8, 8).description()
    wrong = PixelDescription(21, 17, 1, 1, allocated, 8, 7, False, description.photometric, 0)
    with pytest.raises(Refused):
        wrong.check(Limits())


def test_the_limits_of_an_image_are_kept() -> None:
    description = Kind(16, 16, rows=1000, columns=1000, frames=10).description()
    description.check(Limits())
    with pytest.raises(Refused, match="frame is larger"):
        description.check(Limits(frame_bytes=1_999_999))
    with pytest.raises(Refused, match="pixels are larger"):
        description.check(Limits(object_bytes=19_999_999))


def test_floating_point_pixels_are_copied_but_not_compressed(tmp_path: Path) -> None:
    data = explicit(0x7FE00008, b"OF", np.arange(4, dtype="<f4").tobytes())
    assert elements(tmp_path, data, EXPLICIT, IMPLICIT).endswith(np.arange(4, dtype="<f4").tobytes())
    with pytest.raises(Refused, match="floating point"):
        elements(tmp_path, data, EXPLICIT, J2K_LOSSLESS)


def test_the_vr_of_an_implicit_element_follows_its_context() -> None:
    assert vr_of(0x00280106, 2, signed=True, waveform_bits=0) == b"SS"
    assert vr_of(0x00280106, 2, signed=False, waveform_bits=0) == b"US"
    assert vr_of(0x54001010, 2, signed=False, waveform_bits=8) == b"OB"
    assert vr_of(0x54001010, 2, signed=False, waveform_bits=16) == b"OW"
    assert vr_of(0x60003000, 2, signed=False, waveform_bits=0) == b"OW"
    assert vr_of(0x00283006, 2, signed=False, waveform_bits=0) == b"OW"
    assert vr_of(0x00090010, 2, signed=False, waveform_bits=0) == b"LO"
    assert vr_of(0x00080000, 4, signed=False, waveform_bits=0) == b"UL"
    assert vr_of(0x00091001, 4, signed=False, waveform_bits=0) == b"UN"
    assert vr_of(0x00091001, 0xFFFFFFFF, signed=False, waveform_bits=0) == b"SQ"


def test_the_child_answers_with_reasons_and_never_raises(tmp_path: Path) -> None:
    path = write(tmp_path / "in.dcm", data_set(Kind(8, 8), Kind(8, 8).pixels()))
    request = {"source": str(path), "target": IMPLICIT, "destination": str(tmp_path / "out")}
    request |= {"memory_bytes": str(1 << 50), "frame_bytes": str(1 << 30), "object_bytes": str(1 << 33)}
    before = resource.getrlimit(resource.RLIMIT_AS)
    try:
        assert child.answer(request) == {}
        assert "refused" in child.answer(request | {"source": str(tmp_path / "none")})
        assert child.answer(request | {"frame_bytes": "1", "target": J2K_LOSSLESS}) == {
            "refused": "a frame is larger than the limit"
        }
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_every_native_syntax_of_the_table_is_covered_here() -> None:
    assert {row.uid for row in TRANSFER_SYNTAXES.values() if not row.encapsulated} == set(NATIVE)
