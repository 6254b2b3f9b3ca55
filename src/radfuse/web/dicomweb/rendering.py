"""Stored frames as people see them: grey values windowed, colours as RGB (PS3.4 annex N, PS3.3 section C.11)."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from radfuse.core.errors import MalformedDataSet
from radfuse.web.problems import bad_request

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?\Z", re.ASCII)
_FUNCTIONS: Final = frozenset(("linear", "linear-exact", "sigmoid"))
MAX_SIDE: Final = 4096
MAX_FRAME_BITS: Final = 8 * (48 << 20)
"""A larger frame is not rendered: memory is bounded."""
_BAND_ROWS: Final = 256
_SAMPLED_SIDE: Final = 512


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI LUT function (PS3.3 section C.11.2.1.2)."""

    center: float
    width: float
    function: str = "linear"

    @classmethod
    def parse(cls, text: str) -> Window:
        """From the query parameter ``center,width,function``. Raises 400."""
        parts = text.split(",")
        if len(parts) not in (2, 3) or not all(_NUMBER.match(each) for each in parts[:2]):
            raise bad_request("window is not center,width,function")
        function = parts[2].lower() if len(parts) == 3 else "linear"
        width = float(parts[1])
        if function not in _FUNCTIONS or width <= 0 or (function == "linear" and width < 1):
            raise bad_request("window has an unknown function or no width")
        return cls(float(parts[0]), width, function)

    def apply(self, values: Pixels) -> Pixels:
        """Grey values as 0 to 1."""
        import numpy as np

        if self.function == "sigmoid":
            exponent = np.clip(-4 * (values - self.center) / self.width, -60, 60)
            return np.asarray(1 / (1 + np.exp(exponent)))
        if self.function == "linear-exact":
            return np.clip((values - self.center) / self.width + 0.5, 0, 1)
        return np.clip((values - (self.center - 0.5)) / max(self.width - 1, 1e-6) + 0.5, 0, 1)


@dataclass(frozen=True, slots=True)
class Viewport:
    """The size of the image and the part of the source that it shows (PS3.18 section 8.3.5.1.3)."""

    width: int
    height: int
    region: tuple[int, int, int, int] | None = None

    @classmethod
    def parse(cls, text: str) -> Viewport:
        """From the query parameter ``vw,vh[,sx,sy,sw,sh]``. Raises 400."""
        parts = text.split(",")
        numbers = [int(float(each)) if _NUMBER.match(each) else (0 if not each else -1) for each in parts]
        if len(parts) not in (2, 6) or not all(0 < each <= MAX_SIDE for each in numbers[:2]):
            raise bad_request(f"viewport is not width,height of 1 to {MAX_SIDE}")
        region = None
        if len(parts) == 6:
            x, y, width, height = numbers[2:]
            if min(x, y, width, height) < 0:
                raise bad_request("viewport shows a region that is none")
            region = (x, y, width, height)
        return cls(numbers[0], numbers[1], region)

    def apply(self, image: Pixels) -> Pixels:
        """The region, scaled to fit with its shape kept."""
        if self.region is not None:
            x, y, width, height = self.region
            image = image[y : y + height if height else None, x : x + width if width else None]
            if not image.size:
                raise bad_request("viewport shows nothing of the image")
        rows, columns = image.shape[:2]
        scale = min(self.width / columns, self.height / rows)
        return _resized(image, max(round(rows * scale), 1), max(round(columns * scale), 1))


def _resized(image: Pixels, rows: int, columns: int) -> Pixels:
    """Averages where it shrinks, interpolates where it grows; one axis after the other."""
    import numpy as np

    result: Pixels = image.astype(np.float32)
    for axis, size in ((0, rows), (1, columns)):
        old = result.shape[axis]
        if size < old:
            edges = np.linspace(0, old, size + 1)
            starts = np.floor(edges[:-1]).astype(int)
            counts = np.diff(np.append(starts, old))
            shape = [1] * result.ndim
            shape[axis] = size
            result = np.add.reduceat(result, starts, axis=axis) / counts.reshape(shape)
        elif size > old:
            places = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
            low = np.floor(places).astype(int)
            high = np.minimum(low + 1, old - 1)
            shape = [1] * result.ndim
            shape[axis] = size
            part = (places - low).reshape(shape).astype(np.float32)
            result = np.take(result, low, axis) * (1 - part) + np.take(result, high, axis) * part
    return np.asarray(np.clip(result + 0.5, 0, 255).astype(np.uint8))


def rendered(frame: bytes, header: Mapping[str, Any], number: int, window: Window | None) -> Pixels:
    """A native little endian frame as bytes of grey (rows, columns) or RGB (rows, columns, 3).

    ``header`` is the object's DICOM JSON. Raises MalformedDataSet for what is no image.
    """
    import numpy as np

    stored = stored_values(frame, header)
    photometric = str(_first(header, "00280004", "MONOCHROME2"))
    if photometric == "PALETTE COLOR":
        return _palette(stored, header)
    if stored.ndim == 3:
        colours = _eight_bits(stored, header)
        return _rgb_of_ybr(colours) if photometric.startswith("YBR") else colours
    functional = _functional_groups(header, number)
    wanted = window or _own_window(header, functional)
    if wanted is None:
        step = max(max(stored.shape) // _SAMPLED_SIDE, 1)
        wanted = _full_window(_modality_values(stored[::step, ::step], header, functional))
    shown = np.empty(stored.shape, np.uint8)
    for first in range(0, len(stored), _BAND_ROWS):  # the numbers in between are four times as large as the pixels
        band = slice(first, first + _BAND_ROWS)
        grey = wanted.apply(_modality_values(stored[band], header, functional))
        shown[band] = (1 - grey if photometric == "MONOCHROME1" else grey) * 255 + 0.5
    return shown


def _first(header: Mapping[str, Any], tag: str, otherwise: object = None) -> Any:
    values = header.get(tag, {}).get("Value") or [None]
    return otherwise if values[0] is None else values[0]


def stored_values(frame: bytes, header: Mapping[str, Any]) -> Pixels:
    """A native little endian frame as numbers: rows, columns, and samples where there are several.

    ``header`` is the object's DICOM JSON. Raises MalformedDataSet for what is no image.
    """
    return _without_unused_bits(lying_values(frame, header), header)


def lying_values(frame: bytes, header: Mapping[str, Any]) -> Pixels:
    """As ``stored_values``, with whatever stands above Bits Stored."""
    import numpy as np

    rows, columns, samples = (int(_first(header, tag, 1)) for tag in ("00280010", "00280011", "00280002"))
    allocated = int(_first(header, "00280100", 8))
    photometric = str(_first(header, "00280004", ""))
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    count = rows * columns * samples
    if allocated == 1:
        values = np.unpackbits(np.frombuffer(frame, np.uint8), bitorder="little")[:count]
        return values.reshape(shape)
    if "422" in photometric and samples == 3:
        return _from_422(np.frombuffer(frame, np.uint8)[: rows * columns * 2], rows, columns)
    if "7FE00008" in header or "7FE00009" in header:
        kind = "f8" if "7FE00009" in header else "f4"
    elif allocated in (8, 16, 32):
        kind = ("i" if _first(header, "00280103", 0) == 1 else "u") + str(allocated // 8)
    else:
        raise MalformedDataSet("Bits Allocated is not 1, 8, 16 or 32", 0)
    values = np.frombuffer(frame, "<" + kind)[:count]
    if values.size < count:
        raise MalformedDataSet("a frame is shorter than its image", 0)
    if samples > 1 and _first(header, "00280006", 0) == 1:
        return values.reshape(samples, rows, columns).transpose(1, 2, 0)
    return values.reshape(shape)


def _without_unused_bits(values: Pixels, header: Mapping[str, Any]) -> Pixels:
    """What stands above Bits Stored is no part of the value: old images keep overlays there."""
    allocated = values.dtype.itemsize * 8
    stored = int(_first(header, "00280101", allocated))
    unused = allocated - stored
    return values << unused >> unused if values.dtype.kind in "iu" and 0 < unused < allocated else values


def _from_422(data: Pixels, rows: int, columns: int) -> Pixels:
    import numpy as np

    if data.size < rows * columns * 2 or columns % 2:
        raise MalformedDataSet("a frame is shorter than its image", 0)
    pairs = data.reshape(rows, columns // 2, 4)
    result = np.empty((rows, columns, 3), np.uint8)
    result[:, 0::2, 0], result[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    result[..., 1] = np.repeat(pairs[..., 2], 2, axis=1)
    result[..., 2] = np.repeat(pairs[..., 3], 2, axis=1)
    return result


def _eight_bits(values: Pixels, header: Mapping[str, Any]) -> Pixels:
    import numpy as np

    stored = int(_first(header, "00280101", 8))
    return (values >> (stored - 8) if stored > 8 else values).astype(np.uint8)


def _rgb_of_ybr(values: Pixels) -> Pixels:
    """PS3.3 section C.7.6.3.1.2."""
    import numpy as np

    y, blue, red = (values[..., place].astype(np.float32) for place in range(3))
    blue, red = blue - 128, red - 128
    rgb = np.stack((y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue), axis=-1)
    return np.clip(rgb + 0.5, 0, 255).astype(np.uint8)


def _palette(stored: Pixels, header: Mapping[str, Any]) -> Pixels:
    """PS3.3 section C.7.6.3.1.5; only tables that stand in the header as they are."""
    import base64

    import numpy as np

    channels = []
    for descriptor, data in (("00281101", "00281201"), ("00281102", "00281202"), ("00281103", "00281203")):
        entries, first, bits = (header.get(descriptor, {}).get("Value") or [0, 0, 0])[:3]
        raw = base64.b64decode(header.get(data, {}).get("InlineBinary", ""))
        entries = int(entries) or 65536
        table = np.frombuffer(raw, np.uint8 if len(raw) < 2 * entries else "<u2")[:entries]
        if not table.size:
            raise MalformedDataSet("the palette is missing", 0)
        place = np.clip(stored.astype(np.int64) - int(first), 0, table.size - 1)
        wide = table.dtype.itemsize == 2 and (bits == 16 or table.max() > 255)
        channels.append((table >> 8 if wide else table).astype(np.uint8)[place])
    return np.stack(channels, axis=-1)


def _modality_values(stored: Pixels, header: Mapping[str, Any], functional: Mapping[str, Any]) -> Pixels:
    import numpy as np

    slope = _first(functional, "00281053", _first(header, "00281053", 1))
    intercept = _first(functional, "00281052", _first(header, "00281052", 0))
    if not isinstance(slope, int | float) or not isinstance(intercept, int | float):
        slope, intercept = 1, 0
    return np.asarray(stored.astype(np.float32) * slope + intercept)


def _functional_groups(header: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Pixel value transformation and frame VOI LUT of an enhanced image, of this frame or of all."""
    found: dict[str, Any] = {}
    shared = (header.get("52009229", {}).get("Value") or [{}])[0]
    frames = header.get("52009230", {}).get("Value") or []
    own = frames[number - 1] if number <= len(frames) else {}
    for groups in (shared, own):
        for name in ("00289145", "00289132"):
            found.update((groups.get(name, {}).get("Value") or [{}])[0])
    return found


def _own_window(header: Mapping[str, Any], functional: Mapping[str, Any]) -> Window | None:
    for place in (functional, header):
        center, width = _first(place, "00281050"), _first(place, "00281051")
        if isinstance(center, int | float) and isinstance(width, int | float) and width >= 1:
            function = str(_first(place, "00281056", "LINEAR")).lower().replace("_", "-")
            return Window(center, width, function if function in _FUNCTIONS else "linear")
    return None


def _full_window(values: Pixels) -> Window:
    """All values between black and white, strays aside."""
    import numpy as np

    finite = values[np.isfinite(values)]
    low, high = (float(each) for each in np.percentile(finite, (0.5, 99.5))) if finite.size else (0.0, 1.0)
    return Window((low + high) / 2, max(high - low, 1e-6), "linear-exact")


# --- files ---------------------------------------------------------------------------------------


def png(image: Pixels) -> bytes:
    """The image as PNG (ISO/IEC 15948)."""
    import numpy as np

    rows, columns = image.shape[:2]
    lines = np.zeros((rows, 1 + columns * (image.shape[2] if image.ndim == 3 else 1)), np.uint8)
    lines[:, 1:] = image.reshape(rows, -1)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 2 if image.ndim == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 1)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg(image: Pixels, quality: int) -> bytes:
    """The image as baseline JPEG; only our own pixels ever reach this codec."""
    import imagecodecs
    import numpy as np

    return bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(image), level=quality))
