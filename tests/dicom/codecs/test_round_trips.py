"""Every codec against the images it must hold, frame by frame and without files."""

from __future__ import annotations

from dataclasses import replace

import imagecodecs
import numpy as np
import pytest

from radfuse.dicom.codecs import jpeg, jpeg_2000, jpeg_ls, rle
from radfuse.dicom.codecs.base import cut_to_stored, fit_container, sign_extended
from radfuse.dicom.codecs.refused import Refused
from radfuse.dicom.codecs.registry import CODECS, decoder_of, encoder_of
from tests.dicom.codecs.images import J2K_LOSSLESS, LOSSLESS_SV1, RLE, Kind, Samples, foreign_stream

GREY = [
    *(Kind(bits, 8) for bits in (2, 5, 8)),
    *(Kind(bits, 16) for bits in (8, 10, 12, 16)),
    *(Kind(bits, 16, signed=True) for bits in (12, 13, 16)),
    Kind(8, 8, signed=True),
    Kind(8, 8, colour="PALETTE COLOR"),
]
COLOUR = [Kind(8, 8, colour="RGB"), Kind(16, 16, colour="RGB"), Kind(8, 8, colour="YBR_FULL")]


def containers(kind: Kind) -> Samples:
    """The first frame as codecs want it."""
    frame = kind.pixels()[0]
    return np.ascontiguousarray(frame).view(f"u{frame.dtype.itemsize}")


@pytest.mark.parametrize("codec", [jpeg, jpeg_2000], ids=["jpeg", "jpeg_2000"])
@pytest.mark.parametrize("kind", [*GREY, *COLOUR], ids=str)
def test_a_frame_survives_lossless_coding(codec: object, kind: Kind) -> None:
    assert codec is jpeg or codec is jpeg_2000
    frame = containers(kind)
    data = codec.encode_frame(frame, kind.description())
    assert np.array_equal(codec.decode_frame(data, kind.description()).samples, frame)


def test_the_jpeg_lossless_stream_is_process_14_with_predictor_1() -> None:
    data = jpeg.encode_frame(containers(Kind(12, 16)), Kind(12, 16).description())
    assert b"\xff\xc3" in data
    scan = data.index(b"\xff\xda")
    assert data[scan + 5 + 2 * data[scan + 4]] == 1


def test_a_ybr_stream_does_not_claim_to_be_rgb() -> None:
    kind = Kind(8, 8, colour="YBR_FULL")
    data = jpeg.encode_frame(containers(kind), kind.description())
    assert b"Adobe" not in data
    assert jpeg.decode_frame(data, kind.description()).photometric == "YBR_FULL"


def test_rgb_goes_into_jpeg_2000_as_ybr_rct_and_comes_out_as_rgb() -> None:
    kind = Kind(8, 8, colour="RGB")
    encoded = replace(kind.description(), photometric="YBR_RCT")
    assert jpeg_2000.encoded_photometric(kind.description()) == "YBR_RCT"
    data = jpeg_2000.encode_frame(containers(kind), kind.description())
    assert jpeg_2000.decode_frame(data, encoded).photometric == "RGB"


@pytest.mark.parametrize("kind", [kind for kind in GREY if kind.bits > 2], ids=str)
def test_jpeg_ls_of_charls_is_read(kind: Kind) -> None:
    frame = containers(kind)
    mask = (1 << kind.bits) - 1
    data = bytes(imagecodecs.jpegls_encode(frame & frame.dtype.type(mask)))
    description = kind.description()
    decoded = jpeg_ls.decode_frame(data, description).samples
    assert np.array_equal(decoded & decoded.dtype.type(mask), frame & frame.dtype.type(mask))


@pytest.mark.parametrize("kind", [Kind(8, 8), Kind(12, 16), Kind(8, 8, colour="RGB")], ids=str)
def test_rle_of_pydicom_is_read(kind: Kind) -> None:
    frame = containers(kind)
    data = foreign_stream(kind.pixels()[0], kind, RLE)
    assert np.array_equal(rle.decode_frame(data, kind.description()).samples, frame)


@pytest.mark.parametrize(
    ("colour", "markers"), [("YBR_FULL", "YCBCR"), ("YBR_FULL_422", "YCBCR"), ("RGB", "RGB"), ("YBR_FULL", "RGB")]
)
def test_lossy_colour_becomes_rgb_whatever_the_stream_is(colour: str, markers: str) -> None:
    y, x = np.mgrid[0:32, 0:32]
    frame = np.stack((x * 8, y * 8, np.full_like(x, 60)), axis=-1).astype("u1")
    data = bytes(imagecodecs.jpeg8_encode(frame, level=98, colorspace="RGB", outcolorspace=markers, subsampling="444"))
    description = Kind(8, 8, colour=colour, rows=32, columns=32).description()
    decoded = jpeg.decode_frame(data, description)
    assert decoded.photometric == "RGB"
    assert np.abs(decoded.samples.astype(int) - frame).max() < 12


def test_a_signed_image_in_an_unsigned_jpeg_2000_stream_keeps_its_sign() -> None:
    kind = Kind(13, 16, signed=True)
    frame = containers(kind)
    stream = bytes(
        imagecodecs.jpeg2k_encode(frame & 0x1FFF, level=0, codecformat="J2K", reversible=True, bitspersample=13)
    )
    assert np.array_equal(jpeg_2000.decode_frame(stream, kind.description()).samples, frame)


def test_an_unsigned_image_in_a_signed_jpeg_2000_stream_stays_unsigned() -> None:
    kind = Kind(12, 16)
    frame = containers(kind)
    signed = ((frame << 4).view("i2") >> 4).astype("i2")
    stream = bytes(imagecodecs.jpeg2k_encode(signed, level=0, codecformat="J2K", reversible=True, bitspersample=12))
    assert np.array_equal(jpeg_2000.decode_frame(stream, kind.description()).samples, frame)


def test_a_jp2_file_in_a_fragment_is_read_too() -> None:
    kind = Kind(8, 8)
    stream = bytes(imagecodecs.jpeg2k_encode(containers(kind), level=0, codecformat="JP2", reversible=True))
    assert jpeg_2000.starts_frame(stream[:8])
    assert np.array_equal(jpeg_2000.decode_frame(stream, kind.description()).samples, containers(kind))


def test_bits_above_bits_stored_are_not_compressed() -> None:
    kind = Kind(12, 16)
    overlay = containers(kind) | np.uint16(0x8000)
    with pytest.raises(Refused, match="above Bits Stored"):
        cut_to_stored(overlay, kind.description())


def test_zeros_above_a_signed_sample_become_its_sign() -> None:
    description = Kind(12, 16, signed=True, rows=1, columns=2).description()
    extended = sign_extended(np.array([[0x0FFF, 0x07FF]], "u2"), description)
    assert extended.tolist() == [[0xFFFF, 0x07FF]]


def test_a_stream_with_more_bits_than_allocated_is_refused() -> None:
    with pytest.raises(Refused, match="Bits Allocated"):
        fit_container(np.zeros((21, 17), "u2"), 12, False, Kind(8, 8).description())


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.__name__)
@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\xff\x4f\xff\x51\x00", bytes(64)])
def test_a_stub_of_a_stream_is_refused(codec: object, data: bytes) -> None:
    assert codec in CODECS
    decoder = next(each for each in CODECS if each is codec)
    with pytest.raises(Refused):
        decoder.decode_frame(data, Kind(8, 8).description())


def test_a_truncated_stream_is_refused_and_not_filled_with_grey() -> None:
    kind = Kind(12, 16)
    for codec in (jpeg, jpeg_2000):
        data = codec.encode_frame(containers(kind), kind.description())
        with pytest.raises(Refused):
            codec.decode_frame(data[: len(data) // 2], kind.description())


def test_a_stream_of_another_size_is_refused_before_it_is_decoded() -> None:
    data = jpeg_2000.encode_frame(containers(Kind(8, 8)), Kind(8, 8).description())
    with pytest.raises(Refused, match="Rows x Columns"):
        jpeg_2000.decode_frame(data, Kind(8, 8, rows=22).description())


def test_read_only_codecs_say_so() -> None:
    for codec in (rle, jpeg_ls):
        assert codec.is_available()
        with pytest.raises(Refused):
            codec.encode_frame(np.zeros((1, 1), "u1"), Kind(8, 8).description())
        with pytest.raises(Refused):
            codec.encoded_photometric(Kind(8, 8).description())


def test_the_registry_finds_codecs_by_transfer_syntax() -> None:
    assert encoder_of(LOSSLESS_SV1) is jpeg
    assert decoder_of(J2K_LOSSLESS) is jpeg_2000
    with pytest.raises(Refused, match="no codec"):
        decoder_of("1.2.3")
