"""A whole data set as a tree of raw elements: read, changed, written again (PS3.5 section 7).

Nothing is decoded that need not be. Values are views of what was read (a mapped file stays where it
is), so that pixels cost nothing until they are written. What is read and not changed is written with
the same bytes of values; sequences and items come out with defined lengths wherever that says the
same, group lengths (retired, PS3.5 section 7.2) are left out.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeAlias

from radfuse.core.errors import MalformedDataSet, NestingTooDeep
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE, EXPLICIT_BIG, IMPLICIT_LITTLE
from radfuse.dicom.charset import character_sets_of
from radfuse.dicom.dictionary import vr_of
from radfuse.dicom.elements import (
    DEFAULT_LIMITS,
    HEAD_BYTES,
    ITEM,
    ITEM_DELIMITATION,
    KNOWN_VRS,
    LONG_VRS,
    PIXEL_DATA,
    SEQUENCE_DELIMITATION,
    SHORT_VRS,
    UNDEFINED,
    DataSetBuffer,
    ScanLimits,
)
from radfuse.dicom.inflate import inflated

Value: TypeAlias = bytes | memoryview
SPECIFIC_CHARACTER_SET: Final = 0x0008_0005
_LONGEST_SHORT: Final = 0xFFFE
_SQ: Final = "SQ"
_UN: Final = "UN"


@dataclass(slots=True)
class Node:
    """One element. Exactly one of ``value``, ``items`` and ``fragments`` holds its value."""

    tag: int
    vr: str
    value: Value = b""
    """Raw, padding included, in the byte order of the data set."""
    items: list[Tree] | None = None
    """Of a sequence."""
    fragments: list[Value] | None = None
    """Of encapsulated pixel data: the offset table and the fragments (PS3.5 section A.4)."""


@dataclass(slots=True)
class Tree:
    """The elements of one level in the order of their tags, and the character sets that hold in it."""

    nodes: dict[int, Node] = field(default_factory=dict)
    character_sets: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Node]:
        """The elements, lowest tag first."""
        return iter(self.nodes.values())

    def get(self, tag: int) -> Node | None:
        """The element at ``tag``."""
        return self.nodes.get(tag)

    def raw(self, tag: int) -> bytes:
        """The raw value at ``tag``; empty when it is absent or a sequence."""
        node = self.nodes.get(tag)
        return bytes(node.value) if node is not None else b""

    def ascii(self, tag: int) -> str:
        """The value at ``tag`` as text without padding, for VRs of the default repertoire (UI, CS, DA, IS ...)."""
        return self.raw(tag).decode("latin-1").strip(" \0")

    def put(self, node: Node) -> None:
        """Set an element, in its place."""
        is_new = node.tag not in self.nodes
        self.nodes[node.tag] = node
        if is_new and len(self.nodes) > 1:
            self.nodes = dict(sorted(self.nodes.items()))

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """Every element at every level, with its depth."""
        for node in self.nodes.values():
            yield depth, node
            for item in node.items or ():
                yield from item.walk(depth + 1)


def read_tree(
    content: DataSetBuffer, transfer_syntax_uid: str, start: int = 0, limits: ScanLimits | None = None
) -> Tree:
    """The data set that begins at ``start``.

    Raises MalformedDataSet for what cannot be understood, an unknown VR too; NestingTooDeep,
    InflatedTooLarge.
    """
    limits = limits or DEFAULT_LIMITS
    if transfer_syntax_uid == DEFLATED_LITTLE:
        whole = replace(limits, inflated_kept_bytes=limits.inflated_bytes)
        content, start = inflated(content, start, whole)[0], 0
    view = memoryview(content)
    is_big = transfer_syntax_uid == EXPLICIT_BIG
    reader = _Reader(view, start, is_big, limits)
    return reader.level(start, _Scope(len(view), transfer_syntax_uid != IMPLICIT_LITTLE))[0]


class _Head(NamedTuple):
    """An element's header, and where its value begins."""

    tag: int
    vr: str
    length: int
    at: int

    @property
    def name(self) -> str:
        """The tag for people."""
        return f"element ({self.tag >> 16:04X},{self.tag & 0xFFFF:04X})"


class _Scope(NamedTuple):
    """What holds for the elements of a level."""

    end: int
    explicit: bool
    character_sets: tuple[str, ...] = ()
    depth: int = 0
    is_open: bool = False
    """Whether it ends with a delimitation, at the latest at ``end``."""


@dataclass(slots=True)
class _Reader:
    """Reads levels of one buffer."""

    view: memoryview
    start: int
    is_big: bool
    limits: ScanLimits
    count: int = 0

    def _broken(self, reason: str, position: int) -> MalformedDataSet:
        return MalformedDataSet(reason, position - self.start)

    def level(self, position: int, scope: _Scope) -> tuple[Tree, int]:
        """The elements of a level that begins at ``position``, and the position behind them."""
        if scope.depth > self.limits.nesting:
            raise NestingTooDeep(self.limits.nesting)
        tree = Tree({}, scope.character_sets)
        nodes, last, is_sorted = tree.nodes, -1, True
        while position < scope.end:
            head = self._head(position, scope)
            if head.tag == ITEM_DELIMITATION and scope.is_open:
                break
            if head.tag in nodes:
                raise self._broken(f"{head.name} is there twice", position)
            is_sorted, last = is_sorted and head.tag > last, head.tag
            node, position = self._element(head, scope)
            if head.tag & 0xFFFF == 0:
                continue
            nodes[head.tag] = node
            if head.tag == SPECIFIC_CHARACTER_SET:
                tree.character_sets = character_sets_of(bytes(node.value))
                scope = scope._replace(character_sets=tree.character_sets)
        else:
            if scope.is_open:
                raise self._broken("an item has no end", position)
            head = None
        if not is_sorted:
            tree.nodes = dict(sorted(nodes.items()))
        return tree, head.at if head is not None else position

    def _head(self, position: int, scope: _Scope) -> _Head:
        self.count += 1
        if self.count > self.limits.elements:
            raise self._broken(f"there are more than {self.limits.elements} elements", position)
        view, big = self.view, self.is_big
        if position + HEAD_BYTES > scope.end:
            raise self._broken("the data set ends within an element", position)
        group, element = _PAIR[big](view, position)
        tag = group << 16 | element
        if group == 0xFFFE or not scope.explicit:
            vr = "" if group == 0xFFFE else vr_of(tag)
            return _Head(tag, vr, _LONG[big](view, position + 4)[0], position + HEAD_BYTES)
        vr_bytes = bytes(view[position + 4 : position + 6])
        if vr_bytes in SHORT_VRS:
            return _Head(tag, vr_bytes.decode(), _SHORT[big](view, position + 6)[0], position + HEAD_BYTES)
        if vr_bytes not in LONG_VRS:
            raise self._broken(f"element ({group:04X},{element:04X}) has no VR of the standard", position)
        if position + 12 > scope.end:
            raise self._broken("the data set ends within an element", position)
        return _Head(tag, vr_bytes.decode(), _LONG[big](view, position + 8)[0], position + 12)

    def _element(self, head: _Head, scope: _Scope) -> tuple[Node, int]:
        tag, vr, length, at = head
        if tag >> 16 == 0xFFFE:
            raise self._broken("a delimiter stands where an element should be", at - HEAD_BYTES)
        if length == UNDEFINED:
            return self._open_element(head, scope)
        behind = at + length
        if behind > scope.end:
            raise self._broken(f"{head.name} is longer than what holds it", at)
        if vr == _SQ:
            items, _ = self._items(at, scope._replace(end=behind, is_open=False))
            return Node(tag, _SQ, items=items), behind
        if vr == _UN and scope.explicit and vr_of(tag) == _SQ:
            # A sequence that passed through a system which did not know its VR: implicit VR inside.
            with contextlib.suppress(MalformedDataSet):
                items, _ = self._items(at, scope._replace(end=behind, explicit=False, is_open=False))
                return Node(tag, _SQ, items=items), behind
        return Node(tag, vr, self.view[at:behind]), behind

    def _open_element(self, head: _Head, scope: _Scope) -> tuple[Node, int]:
        """One without a length."""
        if head.vr in ("OB", "OW") and head.tag == PIXEL_DATA and scope.explicit:
            fragments, behind = self._fragments(head.at, scope)
            return Node(head.tag, head.vr, fragments=fragments), behind
        if head.vr not in (_SQ, _UN):
            raise self._broken(f"{head.name} has no length", head.at)
        # UN without a length is a sequence in implicit VR little endian (PS3.5 section 6.2.2 note 4).
        explicit = scope.explicit and head.vr == _SQ
        items, behind = self._items(head.at, scope._replace(explicit=explicit, is_open=True))
        return Node(head.tag, _SQ, items=items), behind

    def _items(self, position: int, scope: _Scope) -> tuple[list[Tree], int]:
        """The items of a sequence that ends as ``scope`` says."""
        items: list[Tree] = []
        while position < scope.end:
            head = self._head(position, scope)
            if head.tag == SEQUENCE_DELIMITATION and scope.is_open:
                return items, head.at
            if head.tag != ITEM:
                raise self._broken("something other than an item stands in a sequence", position)
            is_open = head.length == UNDEFINED
            end = scope.end if is_open else head.at + head.length
            if end > scope.end:
                raise self._broken("an item is longer than its sequence", position)
            inner = scope._replace(end=end, depth=scope.depth + 1, is_open=is_open)
            item, position = self.level(head.at, inner)
            items.append(item)
        if scope.is_open:
            raise self._broken("a sequence has no end", position)
        return items, position

    def _fragments(self, position: int, scope: _Scope) -> tuple[list[Value], int]:
        fragments: list[Value] = []
        while position < scope.end:
            head = self._head(position, scope)
            if head.tag == SEQUENCE_DELIMITATION:
                return fragments, head.at
            behind = head.at + head.length
            if head.tag != ITEM or head.length == UNDEFINED or behind > scope.end:
                raise self._broken("the fragments of the pixel data are broken", position)
            fragments.append(self.view[head.at : behind])
            position = behind
        raise self._broken("the pixel data have no end", position)


_PAIR: Final = (struct.Struct("<HH").unpack_from, struct.Struct(">HH").unpack_from)
_LONG: Final = (struct.Struct("<I").unpack_from, struct.Struct(">I").unpack_from)
_SHORT: Final = (struct.Struct("<H").unpack_from, struct.Struct(">H").unpack_from)


# --- writing ---------------------------------------------------------------------------------


def write_tree(tree: Tree, transfer_syntax_uid: str) -> list[Value]:
    """The encoded data set as pieces to be written one after the other.

    The values must be in the byte order of the transfer syntax: that which was read. Raises
    MalformedDataSet for a value that is too long for its VR.
    """
    is_big = transfer_syntax_uid == EXPLICIT_BIG
    pieces: list[Value] = []
    _write(tree, pieces, transfer_syntax_uid != IMPLICIT_LITTLE, ">" if is_big else "<")
    if transfer_syntax_uid != DEFLATED_LITTLE:
        return pieces
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = b"".join([*(deflater.compress(piece) for piece in pieces), deflater.flush()])
    return [deflated + bytes(len(deflated) & 1)]


def _write(tree: Tree, pieces: list[Value], explicit: bool, order: str) -> int:
    """Append the level; its length."""
    total = 0
    for node in tree.nodes.values():
        body: list[Value] = []
        is_open = node.fragments is not None
        if node.items is not None:
            length = sum(_write_item(item, body, explicit, order) for item in node.items)
            if not explicit and vr_of(node.tag) != _SQ:
                # Without a VR only the missing length says that this is a sequence.
                is_open = True
                body.append(struct.pack(f"{order}HHI", 0xFFFE, 0xE0DD, 0))
                length += 8
        elif node.fragments is not None:
            length = _write_fragments(node.fragments, body, order)
        else:
            length = len(node.value)
            body.append(node.value)
            if length & 1:
                body.append(b"\0" if node.vr in _NULL_PADDED else b" ")
                length += 1
        head = _head_of(node, UNDEFINED if is_open else length, explicit, order)
        pieces.append(head)
        pieces += body
        total += len(head) + length
    return total


def _write_item(item: Tree, pieces: list[Value], explicit: bool, order: str) -> int:
    body: list[Value] = []
    length = _write(item, body, explicit, order)
    pieces.append(struct.pack(f"{order}HHI", 0xFFFE, 0xE000, length))
    pieces += body
    return length + 8


def _write_fragments(fragments: list[Value], pieces: list[Value], order: str) -> int:
    total = 0
    for fragment in fragments:
        length = len(fragment) + (len(fragment) & 1)
        pieces += (struct.pack(f"{order}HHI", 0xFFFE, 0xE000, length), fragment)
        if len(fragment) & 1:
            pieces.append(b"\0")
        total += length + 8
    pieces.append(struct.pack(f"{order}HHI", 0xFFFE, 0xE0DD, 0))
    return total + 8


def _head_of(node: Node, length: int, explicit: bool, order: str) -> bytes:
    group, element = node.tag >> 16, node.tag & 0xFFFF
    if not explicit:
        return struct.pack(f"{order}HHI", group, element, length)
    vr = node.vr.encode("ascii")
    if vr in LONG_VRS:
        return struct.pack(f"{order}HH2sHI", group, element, vr, 0, length)
    if vr not in KNOWN_VRS:
        raise MalformedDataSet(f"{node.vr!r} is no VR", 0)
    if length > _LONGEST_SHORT:
        # What was read from implicit VR may be longer than the VR's header can say (PS3.5 section 6.2.2 note 5).
        return struct.pack(f"{order}HH2sHI", group, element, b"UN", 0, length)
    return struct.pack(f"{order}HH2sH", group, element, vr, length)


_NULL_PADDED: Final = frozenset(("OB", "UI", "UN"))
