"""The transcoder over made-up objects: every path, every limit, every way a child can fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames, parse_basic_offsets

from radfuse.core.errors import CannotTranscode
from radfuse.core.transfer_syntaxes import TRANSFER_SYNTAXES
from radfuse.dicom.codecs import jpeg, jpeg_2000
from radfuse.dicom.transcode import TranscodeLimits, Transcoder, can_transcode
from tests.dicom.codecs.images import (
    BASELINE,
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    EXTENDED,
    IMPLICIT,
    J2K,
    J2K_LOSSLESS,
    JPEG_LS,
    LOSSLESS,
    LOSSLESS_SV1,
    NATIVE,
    RLE,
    Kind,
    Samples,
    data_set,
    foreign_stream,
    read_result,
    write,
    write_encapsulated,
)

KINDS = [
    Kind(8, 8),
    Kind(12, 16),
    Kind(12, 16, signed=True, frames=3),
    Kind(16, 16, signed=True),
    Kind(8, 8, colour="RGB", frames=2),
]
ENCODERS = {LOSSLESS_SV1: jpeg, LOSSLESS: jpeg, J2K_LOSSLESS: jpeg_2000}
_CHANGING = {0x00280004, 0x00280006, 0x7FE00010}


@pytest.fixture(scope="module")
def transcoder() -> Iterator[Transcoder]:
    with Transcoder() as running:
        yield running


def compressed(path: Path, kind: Kind, syntax: str, *, has_bot: bool = True) -> Path:
    """A file of ``kind`` compressed by our own codec."""
    pixels = kind.pixels()
    frames = [
        ENCODERS[syntax].encode_frame(np.ascontiguousarray(frame).view(f"u{frame.dtype.itemsize}"), kind.description())
        for frame in pixels
    ]
    ds = data_set(kind, pixels)
    if kind.colour == "RGB" and syntax == J2K_LOSSLESS:
        ds.PhotometricInterpretation = "YBR_RCT"
    return write_encapsulated(path, ds, frames, syntax, has_bot=has_bot)


def assert_same_object(ds: Dataset, kind: Kind, pixels: Samples | None) -> None:
    """Everything but the pixels' own description is as ``data_set`` made it, and so are the pixels."""
    expected = data_set(kind, kind.pixels())
    assert {element.tag for element in ds} | _CHANGING == {element.tag for element in expected} | _CHANGING
    for element in expected:
        if element.tag not in _CHANGING:
            assert ds[element.tag].value == element.value or element.tag.is_private
    assert ds[0x00111001].value in ("kept", b"kept")
    if pixels is not None:
        assert np.array_equal(ds.pixel_array.reshape(pixels.shape), pixels)


def test_the_table_holds_ten_syntaxes_and_no_lossy_target() -> None:
    for source in (*TRANSFER_SYNTAXES, RLE, JPEG_LS, "1.2.840.10008.1.2.4.81"):
        for target in NATIVE:
            assert can_transcode(source, target)
        for target in (LOSSLESS, LOSSLESS_SV1, J2K_LOSSLESS):
            assert can_transcode(source, target)
        for target in (BASELINE, EXTENDED, J2K, RLE, JPEG_LS):
            assert not can_transcode(source, target)
    assert not can_transcode("1.2.840.10008.1.2.4.100", EXPLICIT)


@pytest.mark.parametrize("target", NATIVE)
@pytest.mark.parametrize("source", NATIVE)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_native_becomes_native(transcoder: Transcoder, tmp_path: Path, kind: Kind, source: str, target: str) -> None:
    path = write(tmp_path / "in.dcm", data_set(kind, kind.pixels()), source)
    transcoder.transcode(path, target, tmp_path / "out")
    assert_same_object(read_result(tmp_path / "out", target), kind, kind.pixels())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.dcm", "out"]


@pytest.mark.parametrize("target", NATIVE)
@pytest.mark.parametrize("source", sorted(ENCODERS))
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_lossless_becomes_native(transcoder: Transcoder, tmp_path: Path, kind: Kind, source: str, target: str) -> None:
    path = compressed(tmp_path / "in.dcm", kind, source)
    transcoder.transcode(path, target, tmp_path / "out")
    result = read_result(tmp_path / "out", target)
    assert result.PhotometricInterpretation == kind.colour
    assert_same_object(result, kind, kind.pixels())


@pytest.mark.parametrize("target", [LOSSLESS_SV1, J2K_LOSSLESS])
@pytest.mark.parametrize("source", [IMPLICIT, BIG_ENDIAN, DEFLATED, LOSSLESS])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_anything_lossless_is_compressed_and_comes_back(
    transcoder: Transcoder, tmp_path: Path, kind: Kind, source: str, target: str
) -> None:
    path = tmp_path / "in.dcm"
    if source in NATIVE:
        write(path, data_set(kind, kind.pixels()), source)
    else:
        compressed(path, kind, source)
    transcoder.transcode(path, target, tmp_path / "small")
    small = read_result(tmp_path / "small", target)
    assert small["PixelData"].is_undefined_length
    assert len(parse_basic_offsets(small.PixelData)) == kind.frames
    assert len(list(generate_frames(small.PixelData, number_of_frames=kind.frames))) == kind.frames
    write(tmp_path / "small.dcm", small, target)
    transcoder.transcode(tmp_path / "small.dcm", EXPLICIT, tmp_path / "out")
    result = read_result(tmp_path / "out", EXPLICIT)
    assert result.PhotometricInterpretation == kind.colour
    assert_same_object(result, kind, kind.pixels())


@pytest.mark.parametrize("target", NATIVE)
def test_bits_of_frames_that_do_not_end_on_a_byte_stay_joined(
    transcoder: Transcoder, tmp_path: Path, target: str
) -> None:
    kind = Kind(1, 1, frames=3, rows=5, columns=7)
    write(tmp_path / "in.dcm", data_set(kind, kind.pixels()))
    transcoder.transcode(tmp_path / "in.dcm", J2K_LOSSLESS, tmp_path / "small")
    write(tmp_path / "small.dcm", read_result(tmp_path / "small", J2K_LOSSLESS), J2K_LOSSLESS)
    transcoder.transcode(tmp_path / "small.dcm", target, tmp_path / "out")
    packed = read_result(tmp_path / "out", target).PixelData
    bits = np.unpackbits(np.frombuffer(packed, "u1"), bitorder="little")[: 3 * 35]
    assert np.array_equal(bits.reshape(3, 5, 7), kind.pixels())


@pytest.mark.parametrize("target", [IMPLICIT, BIG_ENDIAN, LOSSLESS_SV1])
def test_text_is_never_encoded_again(transcoder: Transcoder, tmp_path: Path, target: str) -> None:
    path = write(tmp_path / "in.dcm", data_set(KINDS[0], KINDS[0].pixels()))
    stored = read_file(path).get_item("PatientName").value
    damaged = bytes(byte ^ 0x11 for byte in stored)
    path.write_bytes(path.read_bytes().replace(stored, damaged))
    transcoder.transcode(path, target, tmp_path / "out")
    assert damaged in (tmp_path / "out").read_bytes()


def test_the_same_syntax_is_a_copy_of_the_data_set(transcoder: Transcoder, tmp_path: Path) -> None:
    path = write(tmp_path / "in.dcm", data_set(KINDS[0], KINDS[0].pixels()))
    transcoder.transcode(path, EXPLICIT, tmp_path / "out")
    assert path.read_bytes().endswith((tmp_path / "out").read_bytes())


def test_planes_are_interleaved_when_compressed(transcoder: Transcoder, tmp_path: Path) -> None:
    kind = Kind(8, 8, colour="RGB")
    pixels = kind.pixels()
    ds = data_set(kind, pixels)
    ds.PlanarConfiguration = 1
    data = pixels[0].transpose(2, 0, 1).tobytes()
    ds.PixelData = data + bytes(len(data) & 1)
    transcoder.transcode(write(tmp_path / "in.dcm", ds), LOSSLESS_SV1, tmp_path / "small")
    small = read_result(tmp_path / "small", LOSSLESS_SV1)
    assert small.PlanarConfiguration == 0
    frame = next(generate_frames(small.PixelData, number_of_frames=1))
    assert np.array_equal(jpeg.decode_frame(frame, kind.description()).samples, pixels[0])


def test_bytes_in_big_endian_words_are_put_in_order(transcoder: Transcoder, tmp_path: Path) -> None:
    kind = Kind(8, 8, columns=18)
    ds = data_set(kind, kind.pixels())
    ds["PixelData"].VR = "OW"
    plain = ds.PixelData
    ds.PixelData = np.frombuffer(plain, "<u2").byteswap().tobytes()
    path = write(tmp_path / "in.dcm", ds, BIG_ENDIAN)
    for target in (EXPLICIT, IMPLICIT):
        transcoder.transcode(path, target, tmp_path / "out")
        assert read_result(tmp_path / "out", target).PixelData == plain
    transcoder.transcode(path, LOSSLESS_SV1, tmp_path / "small")
    frame = next(generate_frames(read_result(tmp_path / "small", LOSSLESS_SV1).PixelData, number_of_frames=1))
    assert np.array_equal(jpeg.decode_frame(frame, kind.description()).samples, kind.pixels()[0])


def test_an_icon_of_a_compressed_image_becomes_native(transcoder: Transcoder, tmp_path: Path) -> None:
    kind = KINDS[0]
    path = compressed(tmp_path / "in.dcm", kind, J2K_LOSSLESS)
    ds = data_set(kind, kind.pixels())
    frame = jpeg_2000.encode_frame(kind.pixels()[0], kind.description())
    write_encapsulated(path, ds, [frame], J2K_LOSSLESS)
    icon = Dataset()
    for tag in (0x00280002, 0x00280004, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103):
        icon.add(ds[tag])
    icon.add(ds["PixelData"])
    ds.IconImageSequence = [icon]
    write(path, ds, J2K_LOSSLESS)
    transcoder.transcode(path, EXPLICIT, tmp_path / "out")
    result = read_result(tmp_path / "out", EXPLICIT)
    assert result.IconImageSequence[0].PixelData == result.PixelData
    assert np.array_equal(result.pixel_array, kind.pixels()[0])


@pytest.mark.parametrize("kind", [Kind(12, 16, frames=3)], ids=str)
@pytest.mark.parametrize("has_bot", [True, False])
def test_frames_in_several_fragments_are_joined(
    transcoder: Transcoder, tmp_path: Path, kind: Kind, has_bot: bool
) -> None:
    path = compressed(tmp_path / "in.dcm", kind, LOSSLESS_SV1, has_bot=has_bot)
    ds = read_file(path)
    frames = list(generate_frames(ds.PixelData, number_of_frames=3))
    items, offsets, position = b"", [], 0
    for frame in frames:
        offsets.append(position)
        for piece in (frame[:40], frame[40:]):
            items += item(piece)
        position = len(items)
    table = b"".join(offset.to_bytes(4, "little") for offset in offsets) if has_bot else b""
    ds.PixelData = item(table) + items
    write(path, ds, LOSSLESS_SV1)
    transcoder.transcode(path, EXPLICIT, tmp_path / "out")
    assert_same_object(read_result(tmp_path / "out", EXPLICIT), kind, kind.pixels())


def item(value: bytes) -> bytes:
    """One item, padded."""
    value += bytes(len(value) & 1)
    return b"\xfe\xff\x00\xe0" + len(value).to_bytes(4, "little") + value


def read_file(path: Path) -> Dataset:
    """A file, read by pydicom."""
    return dcmread(path)


FRAGMENT_FAULTS = {
    "empty fragment": item(b"") + item(b""),
    "no fragment": item(b""),
    "one fragment too many": item(b"") + item(b"\xff\xd8ab") + item(b"\xff\xd8ab"),
    "offset beyond the end": item(b"\x10\x00\x00\x00") + item(b"\xff\xd8ab"),
    "table of two for one frame": item(bytes(8)) + item(b"\xff\xd8ab"),
    "table of odd length": item(bytes(6)) + item(b"\xff\xd8ab"),
    "no item": b"\x08\x00\x10\x00UI\x00\x00",
    "truncated": item(b"") + b"\xfe\xff\x00\xe0\xff\xff\x00\x00abc",
}


@pytest.mark.parametrize("fault", FRAGMENT_FAULTS)
def test_damaged_fragments_are_one_clean_error(transcoder: Transcoder, tmp_path: Path, fault: str) -> None:
    ds = data_set(KINDS[0], KINDS[0].pixels())
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.PixelData = item(b"") + item(b"MARKER")
    path = write(tmp_path / "in.dcm", ds, LOSSLESS_SV1)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(item(b"") + item(b"MARKER"), FRAGMENT_FAULTS[fault]))
    with pytest.raises(CannotTranscode):
        transcoder.transcode(path, EXPLICIT, tmp_path / "out")
    assert [file.name for file in tmp_path.iterdir()] == ["in.dcm"]


HEADER_FAULTS = {
    "rows": {"Rows": 0},
    "rows that differ": {"Rows": 20},
    "bits stored": {"BitsStored": 17},
    "high bit": {"HighBit": 3},
    "bits allocated": {"BitsAllocated": 13},
    "samples": {"SamplesPerPixel": 2},
    "frames": {"NumberOfFrames": 5},
    "no frames": {"NumberOfFrames": -1},
    "absurd": {"Rows": 65535, "Columns": 65535},
    "absurd frames": {"NumberOfFrames": 2000000000},
}


@pytest.mark.parametrize("fault", HEADER_FAULTS)
@pytest.mark.parametrize("direction", ["decode", "encode"])
def test_a_nonsense_image_description_is_one_clean_error(
    transcoder: Transcoder, tmp_path: Path, fault: str, direction: str
) -> None:
    kind = Kind(12, 16)
    path = tmp_path / "in.dcm"
    if direction == "decode":
        compressed(path, kind, LOSSLESS_SV1)
    else:
        write(path, data_set(kind, kind.pixels()))
    ds = read_file(path)
    for keyword, value in HEADER_FAULTS[fault].items():
        setattr(ds, keyword, value)
    write(path, ds, LOSSLESS_SV1 if direction == "decode" else EXPLICIT)
    with pytest.raises(CannotTranscode):
        transcoder.transcode(path, EXPLICIT if direction == "decode" else J2K_LOSSLESS, tmp_path / "out")


def test_an_object_without_pixels_is_not_compressed_but_becomes_native(transcoder: Transcoder, tmp_path: Path) -> None:
    ds = data_set(KINDS[0], KINDS[0].pixels())
    path = write(tmp_path / "in.dcm", ds)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"\xe0\x7f\x10\x00")])
    with pytest.raises(CannotTranscode, match="no Pixel Data"):
        transcoder.transcode(path, J2K_LOSSLESS, tmp_path / "out")
    transcoder.transcode(path, IMPLICIT, tmp_path / "out")
    assert "PixelData" not in read_result(tmp_path / "out", IMPLICIT)


def test_32_bit_samples_never_meet_big_endian(transcoder: Transcoder, tmp_path: Path) -> None:
    kind = Kind(32, 32)
    path = write(tmp_path / "in.dcm", data_set(kind, kind.pixels()))
    with pytest.raises(CannotTranscode, match="word order"):
        transcoder.transcode(path, BIG_ENDIAN, tmp_path / "out")
    transcoder.transcode(path, IMPLICIT, tmp_path / "out")
    assert_same_object(read_result(tmp_path / "out", IMPLICIT), kind, kind.pixels())


@pytest.mark.parametrize("content", [b"", bytes(200), bytes(128) + b"DICM"])
def test_what_is_no_part_10_file_is_one_clean_error(transcoder: Transcoder, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.dcm").write_bytes(content)
    with pytest.raises(CannotTranscode):
        transcoder.transcode(tmp_path / "in.dcm", EXPLICIT, tmp_path / "out")


def test_a_missing_file_and_a_missing_folder_are_clean_errors(transcoder: Transcoder, tmp_path: Path) -> None:
    with pytest.raises(CannotTranscode):
        transcoder.transcode(tmp_path / "none", EXPLICIT, tmp_path / "out")
    path = write(tmp_path / "in.dcm", data_set(KINDS[0], KINDS[0].pixels()))
    with pytest.raises(CannotTranscode):
        transcoder.transcode(path, IMPLICIT, tmp_path / "none" / "out")


def test_an_unknown_way_is_refused_without_a_child(tmp_path: Path) -> None:
    path = write(tmp_path / "in.dcm", data_set(KINDS[0], KINDS[0].pixels()))
    with Transcoder() as idle:
        with pytest.raises(CannotTranscode, match="no loss-free way"):
            idle.transcode(path, J2K, tmp_path / "out")
        assert idle.pids == ()


MUTATED = {
    BASELINE: Kind(8, 8),
    EXTENDED: Kind(12, 16),
    LOSSLESS: Kind(12, 16),
    LOSSLESS_SV1: Kind(8, 8, colour="RGB"),
    J2K_LOSSLESS: Kind(12, 16, signed=True),
    J2K: Kind(12, 16),
    JPEG_LS: Kind(12, 16),
    RLE: Kind(12, 16),
}


@pytest.mark.parametrize("source", MUTATED)
def test_mutated_objects_are_decoded_or_refused_and_nothing_else(
    transcoder: Transcoder, tmp_path: Path, source: str
) -> None:
    random = np.random.default_rng(7)
    kind = MUTATED[source]
    path = tmp_path / "in.dcm"
    if source in ENCODERS:
        compressed(path, kind, source)
    else:
        pixels = kind.pixels()
        write_encapsulated(path, data_set(kind, pixels), [foreign_stream(pixels[0], kind, source)], source)
    transcoder.transcode(path, EXPLICIT, tmp_path / "out")
    whole = path.read_bytes()
    start = whole.index(b"\xe0\x7f\x10\x00")
    refused = 0
    for _ in range(200):
        damaged = bytearray(whole)
        for position in random.integers(start, len(whole), random.integers(1, 12)):
            damaged[position] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            transcoder.transcode(path, EXPLICIT, tmp_path / "out")
        except CannotTranscode as error:
            refused += 1
            assert "unexpected" not in error.reason
    assert refused


def test_mutated_headers_are_copied_or_refused_and_nothing_else(transcoder: Transcoder, tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    path = write(tmp_path / "in.dcm", data_set(KINDS[1], KINDS[1].pixels()))
    whole = path.read_bytes()
    for _ in range(300):
        damaged = bytearray(whole)
        for position in random.integers(132, 900, random.integers(1, 6)):
            damaged[position] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            transcoder.transcode(path, J2K_LOSSLESS, tmp_path / "out")
        except CannotTranscode as error:
            assert "unexpected" not in error.reason


def large(path: Path) -> Path:
    """An object that takes the child a while."""
    kind = Kind(16, 16, frames=12, rows=1024, columns=1024)
    return write(path, data_set(kind, kind.pixels()))


def test_a_killed_child_costs_one_error(tmp_path: Path) -> None:
    slow, quick = large(tmp_path / "slow.dcm"), write(tmp_path / "in.dcm", data_set(KINDS[0], KINDS[0].pixels()))
    with Transcoder() as fresh:
        fresh.transcode(quick, IMPLICIT, tmp_path / "first")
        (first,) = fresh.pids
        kill = threading.Timer(0.3, os.kill, (first, signal.SIGKILL))
        kill.start()
        with pytest.raises(CannotTranscode, match="SIGKILL"):
            fresh.transcode(slow, J2K_LOSSLESS, tmp_path / "second")
        kill.join()
        fresh.transcode(quick, IMPLICIT, tmp_path / "third")
        assert fresh.pids != (first,)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["first", "in.dcm", "slow.dcm", "third"]


def test_a_child_that_died_between_jobs_costs_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "in.dcm", data_set(KINDS[0], KINDS[0].pixels()))
    with Transcoder() as fresh:
        fresh.transcode(path, IMPLICIT, tmp_path / "out")
        (pid,) = fresh.pids
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}/stat").read_text("ascii").split()[2] != "Z":
            time.sleep(0.01)
        fresh.transcode(path, IMPLICIT, tmp_path / "out")


def test_a_job_beyond_its_deadline_is_ended(tmp_path: Path) -> None:
    slow = large(tmp_path / "slow.dcm")
    with Transcoder(TranscodeLimits(timeout_s=0.5, seconds_per_mebibyte=0)) as hurried:
        with pytest.raises(CannotTranscode, match="longer than"):
            hurried.transcode(slow, J2K_LOSSLESS, tmp_path / "out")
        assert hurried.pids == ()
    assert [file.name for file in tmp_path.iterdir()] == ["slow.dcm"]


def test_a_child_short_of_memory_costs_one_error(tmp_path: Path) -> None:
    kind = Kind(16, 16, rows=512, columns=512)
    path = write(tmp_path / "in.dcm", data_set(kind, kind.pixels()))
    # Below what it holds already: what a frame takes beyond its need is the allocator's affair.
    with Transcoder(TranscodeLimits(memory_bytes=-(64 << 20))) as poor, pytest.raises(CannotTranscode):
        poor.transcode(path, J2K_LOSSLESS, tmp_path / "out")


def test_a_deflate_bomb_is_refused_at_the_limit(tmp_path: Path) -> None:
    kind = Kind(8, 8, rows=2000, columns=2000)
    path = write(tmp_path / "in.dcm", data_set(kind, np.zeros((1, 2000, 2000), "u1")), DEFLATED)
    strict = TranscodeLimits(object_bytes=1 << 20)
    with Transcoder(strict) as small, pytest.raises(CannotTranscode, match="larger than the limit"):
        small.transcode(path, EXPLICIT, tmp_path / "out")
    path.write_bytes(path.read_bytes()[:-600])
    with Transcoder() as open_minded, pytest.raises(CannotTranscode, match="truncated"):
        open_minded.transcode(path, EXPLICIT, tmp_path / "out")


def test_a_closed_transcoder_refuses_and_leaves_no_process(tmp_path: Path) -> None:
    path = write(tmp_path / "in.dcm", data_set(KINDS[0], KINDS[0].pixels()))
    transcoder = Transcoder()
    transcoder.transcode(path, IMPLICIT, tmp_path / "out")
    (pid,) = transcoder.pids
    transcoder.close()
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(CannotTranscode, match="closed"):
        transcoder.transcode(path, IMPLICIT, tmp_path / "out")


def test_threads_share_the_children(tmp_path: Path) -> None:
    path = write(tmp_path / "in.dcm", data_set(KINDS[1], KINDS[1].pixels()))
    failures: list[Exception] = []
    with Transcoder(children=2) as shared:

        def work(number: int) -> None:
            try:
                for _ in range(5):
                    shared.transcode(path, LOSSLESS_SV1, tmp_path / f"out{number}")
            except CannotTranscode as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(shared.pids) <= 2
    assert failures == []
    assert len({(tmp_path / f"out{number}").read_bytes() for number in range(6)}) == 1


def test_this_process_loads_no_codec() -> None:
    code = "import sys, radfuse.dicom.transcode; print('imagecodecs' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "False"
