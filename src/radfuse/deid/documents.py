"""Documents within objects: three-dimensional models and CDA are cleaned, a PDF is refused or replaced.

What a PDF shows cannot be judged honestly: text may be drawn, scanned or hidden in layers. A
CDA document keeps the skeleton of its header and the known words of its sections; a model keeps
its geometry.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from radfuse.core.errors import CannotAnonymize
from radfuse.deid.cda import cleaned_cda
from radfuse.deid.options import Option, Profile
from radfuse.dicom.tree import Node, Tree

DOCUMENT: Final = 0x0042_0011
_LENGTH: Final = 0x0042_0015
_MOST_BYTES: Final = 512 << 20
_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_CDA: Final = "1.2.840.10008.5.1.4.1.1.104.2"
_STL: Final = "1.2.840.10008.5.1.4.1.1.104.3"
_OBJ: Final = "1.2.840.10008.5.1.4.1.1.104.4"
_MTL: Final = "1.2.840.10008.5.1.4.1.1.104.5"


@dataclass(frozen=True, slots=True)
class Documents:
    """What is done with a document that cannot be cleaned."""

    replace_unreadable: bool = False
    """Put an empty page in its place that says so, instead of refusing the object."""

    def cleaned(self, tree: Tree, sop_class_uid: str, profile: Profile) -> tuple[Node, ...]:
        """The document as it may leave, and its length. Raises CannotAnonymize."""
        clean = self._clean(tree, sop_class_uid, profile)
        length = Node(_LENGTH, "UL", struct.pack("<I", len(clean)))
        padded = clean + bytes(len(clean) & 1)
        return (Node(DOCUMENT, "OB", padded), *((length,) if tree.get(_LENGTH) is not None else ()))

    def _clean(self, tree: Tree, sop_class_uid: str, profile: Profile) -> bytes:
        if sop_class_uid == _PDF:
            if self.replace_unreadable:
                return EMPTY_PAGE
            raise CannotAnonymize("a PDF cannot be cleaned: it may be replaced by an empty page instead")
        if Option.STRUCTURED_CONTENT not in profile:
            raise CannotAnonymize("it holds a document: the option structured-content cleans it")
        node = tree.get(DOCUMENT)
        if node is None or len(node.value) > _MOST_BYTES:
            raise CannotAnonymize("its document is missing or larger than 512 MiB")
        return CLASSES[sop_class_uid](_of_length(bytes(node.value), tree))


def _of_length(document: bytes, tree: Tree) -> bytes:
    """Without what stands behind its length."""
    raw = tree.raw(_LENGTH)
    said = struct.unpack("<I", raw)[0] if len(raw) == 4 else len(document)
    return document[:said]


# --- models ----------------------------------------------------------------------------------

_STL_HEADER: Final = 80
_STL_FACET: Final = 50
_NUMBER: Final = rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_STL_LINE: Final = re.compile(
    rb"(?:facet normal|vertex)(?:\s+" + _NUMBER + rb"){3}\Z|outer loop\Z|endloop\Z|endfacet\Z|solid\b|endsolid\b"
)
_OBJ_LINE: Final = re.compile(
    rb"(?:v|vn|vt|vp|curv|curv2|surf|parm [uv]|deg|cstype(?: rat)?|s|lod|trim|hole)(?:\s+" + _NUMBER + rb")*\Z"
    rb"|s off\Z|(?:f|l|p)(?:\s+-?\d+(?:/-?\d*){0,2})+\Z|end\Z"
)
_MTL_LINE: Final = re.compile(
    rb"(?:Ka|Kd|Ks|Ke|Tf|Ns|Ni|d|Tr|illum|sharpness|Pr|Pm|Ps|Pc|Pcr)(?:\s+" + _NUMBER + rb")+\Z"
)
_NAMED: Final = frozenset((b"g", b"o", b"usemtl", b"newmtl"))
_MANY: Final = 1 << 16


def _stl(document: bytes) -> bytes:
    """Header and names cleared, facets as they are; anything else is refused."""
    if len(document) >= _STL_HEADER + 4:
        count = struct.unpack_from("<I", document, _STL_HEADER)[0]
        if len(document) - _STL_HEADER - 4 in (count * _STL_FACET, count * _STL_FACET + 1):
            return bytes(_STL_HEADER) + document[_STL_HEADER : _STL_HEADER + 4 + count * _STL_FACET]
    lines = []
    for line in document.rstrip(b"\0 ").splitlines():
        stripped = b" ".join(line.split())
        if stripped and not _STL_LINE.match(stripped):
            raise CannotAnonymize("its model is no STL: there is more in it than facets")
        word = stripped.split(b" ", 1)[0]
        lines.append(word if word in (b"solid", b"endsolid") else stripped)
    return b"\n".join(lines) + b"\n"


def _obj(document: bytes) -> bytes:
    """Geometry as it is; groups, objects and materials numbered; comments and references to files left out."""
    return _lines(document, _OBJ_LINE)


def _mtl(document: bytes) -> bytes:
    """Materials numbered, numbers as they are; maps (files) and comments left out."""
    return _lines(document, _MTL_LINE)


def _lines(document: bytes, kept: re.Pattern[bytes]) -> bytes:
    names: dict[bytes, int] = {}
    lines = []
    for line in document.replace(b"\\\n", b" ").splitlines():
        stripped = b" ".join(line.split())
        word, _, name = stripped.partition(b" ")
        if word in _NAMED:
            if len(names) > _MANY:
                raise CannotAnonymize("its model has too many names")
            lines.append(word + b" part%d" % names.setdefault(name, len(names) + 1))
        elif kept.match(stripped):
            lines.append(stripped)
    return b"\n".join(lines) + b"\n"


# --- the page that stands for a document -----------------------------------------------------------


def _page(text: str) -> bytes:
    """A PDF of one page with one line of text (ISO 32000-1 section 7.5)."""
    drawn = f"BT /F1 14 Tf 72 720 Td ({text}) Tj ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    file, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(file)


EMPTY_PAGE: Final = _page("This document was removed when the object was anonymized.")

CLASSES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    _PDF: lambda document: EMPTY_PAGE,
    _CDA: cleaned_cda,
    _STL: _stl,
    _OBJ: _obj,
    _MTL: _mtl,
}
"""Encapsulated documents (PS3.4 section B.5) and how each is cleaned."""
