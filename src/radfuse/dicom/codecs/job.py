"""One object transcoded from a Part 10 file to a bare data set in another transfer syntax."""

from __future__ import annotations

import shutil
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from radfuse.core.transfer_syntaxes import TransferSyntax, syntax_of
from radfuse.dicom.blanking import Blanking
from radfuse.dicom.codecs.base import Limits
from radfuse.dicom.codecs.element_stream import ElementReader, ElementWriter, Encoding, read_file_meta
from radfuse.dicom.codecs.pixel_plan import Job, plan_pixels
from radfuse.dicom.codecs.refused import Refused
from radfuse.dicom.codecs.rewriter import Rewriter
from radfuse.dicom.codecs.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

_CHUNK_BYTES: Final = 1 << 20
_RAW_DEFLATE: Final = -zlib.MAX_WBITS
_LEVEL: Final = 6


def transcode_file(
    source: Path,
    target_syntax: str,
    destination: Path,
    limits: Limits,
    reserve_bytes: Callable[[int], None],
    derived_uid: str = "",
    blanking: Blanking | None = None,
) -> None:
    """Write the data set of ``source`` to ``destination`` in ``target_syntax``; raises ``Refused``.

    ``reserve_bytes`` is called with the memory that the frames will need, before they are read.
    With ``derived_uid`` the target has loss, and the result gets this SOP Instance UID.
    With ``blanking`` its frames are blanked, whatever the two transfer syntaxes.
    """
    target = syntax_of(target_syntax)
    with source.open("rb") as stream, destination.open("wb") as out:
        size = source.stat().st_size
        syntax, start = read_file_meta(stream, size)
        if syntax == target.uid and blanking is None:
            stream.seek(start)
            shutil.copyfileobj(stream, out, _CHUNK_BYTES)
            return
        job = Job(syntax_of(syntax), target, limits, reserve_bytes, derived_uid, blanking)
        if not job.source.deflated:
            _rewrite(job, ElementReader(stream, start, size), out)
            return
        with tempfile.TemporaryFile(dir=destination.parent) as inflated:
            _inflate(stream, start, inflated, limits.object_bytes)
            _rewrite(job, ElementReader(inflated, 0, inflated.tell()), out)


def _rewrite(job: Job, reader: ElementReader, out: BinaryIO) -> None:
    source = _encoding(job.source)
    target = _encoding(job.target)
    start = reader.position
    found = scan(reader, source, reader.end, job.limits)
    if job.target.encapsulated and found.has_other_pixels:
        raise Refused("floating point pixels cannot be compressed")
    plan = plan_pixels(job, reader, found, target)
    reader.seek(start)
    if not job.target.deflated:
        Rewriter(job, reader, ElementWriter(out, target)).object(source, plan, signed=found.is_signed)
        return
    deflating = _DeflatingFile(out)
    writer = ElementWriter(cast("BinaryIO", deflating), target)
    Rewriter(job, reader, writer).object(source, plan, signed=found.is_signed)
    deflating.finish()


def _encoding(syntax: TransferSyntax) -> Encoding:
    return Encoding(syntax.explicit_vr, syntax.little_endian)


def _inflate(stream: BinaryIO, start: int, out: BinaryIO, limit_bytes: int) -> None:
    """Inflate the data set (PS3.5 section A.5) into a file, never beyond the limit."""
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    stream.seek(start)
    pending = b""
    written = 0
    while not inflater.eof:
        pending = pending or stream.read(_CHUNK_BYTES)
        try:
            data = inflater.decompress(pending, _CHUNK_BYTES)
        except zlib.error as error:
            raise Refused("the deflated data set is damaged") from error
        if not data and not pending and not inflater.eof:
            raise Refused("the deflated data set is truncated")
        pending = inflater.unconsumed_tail
        written += len(data)
        if written > limit_bytes:
            raise Refused("the deflated data set is larger than the limit")
        out.write(data)


class _DeflatingFile:
    """The one method of a file that native data sets are written with, deflating (PS3.5 section A.5)."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW_DEFLATE)
        self._length = 0

    def write(self, data: bytes) -> int:
        """Deflate ``data`` and write what comes of it."""
        self._put(self._deflater.compress(data))
        return len(data)

    def finish(self) -> None:
        """Write the end of the stream and its padding to an even length."""
        self._put(self._deflater.flush())
        self._put(bytes(self._length & 1))

    def _put(self, data: bytes) -> None:
        self._length += len(data)
        self._out.write(data)
