"""Text found in pixels by an optional program."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw

from radfuse.core.errors import CannotAnonymize, ConfigurationError
from radfuse.deid import Option, Profile, ProjectKey
from radfuse.deid.engine import Anonymizer
from radfuse.deid.pixels import PixelPolicy
from radfuse.deid.pixels.native_frames import gray_frames
from radfuse.deid.pixels.text_reader import TextReader
from radfuse.dicom.tree import Node, Tree
from tests.dicom.codecs.images import RLE, Kind, Samples, data_set, foreign_stream, write, write_encapsulated

PROFILE = Profile(frozenset({Option.PIXELS}))
KEY = ProjectKey(b"a key of the tests that is long enough")
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
needs_program = pytest.mark.skipif(
    not TextReader().is_available(), reason="tesseract is not installed (apt-get install tesseract-ocr)"
)


def screen(text: str = "MUSTERMANN ERIKA", rows: int = 120, columns: int = 320) -> Samples:
    """White letters on black, and a gray disc."""
    image = Image.new("L", (columns, rows))
    draw = ImageDraw.Draw(image)
    draw.text((10, 8), text, fill=255, font_size=18)
    draw.ellipse((200, 60, 250, 110), fill=120)
    return np.asarray(image)


def capture(path: Path, *frames: Samples, syntax: str = "") -> Path:
    pixels = np.stack(frames)
    kind = Kind(8, 8, frames=len(frames), rows=pixels.shape[1], columns=pixels.shape[2])
    ds = data_set(kind, pixels)
    ds.SOPClassUID = SECONDARY_CAPTURE
    if syntax:
        one = Kind(8, 8, rows=kind.rows, columns=kind.columns)
        return write_encapsulated(path, ds, [foreign_stream(frame, one, syntax) for frame in frames], syntax)
    return write(path, ds)


@needs_program
@pytest.mark.parametrize("syntax", ["", RLE])
def test_text_of_any_frame_is_blanked_in_all_and_the_rest_stays(tmp_path: Path, syntax: str) -> None:
    frames = screen(""), screen()
    path = capture(tmp_path / "in.dcm", *frames, syntax=syntax)
    anonymizer = Anonymizer(PROFILE, KEY, pixels=PixelPolicy(reads_text=True))
    try:
        done = anonymizer.anonymize(path.read_bytes())
    finally:
        anonymizer.close()
    after = pydicom.dcmread(io.BytesIO(b"".join(done.pieces))).pixel_array
    assert not after[:, :40].any()
    assert np.array_equal(after[:, 56:], np.stack(frames)[:, 56:])
    assert done.blanked is not None
    assert done.blanked.rectangles
    assert any("may not have been found" in warning for warning in done.warnings)


@needs_program
def test_an_image_without_text_has_no_boxes() -> None:
    assert TextReader().boxes(screen("").astype(np.uint8)) == ()


def test_a_wish_for_the_program_is_refused_at_once_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="tesseract is not installed"):
        Anonymizer(PROFILE, KEY, pixels=PixelPolicy(reads_text=True))


def test_a_program_that_fails_lets_nothing_through(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotAnonymize, match="program failed"):
        TextReader().boxes(screen().astype(np.uint8))


def test_a_program_that_always_finds_text_lets_nothing_through(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "tesseract"
    row = "\\t".join(["5", "1", "1", "1", "1", "1", "4", "4", "9", "9", "88", "NAME"])
    program.write_text(f"#!/bin/sh\nprintf 'level\\n{row}\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotAnonymize, match="text is left"):
        TextReader().boxes(screen().astype(np.uint8))


def test_more_frames_than_are_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    path = capture(tmp_path / "in.dcm", *[screen("", 8, 8)] * 65)
    with pytest.raises(CannotAnonymize, match="at most 64 frames"):
        Anonymizer(PROFILE, KEY, pixels=PixelPolicy(reads_text=True)).anonymize(path.read_bytes())


# --- frames as gray values -----------------------------------------------------------------------


def image(photometric: str, pixels: Samples, samples: int = 1, signed: int = 0) -> Tree:
    rows, columns = pixels.shape[1:3]
    bits = pixels.dtype.itemsize * 8
    values = {0x00280002: samples, 0x00280010: rows, 0x00280011: columns, 0x00280100: bits, 0x00280103: signed}
    nodes = {tag: Node(tag, "US", struct.pack("<H", value)) for tag, value in values.items()}
    nodes[0x00280004] = Node(0x00280004, "CS", photometric.encode())
    nodes[0x00280008] = Node(0x00280008, "IS", str(len(pixels)).encode())
    nodes[0x7FE00010] = Node(0x7FE00010, "OW", pixels.tobytes())
    return Tree(dict(sorted(nodes.items())))


RAMP = np.arange(12).reshape(1, 3, 4)
SCALED = (RAMP[0] * 255 / 11).astype(np.uint8)


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (image("MONOCHROME2", RAMP.astype("<u2")), SCALED),
        (image("MONOCHROME2", RAMP.astype("<i2") - 7, signed=1), SCALED),
        (image("MONOCHROME1", RAMP[:, ::-1, ::-1].astype("u1")), SCALED),
        (image("RGB", np.repeat(RAMP[..., None], 3, axis=3).astype("u1"), 3), SCALED),
        (image("YBR_FULL", np.stack([RAMP, RAMP * 0 + 128, RAMP * 0 + 128], axis=3).astype("u1"), 3), SCALED),
        (image("MONOCHROME2", np.full((1, 3, 4), 9, "u1")), np.zeros((3, 4), np.uint8)),
    ],
)
def test_frames_of_every_kind_become_gray(tree: Tree, expected: Samples) -> None:
    (frame,) = gray_frames(tree, tree)
    assert np.array_equal(frame, expected)


def test_frames_of_subsampled_colour_become_gray() -> None:
    pairs = np.full((1, 3, 4, 2), 128, np.uint8)
    pairs.reshape(-1, 4)[:, :2] = RAMP.reshape(-1, 2)
    tree = image("YBR_FULL_422", pairs, 3)
    assert np.array_equal(next(gray_frames(tree, tree)), SCALED)


def test_frames_of_a_palette_become_as_bright_as_their_colours() -> None:
    tree = image("PALETTE COLOR", RAMP.astype("u1"))
    palette = Tree()
    for tag in (0x00281101, 0x00281102, 0x00281103):
        palette.put(Node(tag, "US", struct.pack("<3H", 12, 0, 16)))
        palette.put(Node(tag + 0x100, "OW", (np.arange(12)[::-1] * 100).astype("<u2").tobytes()))
    assert np.array_equal(next(gray_frames(tree, palette)), SCALED[::-1, ::-1])


def test_single_bits_are_not_read() -> None:
    tree = image("MONOCHROME2", RAMP.astype("u1"))
    tree.put(Node(0x00280100, "US", struct.pack("<H", 1)))
    with pytest.raises(CannotAnonymize, match="single bits"):
        next(gray_frames(tree, tree))
