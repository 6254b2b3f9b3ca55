"""One file with an image: what its header says of the pixels, without reading one (PS3.3 section C.7.6.3)."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from radfuse.core.errors import (
    CannotBuildVolume,
    InflatedTooLarge,
    MalformedDataSet,
    NestingTooDeep,
    NotPart10,
)
from radfuse.core.transfer_syntaxes import EXPLICIT_BIG, EXPLICIT_LITTLE, syntax_of
from radfuse.dicom import read_file_meta, tree
from radfuse.dicom.tree import Node
from radfuse.volume.attributes import Attributes

PIXEL_DATA: Final = 0x7FE0_0010
_FLOAT_PIXEL_DATA: Final = 0x7FE0_0008
_DOUBLE_PIXEL_DATA: Final = 0x7FE0_0009
_MOST_PIXELS: Final = 1 << 34
_LOSSY_SYNTAXES: Final = frozenset(
    f"1.2.840.10008.1.2.4.{last}" for last in ("50", "51", "53", "55", "81", "91", "203")
)


@dataclass(frozen=True, slots=True)
class StoredPixels:
    """How the pixels of a file are stored, and where.

    ``offset`` and ``length`` are those of the native Pixel Data in the file, or span its fragments;
    both are 0 when the data set is deflated. ``kind``: i for whole numbers, f for floating point.
    """

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    shift: int
    signed: bool
    photometric: str
    frames: int
    kind: str
    big: bool
    offset: int
    length: int
    is_encapsulated: bool
    is_deflated: bool
    is_lossy: bool
    padding: tuple[int, int] | None
    """The lowest and the highest stored value of what was never measured."""

    @property
    def has_foreign_padding(self) -> bool:
        """Whether Bits Stored cannot hold the padding: then it takes all bits of its pixels."""
        least = -(1 << self.bits_stored - 1) if self.signed else 0
        return self.padding is not None and not (
            least <= self.padding[0] and self.padding[1] < least + (1 << self.bits_stored)
        )

    @property
    def frame_bits(self) -> int:
        """Bits of a native frame."""
        return self.rows * self.columns * self.bits_allocated

    @property
    def swaps(self) -> bool:
        """Whether the native numbers are big endian."""
        return self.big and self.bits_allocated > 8


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file with an image, and which instance it is."""

    path: Path
    transfer_syntax_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str
    modality: str
    frame_uid: str
    units: str
    """Units (0054,1001) of PET and NM."""
    suv_type: str
    """SUV Type (0054,1006)."""
    pixels: StoredPixels


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that gives no slices, and why, as a sentence for a person."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str
    modality: str
    reason: str


def open_header(path: Path) -> tuple[str, Attributes, int]:
    """The transfer syntax and the elements of a file, and the address its bytes are mapped to.

    Raises CannotBuildVolume for a file that cannot be read to its end.
    """
    try:
        with path.open("rb") as stream:
            content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        meta = read_file_meta(content)
        whole = tree.read_tree(content, meta.transfer_syntax_uid, meta.data_offset)
    except (OSError, ValueError):
        raise CannotBuildVolume("a file cannot be read, or is empty") from None
    except NotPart10:
        raise CannotBuildVolume("a file is not DICOM") from None
    except MalformedDataSet as error:
        raise CannotBuildVolume(_why_broken(error.reason)) from None
    except (NestingTooDeep, InflatedTooLarge) as error:
        raise CannotBuildVolume(f"a file cannot be read: {error}") from None
    attributes = Attributes.of(whole, meta.transfer_syntax_uid == EXPLICIT_BIG)
    return meta.transfer_syntax_uid, attributes, _address(content)


def _why_broken(reason: str) -> str:
    if "7FE0,0010" in reason or reason == "the pixel data have no end":
        return "a file is cut off inside its Pixel Data: get the image again from where it came from"
    return f"a file is damaged ({reason}): get the image again from where it came from"


def _address(content: bytes | memoryview | mmap.mmap) -> int:
    address: int = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
    return address


def image_of(path: Path, syntax_uid: str, header: Attributes, base: int) -> ImageFile | Unusable:
    """What the header says of the image in ``path``."""
    identity = (
        header.text(0x0008_0016),
        header.text(0x0008_0018),
        header.text(0x0020_000D),
        header.text(0x0020_000E),
        header.text(0x0008_0060),
    )
    try:
        pixels = _pixels_of(syntax_uid, header, base)
    except CannotBuildVolume as error:
        return Unusable(path, *identity, error.reason)
    told = (header.text(0x0020_0052), header.text(0x0054_1001).upper(), header.text(0x0054_1006).upper())
    return ImageFile(path, syntax_uid, *identity, *told, pixels)


def pixels_of_data_set(path: Path) -> StoredPixels:
    """Of a file that is nothing but a data set in explicit VR little endian. Raises CannotBuildVolume."""
    with path.open("rb") as stream:
        content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    header = Attributes.of(tree.read_tree(content, EXPLICIT_LITTLE), False)
    return _pixels_of(EXPLICIT_LITTLE, header, _address(content))


def _pixels_of(syntax_uid: str, header: Attributes, base: int) -> StoredPixels:
    node, kind = _pixel_node(header)
    rows, columns = header.whole(0x0028_0010), header.whole(0x0028_0011)
    allocated = {"f": 32, "d": 64}.get(kind) or header.whole(0x0028_0100)
    frames = max(header.whole(0x0028_0008, 1), 1)
    if rows < 1 or columns < 1:
        raise CannotBuildVolume("an image has no rows or no columns")
    if allocated not in (1, 8, 16, 32, 64) or rows * columns * frames > _MOST_PIXELS:
        raise CannotBuildVolume("an image says of itself what cannot be (Bits Allocated, or its size)")
    photometric = header.text(0x0028_0004)
    if header.whole(0x0028_0002, 1) != 1:
        raise CannotBuildVolume("the images are in colour: volumes are made of grayscale images")
    stored = header.whole(0x0028_0101, allocated) or allocated
    shift = header.whole(0x0028_0102, stored - 1) - stored + 1
    if not 0 < stored <= allocated or not 0 <= shift <= allocated - stored:
        raise CannotBuildVolume("an image says of itself what cannot be (Bits Stored, High Bit)")
    offset, length = _extent(node, base, syntax_of(syntax_uid).deflated)
    if kind == "i" and allocated > 8 and header.node(0x0028_0103) is None:
        raise CannotBuildVolume("an image does not say whether its numbers have a sign (Pixel Representation)")
    signed = header.whole(0x0028_0103) == 1
    pixels = StoredPixels(
        *(rows, columns, allocated, stored, shift, signed, photometric, frames, kind, header.big, offset, length),
        is_encapsulated=node.fragments is not None,
        is_deflated=syntax_of(syntax_uid).deflated,
        is_lossy=header.text(0x0028_2110) == "01" or syntax_uid in _LOSSY_SYNTAXES,
        padding=_padding(header, signed) if kind == "i" else None,
    )
    if not pixels.is_encapsulated:
        _check_length(pixels, len(node.value))
    return pixels


def _check_length(pixels: StoredPixels, length: int) -> None:
    """Native pixels are as long as they should be, but for padding."""
    needed = (pixels.frame_bits * pixels.frames + 7) // 8
    if length < needed:
        raise CannotBuildVolume("the Pixel Data are shorter than rows, columns and frames say")
    if length - needed >= max(pixels.columns * pixels.bits_allocated // 8, 2):
        raise CannotBuildVolume("the Pixel Data are longer than rows, columns and frames say")


def _pixel_node(header: Attributes) -> tuple[Node, str]:
    for tag, kind in ((PIXEL_DATA, "i"), (_FLOAT_PIXEL_DATA, "f"), (_DOUBLE_PIXEL_DATA, "d")):
        node = header.node(tag)
        if node is not None:
            return node, kind
    raise CannotBuildVolume("there is no Pixel Data")


def _padding(header: Attributes, signed: bool) -> tuple[int, int] | None:
    """Pixel Padding Value and Range Limit (PS3.3 section C.7.5.1.1.2): US or SS, by Pixel Representation."""
    nodes = [header.node(tag) for tag in (0x0028_0120, 0x0028_0121)]
    ends = [
        int.from_bytes(bytes(node.value[:2]), "big" if header.big else "little", signed=signed)
        for node in nodes
        if node is not None and len(node.value) >= 2
    ]
    return (min(ends), max(ends)) if ends and nodes[0] is not None else None


def _extent(node: Node, base: int, is_deflated: bool) -> tuple[int, int]:
    parts = node.fragments if node.fragments is not None else [node.value]
    parts = [part for part in parts if len(part)]
    if is_deflated or not parts:
        return 0, 0
    first = _address(parts[0]) - base
    return first, _address(parts[-1]) - base + len(parts[-1]) - first
