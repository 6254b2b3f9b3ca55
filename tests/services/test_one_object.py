"""Objects that pydicom reads: a deflated one that would fill the memory is refused by its name."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from radfuse.core.errors import CannotComputeSUV, InflatedTooLarge, UnreadableObject
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE
from radfuse.dicom import FileMeta, Transcoder, build_file_meta, inflate
from radfuse.dicom.elements import ScanLimits
from radfuse.objects.common import read_native
from radfuse.services.one_object import object_named
from radfuse.volume.suv.reading import read_headers
from tests.dicom.encoded import element

MEBIBYTE = 1024 * 1024
CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
NAME = element(0x00080016, "UI", CLASS.encode() + b"\0") + element(0x00100010, "PN", b"A^")


def written(folder: Path, zeros: int) -> Path:
    """A deflated file with a megabyte of zeros so many times."""
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    start = NAME + element(0x7FE00010, "OW", b"", length=zeros * MEBIBYTE)
    stream = deflater.compress(start) + deflater.flush(zlib.Z_FULL_FLUSH)
    more = deflater.compress(bytes(MEBIBYTE)) + deflater.flush(zlib.Z_FULL_FLUSH)
    path = folder / f"{zeros}.dcm"
    path.write_bytes(
        build_file_meta(FileMeta(CLASS, "2.25.1", DEFLATED_LITTLE)) + stream + more * zeros + deflater.flush()
    )
    return path


def limit_to(mebibytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "_COUNTED", ScanLimits(inflated_bytes=mebibytes * MEBIBYTE, inflated_kept_bytes=0))


def test_a_bomb_is_refused_by_its_name_before_it_is_inflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inflate._COUNTED.inflated_bytes == 512 * MEBIBYTE
    path = written(tmp_path, 400)
    limit_to(64, monkeypatch)
    tracemalloc.start()
    try:
        with pytest.raises(InflatedTooLarge, match="inflates to more than 67108864 bytes"):
            object_named(None, path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * MEBIBYTE


def _native(path: Path) -> object:
    with Transcoder(children=1) as transcoder:
        return read_native(path, transcoder, path.parent)


@pytest.mark.parametrize("read", [lambda path: object_named(None, path), _native])
def test_every_reader_keeps_to_the_limit(
    read: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, 2)
    assert read(path)
    limit_to(1, monkeypatch)
    with pytest.raises(InflatedTooLarge):
        read(path)
    with pytest.raises(CannotComputeSUV, match="inflates to more than"):
        read_headers([path])


def test_what_is_no_deflated_object_is_for_the_reader_to_say(tmp_path: Path) -> None:
    path = tmp_path / "broken"
    for content in (b"no DICOM at all", build_file_meta(FileMeta(CLASS, "2.25.1", DEFLATED_LITTLE)) + b"\xff" * 20):
        path.write_bytes(content)
        with pytest.raises(UnreadableObject):
            object_named(None, path)
