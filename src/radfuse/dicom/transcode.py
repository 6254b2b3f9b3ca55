"""Objects put into a transfer syntax that the peer accepts, without loss, in a child process.

The codecs are C and C++ on input from anywhere: this process never loads one and never holds an
object. A child that crashes, hangs or eats memory costs one ``CannotTranscode``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import CannotTranscode, OutOfSpace
from radfuse.core.transfer_syntaxes import (
    DEFLATED_LITTLE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
)
from radfuse.dicom.blanking import Blanking
from radfuse.dicom.codecs.element_stream import read_file_meta
from radfuse.dicom.codecs.interchange import are_interchange_format
from radfuse.dicom.codecs.process import ChildDied, ChildProcess
from radfuse.dicom.codecs.refused import Refused
from radfuse.dicom.tree import read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from radfuse.dicom.elements import DataSetBuffer

__all__ = [
    "LOSSLESS",
    "LOSSY",
    "NATIVE",
    "Blanking",
    "TranscodeLimits",
    "Transcoder",
    "can_transcode",
    "is_interchange_format",
]

RLE_LOSSLESS: Final = "1.2.840.10008.1.2.5"
JPEG_LS_LOSSLESS: Final = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR_LOSSLESS: Final = "1.2.840.10008.1.2.4.81"

NATIVE: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED_LITTLE})
LOSSLESS: Final = frozenset(
    {JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_2000_LOSSLESS, RLE_LOSSLESS, JPEG_LS_LOSSLESS},
)
LOSSY: Final = frozenset({JPEG_BASELINE, JPEG_EXTENDED, JPEG_2000, JPEG_LS_NEAR_LOSSLESS})
LOSSY_TARGETS: Final = frozenset({JPEG_BASELINE, JPEG_EXTENDED, JPEG_2000})
COMPRESSED_TARGETS: Final = frozenset({JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_2000_LOSSLESS})

_PIXEL_DATA: Final = 0x7FE0_0010
_FULL: Final = os.strerror(errno.ENOSPC)
_NO_WAY: Final = "there is no loss-free way"
_JOBS_PER_CHILD: Final = 1000
_MEBIBYTE: Final = 1 << 20


def can_transcode(source_syntax: str, target_syntax: str, *, with_loss: bool = False) -> bool:
    """Whether objects of one syntax can be put into the other without loss; one object may still not.

    What has loss already can be put into every syntax without (further) loss. ``with_loss``: whether its images
    can be compressed with loss, which is done once only.
    """
    if with_loss:
        return target_syntax in LOSSY_TARGETS and source_syntax in NATIVE | LOSSLESS
    return target_syntax in NATIVE | COMPRESSED_TARGETS and source_syntax in NATIVE | LOSSLESS | LOSSY


def is_interchange_format(content: DataSetBuffer, start: int, transfer_syntax_uid: str) -> bool:
    """Whether each frame of a JPEG image carries its tables (PS3.11 sections H.3.1 and J.3.1).

    ``content``: explicit VR little endian; its data set begins at ``start``. True where there are no encapsulated
    pixels. Raises MalformedDataSet, NestingTooDeep.
    """
    pixels = read_tree(content, transfer_syntax_uid, start).get(_PIXEL_DATA)
    fragments = (pixels.fragments or [])[1:] if pixels is not None else []
    return are_interchange_format(map(memoryview, fragments), transfer_syntax_uid)


@dataclass(frozen=True, slots=True)
class TranscodeLimits:
    """What one object may cost. The deadline of a job is ``timeout_s`` plus the part for its size.

    ``memory_bytes`` is what the child may hold beyond what its frames need. Image sizes are those
    of native pixels.
    """

    timeout_s: float = 120.0
    seconds_per_mebibyte: float = 1.0
    memory_bytes: int = 2 << 30
    frame_bytes: int = 1 << 30
    object_bytes: int = 8 << 30

    def as_request(self) -> dict[str, int]:
        """What the child needs to know of them."""
        return {
            "memory_bytes": self.memory_bytes,
            "frame_bytes": self.frame_bytes,
            "object_bytes": self.object_bytes,
        }


class Transcoder:
    """Transcodes objects, at most ``children`` at once, in processes started when first needed.

    Thread-safe. Close it (or leave its ``with``) to end the processes.
    """

    def __init__(self, limits: TranscodeLimits | None = None, *, children: int = 1) -> None:
        self._limits = limits or TranscodeLimits()
        self._slots = threading.BoundedSemaphore(children)
        self._lock = threading.Lock()
        self._idle: list[ChildProcess] = []
        self._busy: set[ChildProcess] = set()
        self._is_closed = False

    def __enter__(self) -> Transcoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the running children."""
        with self._lock:
            return tuple(child.pid for child in (*self._idle, *self._busy))

    def transcode(
        self,
        source: Path,
        target_syntax: str,
        destination: Path,
        *,
        derived_uid: str = "",
        blanking: Blanking | None = None,
    ) -> None:
        """Write the data set of the Part 10 file ``source``, in ``target_syntax``, to ``destination``.

        The result has neither preamble nor file meta information and appears whole or not at all.
        With ``derived_uid`` it is compressed with loss, and is an instance of its own of this SOP
        Instance UID (PS3.3 section C.7.6.1.1.5). With ``blanking`` its frames are blanked,
        whatever the two transfer syntaxes. Raises ``CannotTranscode``, and ``OutOfSpace`` where
        the volume of the destination is full.
        """
        source_syntax, size = _look_at(source, target_syntax)
        if not can_transcode(source_syntax, target_syntax, with_loss=bool(derived_uid)):
            raise CannotTranscode(source_syntax, target_syntax, "there is no way" if derived_uid else _NO_WAY)
        partial = destination.with_name(f".{secrets.token_hex(8)}.transcoding")
        limits = self._limits
        deadline_s = limits.timeout_s + limits.seconds_per_mebibyte * size / _MEBIBYTE
        request = {
            "source": os.path.abspath(source),
            "target": target_syntax,
            "destination": os.path.abspath(partial),
            "seconds": deadline_s,
            "derived_uid": derived_uid,
            "blanking": blanking and blanking.as_request(),
            **limits.as_request(),
        }
        try:
            with self._child() as child:
                reason = child.run(request, deadline_s).get("refused")
            if reason is None:
                os.replace(partial, destination)
        except ChildDied as death:
            reason = death.cause
        except OSError as error:
            reason = error.strerror or "a file cannot be written"
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        if reason == _FULL:
            raise OutOfSpace("a transcoded object")
        if reason is not None:
            raise CannotTranscode(source_syntax, target_syntax, reason)

    def close(self) -> None:
        """End all children; jobs under way fail, and so does every later one."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
            for child in self._busy:
                child.terminate()
        for child in idle:
            child.stop()

    @contextlib.contextmanager
    def _child(self) -> Iterator[ChildProcess]:
        """A living child for one job, kept for the next one if it still lives then."""
        with self._slots:
            child = self._take()
            try:
                yield child
            finally:
                self._give_back(child)

    def _take(self) -> ChildProcess:
        with self._lock:
            if self._is_closed:
                raise ChildDied("the transcoder is closed")
            child = self._idle.pop() if self._idle else ChildProcess()
            if not child.is_alive():
                child.kill()
                child = ChildProcess()
            self._busy.add(child)
            return child

    def _give_back(self, child: ChildProcess) -> None:
        with self._lock:
            self._busy.discard(child)
            keep = not self._is_closed and child.jobs < _JOBS_PER_CHILD and child.is_alive()
            if keep:
                self._idle.append(child)
        if not keep:
            child.stop()


def _look_at(source: Path, target_syntax: str) -> tuple[str, int]:
    """(Transfer Syntax UID, size in bytes) of a Part 10 file; raises ``CannotTranscode``."""
    try:
        with source.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            return read_file_meta(stream, size)[0], size
    except Refused as error:
        raise CannotTranscode("an unknown transfer syntax", target_syntax, error.reason) from None
    except OSError as error:
        reason = error.strerror or "the file cannot be read"
        raise CannotTranscode("an unknown transfer syntax", target_syntax, reason) from None
