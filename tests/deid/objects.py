"""Small objects of many kinds, and what comes of them."""

from __future__ import annotations

from radfuse.deid import Option, Profile, ProjectKey
from radfuse.deid.documents import Documents
from radfuse.deid.engine import Anonymized, Anonymizer
from radfuse.dicom import read_file_meta
from radfuse.dicom.tree import Node, Tree, read_tree
from tests.deid.identifying import as_file

KEY = ProjectKey(b"a key of the tests that is long enough")
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
PRESENTATION_STATE = "1.2.840.10008.5.1.4.1.1.11.1"

VALUE_TAGS = {
    "TEXT": (0x0040_A160, "UT"),
    "PNAME": (0x0040_A123, "PN"),
    "DATE": (0x0040_A121, "DA"),
    "TIME": (0x0040_A122, "TM"),
    "DATETIME": (0x0040_A120, "DT"),
    "UIDREF": (0x0040_A124, "UI"),
}


def tree_of(*nodes: Node) -> Tree:
    """A level of these elements."""
    return Tree({node.tag: node for node in sorted(nodes, key=lambda each: each.tag)})


def sequence(tag: int, *items: Tree) -> Node:
    """A sequence of these items."""
    return Node(tag, "SQ", items=list(items))


def text(tag: int, value: str, vr: str = "LO") -> Node:
    """An element of text."""
    return Node(tag, vr, value.encode())


def code(value: str, scheme: str, meaning: str = "a concept") -> Tree:
    """A coded concept."""
    return tree_of(text(0x0008_0100, value, "SH"), text(0x0008_0102, scheme, "SH"), text(0x0008_0104, meaning))


def item(value_type: str, concept: Tree, value: str | Tree = "", *below: Tree) -> Tree:
    """A content item; ``value``: text, or the code of a CODE, or nothing."""
    nodes = [text(0x0040_A040, value_type, "CS"), sequence(0x0040_A043, concept)]
    if isinstance(value, Tree):
        nodes.append(sequence(0x0040_A168 if value_type == "CODE" else 0x0040_A300, value))
    elif value:
        tag, vr = VALUE_TAGS[value_type]
        nodes.append(text(tag, value, vr))
    if below:
        nodes.append(sequence(0x0040_A730, *below))
    return tree_of(*nodes)


def report(*items: Tree, sop_class_uid: str = COMPREHENSIVE_SR) -> bytes:
    """A structured report with these content items."""
    root = item("CONTAINER", code("126000", "DCM", "Imaging Measurement Report"), "", *items)
    return as_file(root, sop_class_uid)


def anonymized(content: bytes, *options: Option, documents: Documents | None = None) -> tuple[Anonymized, Tree]:
    """What comes of it, and its tree read anew from the bytes."""
    done = Anonymizer(Profile(frozenset(options)), KEY, documents=documents).anonymize(content)
    file = b"".join(done.pieces)
    return done, read_tree(file, done.transfer_syntax_uid, read_file_meta(file).data_offset)


def items_of(tree: Tree, tag: int = 0x0040_A730) -> list[Tree]:
    """The items of a sequence; none when it is absent."""
    node = tree.get(tag)
    return node.items or [] if node is not None else []
