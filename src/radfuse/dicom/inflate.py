"""Deflated data sets, inflated in bounded pieces (PS3.5 section A.5, RFC 1951)."""

from __future__ import annotations

import mmap
import zlib
from pathlib import Path
from typing import Final

from radfuse.core.errors import InflatedTooLarge, MalformedDataSet, NotPart10
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE
from radfuse.dicom.elements import DataSetBuffer, ScanLimits
from radfuse.dicom.part10 import read_file_meta

_INPUT_BYTES: Final = 64 * 1024
_OUTPUT_BYTES: Final = 1024 * 1024
_GZIP_TRAILER_BYTES: Final = 8
_COUNTED: Final = ScanLimits(inflated_kept_bytes=0)


def require_bounded(file: Path | DataSetBuffer) -> None:
    """Before a reader that inflates without a bound, as pydicom: raise InflatedTooLarge where that would be too much.

    Nothing of what is inflated is kept. Whatever else is wrong with the file is for that reader to say; raises OSError.
    """
    if not isinstance(file, Path):
        _require_bounded(file)
    elif file.stat().st_size:
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            _require_bounded(content)


def _require_bounded(content: DataSetBuffer) -> None:
    try:
        meta = read_file_meta(content)
        if meta.transfer_syntax_uid == DEFLATED_LITTLE:
            inflated(content, meta.data_offset, _COUNTED)
    except (NotPart10, MalformedDataSet):
        return


def inflated(buffer: DataSetBuffer, start: int, limits: ScanLimits) -> tuple[bytes, int]:
    """The first ``limits.inflated_kept_bytes`` of the inflated data set, and its whole size in bytes.

    Raises InflatedTooLarge beyond ``limits.inflated_bytes``; MalformedDataSet for a stream that is
    broken, ends early or is followed by more than one pad byte.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    kept = bytearray()
    total = 0
    position = start
    size = len(buffer)
    pending = b""
    while not inflater.eof:
        if not pending:
            pending = bytes(buffer[position : position + _INPUT_BYTES])
            position += len(pending)
        try:
            piece = inflater.decompress(pending, _OUTPUT_BYTES)
        except zlib.error:
            raise MalformedDataSet("the deflated stream is broken", position - start) from None
        if not piece and not pending and not inflater.eof:
            raise MalformedDataSet("the deflated stream ends early", size - start)
        pending = inflater.unconsumed_tail
        total += len(piece)
        if total > limits.inflated_bytes:
            raise InflatedTooLarge(limits.inflated_bytes)
        if len(kept) < limits.inflated_kept_bytes:
            kept += piece[: limits.inflated_kept_bytes - len(kept)]
    trailing = inflater.unused_data[: _GZIP_TRAILER_BYTES + 1] + bytes(
        buffer[position : position + _GZIP_TRAILER_BYTES + 1]
    )
    if trailing not in (b"", b"\0") and not _is_gzip_trailer(trailing, total):
        raise MalformedDataSet("bytes follow the deflated stream", size - start - len(trailing))
    return bytes(kept), total


def _is_gzip_trailer(trailing: bytes, total: int) -> bool:
    """Some writers make the stream by cutting the head, but not the checksum and size (RFC 1952), off a gzip file."""
    return len(trailing) == _GZIP_TRAILER_BYTES and int.from_bytes(trailing[4:], "little") == total & 0xFFFFFFFF
