"""Objects full of recognisable values: every attribute of PS3.15 Table E.1-1, at the top and nested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.deid.table import Row, table
from radfuse.dicom import FileMeta, build_file_meta
from radfuse.dicom.tree import Node, Tree, write_tree
from radfuse.dicom.words import encode_text

CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
OUTER: Final = 0x0054_0016
"""Two sequences that the table does not list: Radiopharmaceutical Information, and a code within it."""
INNER: Final = 0x0054_0300
MEANING: Final = 0x0008_0104
_OF_A_DATA_SET: Final = 0x0004


def rows() -> list[Row]:
    """The rows that a data set may hold."""
    return [row for row in table().rows.values() if row.tag >> 16 >= _OF_A_DATA_SET]


def sentinel(tag: int, place: str) -> str:
    """A text that is nowhere else."""
    return f"SECRET{place}{tag:08X}"


def identifying_node(row: Row, place: str) -> Node:
    """An element of this row with a value that can be found again."""
    text, vr = sentinel(row.tag, place), row.vr
    if vr == "SQ":
        return Node(row.tag, vr, items=[Tree({MEANING: Node(MEANING, "LO", text.encode())})])
    if vr == "UI":
        return Node(row.tag, vr, f"1.2.3.{row.tag}.{len(place)}".encode())
    if vr in _NUMBERS:
        return Node(row.tag, vr, _NUMBERS[vr])
    return Node(row.tag, vr or "LO", text[: _LENGTHS.get(vr, 64)].encode())


_NUMBERS: Final = {
    "AS": b"042Y",
    "CS": b"SECRET",
    "DA": b"20231123",
    "DS": b"71.125",
    "DT": b"20231123101112",
    "IS": b"4711",
    "TM": b"101112",
    "US": b"\x2a\x17",
}
_LENGTHS: Final = {"AE": 16, "SH": 16}


def identifying_tree(place: str) -> Tree:
    """Every row's element on one level."""
    return Tree(dict(sorted((row.tag, identifying_node(row, place)) for row in rows())))


def as_file(tree: Tree, sop_class_uid: str = CT_IMAGE, sop_instance_uid: str = "1.2.3.4.5") -> bytes:
    """A Part 10 file of this data set."""
    tree.put(Node(0x0008_0016, "UI", sop_class_uid.encode()))
    tree.put(Node(0x0008_0018, "UI", sop_instance_uid.encode()))
    head = build_file_meta(FileMeta(sop_class_uid, sop_instance_uid, EXPLICIT_LITTLE, "SECRETAE"))
    return b"".join([head, *write_tree(tree, EXPLICIT_LITTLE)])


def everything(sop_instance_uid: str = "1.2.3.4.5") -> bytes:
    """Every attribute at the top, within a sequence, and within a sequence in that; private groups, curve, overlay."""
    deepest = identifying_tree("C")
    middle = identifying_tree("B")
    middle.put(Node(INNER, "SQ", items=[deepest]))
    top = identifying_tree("A")
    top.put(Node(OUTER, "SQ", items=[middle]))
    for node in _groups():
        top.put(node)
    return as_file(top, sop_instance_uid=sop_instance_uid)


def _groups() -> Iterator[Node]:
    yield Node(0x0011_0010, "LO", b"SECRETCREATOR")
    yield Node(0x0011_1001, "LO", b"SECRETPRIVATE")
    yield Node(0x5000_3000, "OW", b"SECRETCURVE ")
    yield Node(0x6000_0010, "US", b"\1\0")
    yield Node(0x6000_3000, "OW", b"SECRETOVERLAY ")
    yield Node(0x6002_4000, "LT", b"SECRETCOMMENT ")


# --- character sets --------------------------------------------------------------------------------

PEOPLE: Final[Mapping[tuple[str, ...], tuple[str, str]]] = {
    (): ("Quillfeather", "Ambrosius"),
    ("ISO_IR 100",): ("Schmölzeröder", "Jürgèn"),
    ("ISO_IR 101",): ("Łętowščák", "Želimír"),
    ("ISO_IR 109",): ("Ĥaĝĵoŭska", "Ċetta"),
    ("ISO_IR 110",): ("Ķēniņšone", "Ģirtsāns"),
    ("ISO_IR 144",): ("Люксембург", "Владимира"),
    ("ISO_IR 127",): ("قباني", "لنزار"),
    ("ISO_IR 126",): ("Διονυσιος", "Παπαδόπουλος"),
    ("ISO_IR 138",): ("שרוןסקי", "דבורהלה"),
    ("ISO_IR 148",): ("Çavuşoğlu", "Işıldağ"),  # noqa: RUF001
    ("ISO_IR 166",): ("ธารทองไทย", "สมศักดิ์"),
    ("ISO_IR 203",): ("Lœuvrešky", "Žéphyrin"),
    ("ISO_IR 13",): ("ﾔﾏﾀﾞｻﾞｷ", "ﾀﾛｳﾏﾙ"),
    ("", "ISO 2022 IR 87"): ("山田崎", "太郎丸"),
    ("", "ISO 2022 IR 149"): ("남궁민", "길동순"),
    ("ISO_IR 192",): ("Wáng小东Łę", "Зинаида"),
    ("GB18030",): ("欧阳王", "小东明"),
}
"""A family and a given name in each of the character sets of PS3.3 section C.12.1.1.2."""

KEPT: Final[Mapping[int, tuple[str, bytes]]] = {
    0x0018_0015: ("CS", b"CHEST "),
    0x0018_0050: ("DS", b"2.5 "),
    0x0018_0060: ("DS", b"120 "),
    0x0018_5100: ("CS", b"HFS "),
    0x0020_0032: ("DS", b"-12.5\\8\\77.25"),
    0x0028_1053: ("DS", b"1.5 "),
}
"""What nobody needs to hide: geometry and how the image was made."""
PIXELS: Final = bytes(range(256)) * 2


def person_at(place: str, terms: tuple[str, ...]) -> Tree:
    """Every row's element, and a person of this character set in names and texts, with private copies."""
    family, given = PEOPLE[terms]
    tree = identifying_tree(place)
    name = encode_text(f"{family}^{given}", terms)
    for tag in (0x0008_0090, 0x0010_0010, 0x0010_1001, 0x0008_1050):
        tree.put(Node(tag, "PN", name))
    texts = {0x0010_4000: "LT", 0x0008_0080: "LO", 0x0010_1040: "LO", 0x0008_1030: "LO", 0x0032_4000: "LT"}
    for tag, vr in texts.items():
        tree.put(Node(tag, vr, encode_text(f"{given} {family}", terms)))
    tree.put(Node(0x0029_0010, "LO", b"SECRETCREATOR"))
    tree.put(Node(0x0029_1001, "PN", name))
    tree.put(Node(0x0029_1002, "UI", b"1.2.3.99.7"))
    for tag, (vr, value) in KEPT.items():
        tree.put(Node(tag, vr, value))
    return tree


def person(terms: tuple[str, ...], sop_instance_uid: str = "1.2.3.4.5") -> bytes:
    """An object of this person at three levels, with pixels."""
    top, middle, deepest = (person_at(place, terms) for place in "ABC")
    middle.put(Node(INNER, "SQ", items=[deepest]))
    top.put(Node(OUTER, "SQ", items=[middle]))
    top.put(Node(0x0008_0005, "CS", "\\".join(terms).encode()))
    top.put(Node(0x0008_0060, "CS", b"CT"))
    pixels = {0x0028_0010: 16, 0x0028_0011: 16, 0x0028_0100: 16, 0x0028_0101: 16, 0x0028_0102: 15, 0x0028_0103: 0}
    for tag, number in {**pixels, 0x0028_0002: 1}.items():
        top.put(Node(tag, "US", number.to_bytes(2, "little")))
    top.put(Node(0x0028_0004, "CS", b"MONOCHROME2 "))
    top.put(Node(0x7FE0_0010, "OW", PIXELS))
    for node in _groups():
        top.put(node)
    return as_file(top, sop_instance_uid=sop_instance_uid)
