"""The number of one pixel: a frame is decoded once, and kept while somebody points at it."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import CannotTranscode, DataSetError, MalformedDataSet, UnreadableObject
from radfuse.core.uids import checked_uid
from radfuse.services.stored_objects import object_of
from radfuse.web.dicomweb.frames import native_frame, require_image
from radfuse.web.dicomweb.headers import BoundedCache, Headers, KnownImage
from radfuse.web.dicomweb.rendering import MAX_FRAME_BITS, lying_values, rendered, stored_values
from radfuse.web.problems import HttpProblem
from radfuse.web.surroundings import WebSurroundings

if TYPE_CHECKING:
    from radfuse.volume import PixelScale
    from radfuse.web.dicomweb.rendering import Pixels

_LARGEST_BYTES: Final = MAX_FRAME_BITS // 8
_KEPT_BYTES: Final = 96 << 20
"""Some ten readers with radiographs, or two hundred with slices."""
_HEADER_BYTES: Final = 8 << 20
_LOCKS: Final = 16
Meaning: TypeAlias = Literal["stored", "rescaled", "table", "real world", "padding", "colour"]
"""How a number came from what is stored."""


@dataclass(frozen=True, slots=True)
class PixelValue:
    """One pixel: one number, or three of red, green and blue; None for what is no number."""

    values: tuple[float | None, ...]
    unit: str
    """"" where the image says none that we know."""
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class _Frame:
    """A decoded frame; ``scale`` is None for one in colour."""

    pixels: Pixels
    scale: PixelScale | None

    def at(self, column: int, row: int) -> PixelValue:
        place = self.pixels[row, column]
        if self.scale is None:
            return PixelValue(tuple(float(sample) for sample in place), "", "colour")
        number, meaning = self.scale.number_of(self.pixels[row : row + 1, column])
        return PixelValue((number if math.isfinite(number) else None,), self.scale.unit, meaning)


class KeptFrames:
    """The decoded frames that were asked last, of all databases, in bounded memory. Thread-safe."""

    def __init__(self) -> None:
        self._frames: BoundedCache[_Frame] = BoundedCache(_KEPT_BYTES, _LARGEST_BYTES)
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    @property
    def size_bytes(self) -> int:
        """Of all that are kept."""
        return self._frames.size_bytes

    def of(self, source: FrameValues, stored: StoredObject, number: int) -> _Frame:
        """A frame, decoded by one thread while others that want it wait. Raises as ``FrameValues.at``."""
        key = stored.blob_id + number.to_bytes(4, "big")
        if (found := self._frames.get(key)) is not None:
            return found
        with self._locks[hash(key) % _LOCKS]:
            if (found := self._frames.get(key)) is not None:
                return found
            found = source.decoded(stored, number)
            self._frames.put(key, found, found.pixels.nbytes)
            return found


class FrameValues:
    """Numbers of the stored pixels of one archive. Thread-safe."""

    def __init__(self, surroundings: WebSurroundings, kept: KeptFrames) -> None:
        self.surroundings = surroundings
        self.headers = Headers(surroundings.archive, _HEADER_BYTES)
        self._kept = kept

    @property
    def archive(self) -> Archive:
        """Where the frames are kept."""
        return self.surroundings.archive

    def at(self, sop_instance_uid: str, number: int, column: int, row: int) -> PixelValue:
        """The pixel at ``column`` and ``row``, from 0, of the frame ``number``, from 1.

        Raises InvalidUID, UnknownEntity, 404 for a frame that there is not, 422 outside of it, BlobMissing,
        BlobDamaged, and UnreadableObject for pixels that cannot be decoded or do not say what they mean.
        """
        stored = object_of(self.archive, checked_uid(sop_instance_uid, "SOP Instance UID"))
        frame = self._kept.of(self, stored, number)
        rows, columns = frame.pixels.shape[:2]
        if not (row < rows and column < columns):
            outside = f"the image has {columns} columns and {rows} rows, counted from 0: ask for a pixel inside of it"
            raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, outside)
        return frame.at(column, row)

    def decoded(self, stored: StoredObject, number: int) -> _Frame:
        """A frame that is not kept. Raises as ``at``."""
        known = require_image(self, stored, [number])
        if known.image.frame_bits > MAX_FRAME_BITS:
            raise UnreadableObject("its frames are too large to be looked at here; save it as a file")
        try:
            return self._decoded(stored, known, number)
        except CannotTranscode as error:
            sentence = f"its pixels cannot be decoded ({error.reason}): have it sent in another transfer syntax"
            raise UnreadableObject(sentence) from error
        except MalformedDataSet as error:
            raise UnreadableObject(f"it is damaged ({error.reason}): get it again from where it came from") from error
        except DataSetError as error:
            raise UnreadableObject(f"it cannot be read: {error}") from error

    def _decoded(self, stored: StoredObject, known: KnownImage, number: int) -> _Frame:
        frame, header = native_frame(self, stored, known, number)
        if _is_colour(header):
            is_plain = _text(header, "00280004") == "RGB"
            return _Frame(
                _own(stored_values(frame, header) if is_plain else rendered(frame, header, number, None)), None
            )
        from radfuse.volume import scale_of

        pixels = _own(lying_values(frame, header))
        return _Frame(pixels, _laid(scale_of(self.archive.path_of(stored), number), header))


def _laid(scale: PixelScale, header: dict[str, Any]) -> PixelScale:
    """With the bits as they lie in the frame that was decoded."""
    if scale.pixels.kind != "i":
        return scale
    allocated, stored, high_bit, sign = (
        _whole(header, tag, otherwise)
        for tag, otherwise in (
            ("00280100", scale.pixels.bits_allocated),
            ("00280101", scale.pixels.bits_stored),
            ("00280102", scale.pixels.bits_stored + scale.pixels.shift - 1),
            ("00280103", int(scale.pixels.signed)),
        )
    )
    return scale.decoded_as(allocated, min(stored, allocated), high_bit, is_signed=sign == 1)


def _is_colour(header: dict[str, Any]) -> bool:
    return _whole(header, "00280002", 1) > 1 or _text(header, "00280004") == "PALETTE COLOR"


def _own(pixels: Pixels) -> Pixels:
    """A view of the frame keeps all of it: three samples are laid side by side, the others stay as they are."""
    import numpy as np

    return np.ascontiguousarray(pixels)


def _text(header: dict[str, Any], tag: str) -> str:
    return str((header.get(tag, {}).get("Value") or [""])[0] or "")


def _whole(header: dict[str, Any], tag: str, otherwise: int) -> int:
    value = (header.get(tag, {}).get("Value") or [None])[0]
    return value if isinstance(value, int) else otherwise
