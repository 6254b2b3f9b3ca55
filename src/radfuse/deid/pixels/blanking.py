"""Pixels of a tree blanked in the codec's child process, which gets them and nothing else of the object."""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radfuse.core.errors import CannotAnonymize, CannotTranscode
from radfuse.core.transfer_syntaxes import (
    DEFLATED_LITTLE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
)
from radfuse.deid.pixels.picture import PIXEL_DATA, number
from radfuse.deid.pixels.rectangles import Rectangle
from radfuse.dicom import FileMeta, Transcoder, build_file_meta
from radfuse.dicom.transcode import Blanking
from radfuse.dicom.tree import Node, Tree, read_tree, write_tree

_PHOTOMETRIC: Final = 0x0028_0004
_PLANAR: Final = 0x0028_0006
_ROWS, _COLUMNS, _SAMPLES, _FRAMES = 0x0028_0010, 0x0028_0011, 0x0028_0002, 0x0028_0008
_BITS_ALLOCATED, _SIGNED = 0x0028_0100, 0x0028_0103
_PADDING: Final = 0x0028_0120
_SLOPE: Final = 0x0028_1053
_PALETTE: Final = ((0x0028_1101, 0x0028_1201), (0x0028_1102, 0x0028_1202), (0x0028_1103, 0x0028_1203))
"""Descriptors and data of red, green and blue."""
_OFFSET_TABLES: Final = (0x7FE0_0001, 0x7FE0_0002)
_OF_THE_IMAGE: Final = (
    *(_SAMPLES, _PHOTOMETRIC, _PLANAR, _FRAMES, _ROWS, _COLUMNS, _BITS_ALLOCATED, _SIGNED, 0x0028_0101, 0x0028_0102),
    *(*_OFFSET_TABLES, PIXEL_DATA),
)
_EXTREMES: Final = (0x0028_0106, 0x0028_0107, 0x0028_0108, 0x0028_0109, 0x0028_0110, 0x0028_0111)
"""Smallest and largest values: no longer true."""
_LOSSY, _LOSSY_RATIO, _LOSSY_METHOD = 0x0028_2110, 0x0028_2112, 0x0028_2114
_METHODS: Final = {
    JPEG_BASELINE: b"ISO_10918_1",
    JPEG_EXTENDED: b"ISO_10918_1",
    "1.2.840.10008.1.2.4.81": b"ISO_14495_1",
}
"""What is always with loss, and its Lossy Image Compression Method (PS3.3 section C.7.6.1.1.5.1)."""
_LONGEST_NATIVE_BYTES: Final = 1 << 30
_NOWHERE: Final = "2.25.0"
_BRIGHTNESS: Final = (299, 587, 114)
"""Thousandths of luminance of red, green and blue (ITU-R BT.601)."""


@dataclass(frozen=True, slots=True)
class Blanked:
    """What was taken out of the pixels of one object."""

    reason: str
    """What said where."""
    rectangles: tuple[Rectangle, ...]
    frames: int
    overlay_bits: int
    from_transfer_syntax: str
    to_transfer_syntax: str


class Blanker:
    """Blanks the pixels of trees, one at a time. Its child process starts when it is first needed."""

    def __init__(self) -> None:
        self._transcoder = Transcoder()
        # Whoever forgets to close it leaves no process behind.
        self.close = weakref.finalize(self, self._transcoder.close)

    def blank(self, tree: Tree, transfer_syntax_uid: str, rectangles: tuple[Rectangle, ...], bits: int) -> str:
        """Blank Pixel Data in place and return the transfer syntax that the tree now needs.

        Raises CannotAnonymize where the pixels cannot be decoded, blanked and written without loss.
        """
        blanking = blanking_of(tree, transfer_syntax_uid, rectangles, bits)
        target = target_of(tree, transfer_syntax_uid)
        with self._pixels(tree, transfer_syntax_uid, target, blanking) as after:
            for tag in (_PHOTOMETRIC, _PLANAR, PIXEL_DATA):
                node = after.get(tag)
                if node is not None:
                    tree.put(node)
        for tag in (*_OFFSET_TABLES, *_EXTREMES):
            tree.nodes.pop(tag, None)
        if transfer_syntax_uid in _METHODS:
            _keep_loss_true(tree, transfer_syntax_uid)
        return target if transfer_syntax_uid != DEFLATED_LITTLE else DEFLATED_LITTLE

    @contextmanager
    def native(self, tree: Tree, transfer_syntax_uid: str) -> Iterator[Tree]:
        """The image alone, decoded, in explicit VR little endian. Raises CannotAnonymize."""
        with self._pixels(tree, transfer_syntax_uid, EXPLICIT_LITTLE, Blanking()) as decoded:
            yield decoded

    @contextmanager
    def _pixels(self, tree: Tree, syntax: str, target: str, blanking: Blanking) -> Iterator[Tree]:
        """What the child makes of the image; its pixels are a view of a file without a name."""
        image = Tree({tag: tree.nodes[tag] for tag in _OF_THE_IMAGE if tag in tree.nodes})
        image.nodes = dict(sorted(image.nodes.items()))
        source = EXPLICIT_LITTLE if syntax == DEFLATED_LITTLE else syntax
        with tempfile.TemporaryDirectory(prefix="radfuse-pixels-") as folder, tempfile.TemporaryFile() as before:
            before.write(build_file_meta(FileMeta(_NOWHERE, _NOWHERE, source)))
            before.writelines(write_tree(image, source))
            before.flush()
            # What shows a name has none itself, so that it is gone when this process is killed.
            at, after = Path(f"/proc/{os.getpid()}/fd/{before.fileno()}"), Path(folder) / "after"
            try:
                self._transcoder.transcode(at, target, after, blanking=blanking)
            except CannotTranscode as error:
                raise CannotAnonymize(f"its pixels cannot be blanked: {error.reason}") from None
            with after.open("rb") as stream:
                content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        yield read_tree(content, target)


def target_of(tree: Tree, transfer_syntax_uid: str) -> str:
    """The transfer syntax that holds the blanked pixels without loss: the same one wherever it can."""
    if transfer_syntax_uid == DEFLATED_LITTLE:
        return EXPLICIT_LITTLE
    if transfer_syntax_uid in (IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, JPEG_LOSSLESS_SV1, JPEG_2000_LOSSLESS):
        return transfer_syntax_uid
    if transfer_syntax_uid == JPEG_LOSSLESS or native_bytes(tree, transfer_syntax_uid) > _LONGEST_NATIVE_BYTES:
        return JPEG_LOSSLESS_SV1
    return EXPLICIT_LITTLE


def frames_of(tree: Tree) -> int:
    """Number of Frames."""
    text = tree.ascii(_FRAMES).split("\\")[0].strip()
    return int(text) if text.isdigit() else 1


def native_bytes(tree: Tree, transfer_syntax_uid: str) -> int:
    """How long the pixels are without compression."""
    is_big = transfer_syntax_uid == EXPLICIT_BIG
    bits, *factors = (number(tree, tag, is_big) or 1 for tag in (_BITS_ALLOCATED, _ROWS, _COLUMNS, _SAMPLES))
    total = frames_of(tree) * bits // 8
    for factor in factors:
        total *= factor
    return total


def blanking_of(tree: Tree, transfer_syntax_uid: str, rectangles: tuple[Rectangle, ...], bits: int) -> Blanking:
    """What the child is asked: also what is black in this image."""
    is_big = transfer_syntax_uid == EXPLICIT_BIG
    try:
        is_inverted = float(tree.ascii(_SLOPE) or "1") < 0
    except ValueError:
        is_inverted = False
    if tree.ascii(_PHOTOMETRIC) == "PALETTE COLOR":
        return Blanking(rectangles, bits, darkest_entry(tree, is_big))
    return Blanking(rectangles, bits, _padding(tree, is_big), is_inverted)


def _padding(tree: Tree, is_big: bool) -> int | None:
    raw = tree.raw(_PADDING)
    if len(raw) < 2:
        return None
    is_signed = number(tree, _SIGNED, is_big) == 1
    return int.from_bytes(raw[:2], "big" if is_big else "little", signed=is_signed)


def darkest_entry(tree: Tree, is_big: bool) -> int | None:
    """The stored value with the darkest colour of the palette; None when it cannot be read (segmented ones)."""
    palette = palette_luminances(tree, EXPLICIT_BIG if is_big else EXPLICIT_LITTLE)
    if palette is None:
        return None
    first, luminances = palette
    return first + luminances.index(min(luminances))


def palette_luminances(tree: Tree, transfer_syntax_uid: str) -> tuple[int, list[int]] | None:
    """The stored value of the first entry and how bright all are (PS3.3 section C.7.6.3.1.5 and .6)."""
    order = ">" if transfer_syntax_uid == EXPLICIT_BIG else "<"
    channels: list[tuple[int, ...]] = []
    first = 0
    for descriptor, data in _PALETTE:
        raw, values = tree.raw(descriptor), tree.raw(data)
        if len(raw) != 6 or not values:
            return None
        count, first, width = struct.unpack(f"{order}3H", raw)
        count = count or 1 << 16
        if width == 8 and count <= len(values) < 2 * count:
            channels.append(tuple(values[:count]))
        elif len(values) >= 2 * count:
            channels.append(struct.unpack_from(f"{order}{count}H", values))
        else:
            return None
    if len({len(channel) for channel in channels}) != 1:
        return None
    colours = zip(*channels, strict=True)
    return first, [sum(weight * value for weight, value in zip(_BRIGHTNESS, each, strict=True)) for each in colours]


def _keep_loss_true(tree: Tree, transfer_syntax_uid: str) -> None:
    """The loss is not undone by writing without loss: say it where the transfer syntax alone had said it."""
    if tree.ascii(_LOSSY) != "01":
        tree.put(Node(_LOSSY, "CS", b"01"))
    if not tree.ascii(_LOSSY_METHOD):
        tree.put(Node(_LOSSY_METHOD, "CS", _METHODS[transfer_syntax_uid]))
