"""The ten transfer syntaxes, each into each: the same pixels, or refused with the names of both."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom.dataset import Dataset

from radfuse.core.errors import CannotTranscode
from radfuse.core.transfer_syntaxes import TRANSFER_SYNTAXES
from radfuse.dicom.transcode import LOSSLESS as WITHOUT_LOSS
from radfuse.dicom.transcode import LOSSY as WITH_LOSS
from radfuse.dicom.transcode import NATIVE, Transcoder
from tests.dicom.codecs.images import (
    BASELINE,
    EXPLICIT,
    EXTENDED,
    IMPLICIT,
    J2K,
    J2K_LOSSLESS,
    LOSSLESS,
    LOSSLESS_SV1,
    Kind,
    Samples,
    data_set,
    foreign_stream,
    read_result,
    with_meta,
    write,
    write_encapsulated,
)

TEN = tuple(TRANSFER_SYNTAXES)
NEW_UID = "2.25.99"
GREY, DEEP, COLOUR = Kind(8, 8, frames=2), Kind(12, 16, frames=2), Kind(8, 8, colour="RGB")
SIGNED = Kind(16, 16, signed=True)
WIDEST_BITS = {BASELINE: 8, EXTENDED: 12, J2K: 16}


@pytest.fixture(scope="module")
def transcoder() -> Iterator[Transcoder]:
    """One for all."""
    with Transcoder() as running:
        yield running


def stream_of(frame: Samples, kind: Kind, syntax: str) -> bytes:
    """A frame encoded by imagecodecs alone, with nothing of ours between."""
    if syntax in (LOSSLESS, LOSSLESS_SV1):
        # Predictor 4 is one that our own encoder never writes, and .70 must not have.
        predictor = 4 if syntax == LOSSLESS else 1
        return bytes(imagecodecs.jpeg8_encode(frame, lossless=True, predictor=predictor, bitspersample=kind.bits))
    if syntax == J2K_LOSSLESS:
        return bytes(
            imagecodecs.jpeg2k_encode(
                frame, level=0, codecformat="J2K", reversible=True, bitspersample=kind.bits, mct=False
            )
        )
    return foreign_stream(frame, kind, syntax)


def is_lawful(kind: Kind, syntax: str) -> bool:
    """Whether ``stored`` can make such an image."""
    is_jpeg = syntax not in (J2K_LOSSLESS, J2K)
    fits = kind.bits <= WIDEST_BITS.get(syntax, 16) and not (kind.signed and is_jpeg) and kind.samples == 1
    return syntax in NATIVE or fits


def stored(path: Path, kind: Kind, syntax: str) -> Path:
    """A file in ``syntax``."""
    pixels, ds = kind.pixels(), data_set(kind, kind.pixels())
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    if syntax in NATIVE:
        return write(path, ds, syntax)
    return write_encapsulated(path, ds, [stream_of(frame, kind, syntax) for frame in pixels], syntax)


def decoded(transcoder: Transcoder, path: Path, syntax: str, folder: Path) -> tuple[Dataset, Samples]:
    """The object with native pixels, and these as pydicom sees them."""
    target = IMPLICIT if syntax == EXPLICIT else EXPLICIT
    transcoder.transcode(path, target, folder / "native")
    ds = read_result(folder / "native", target)
    return ds, ds.pixel_array


@pytest.mark.parametrize(
    ("source", "kind"),
    [(source, kind) for source in TEN for kind in (GREY, DEEP, COLOUR, SIGNED) if is_lawful(kind, source)],
    ids=str,
)
def test_a_row_of_the_table(transcoder: Transcoder, tmp_path: Path, source: str, kind: Kind) -> None:
    path = stored(tmp_path / "in.dcm", kind, source)
    _, pixels = decoded(transcoder, path, source, tmp_path)
    if source not in WITH_LOSS:
        assert np.array_equal(pixels.reshape(kind.pixels().shape), kind.pixels())
    for target in TEN:
        if target in WITH_LOSS and target != source:
            refused_without_loss(transcoder, path, source, target)
            assert_lossy_cell(transcoder, path, (source, target), kind, pixels)
        elif target != source:
            transcoder.transcode(path, target, tmp_path / "out")
            result = with_meta(tmp_path / "out", target, tmp_path / "out.dcm")
            ds, again = decoded(transcoder, result, target, tmp_path)
            assert np.array_equal(again, pixels), target
            assert ds.SOPInstanceUID == "2.25.4242.1"
            assert ds.LossyImageCompression == ("01" if source in (BASELINE, EXTENDED) else "00")


def refused_without_loss(transcoder: Transcoder, path: Path, source: str, target: str) -> None:
    with pytest.raises(CannotTranscode, match="there is no loss-free way") as caught:
        transcoder.transcode(path, target, path.with_name("out"))
    assert (caught.value.source, caught.value.target) == (source, target)


def assert_lossy_cell(transcoder: Transcoder, path: Path, ways: tuple[str, str], kind: Kind, pixels: Samples) -> None:
    """A cell of a target with loss: another instance close to the first, or refused with the names of both."""
    source, target = ways
    bears = kind.bits <= WIDEST_BITS[target] and not (kind.signed and target != J2K)
    out = path.with_name("lossy")
    if source in WITH_LOSS or not bears:
        with pytest.raises(CannotTranscode) as caught:
            transcoder.transcode(path, target, out, derived_uid=NEW_UID)
        assert (caught.value.source, caught.value.target) == (source, target)
        assert not out.exists()
        return
    transcoder.transcode(path, target, out, derived_uid=NEW_UID)
    ds, again = decoded(transcoder, with_meta(out, target, path.with_name("lossy.dcm")), target, path.parent)
    assert ds.SOPInstanceUID == NEW_UID
    assert ds.LossyImageCompression == "01"
    assert ds.ImageType[0] == "DERIVED"
    error = np.abs(again.astype(np.int64) - pixels.astype(np.int64))
    assert error.mean() < 0.01 * (1 << kind.bits), target


def test_the_ten_are_those_of_the_requirements(conformance_tables: Path) -> None:
    with (conformance_tables / "transfer_syntaxes.csv").open(encoding="utf-8", newline="") as table:
        assert {row["uid"] for row in csv.DictReader(table)} == set(TEN)
    assert set(TEN) <= NATIVE | WITHOUT_LOSS | WITH_LOSS
