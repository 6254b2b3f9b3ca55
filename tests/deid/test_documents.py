"""Documents within objects: models and clinical documents are cleaned, what cannot be judged does not pass."""

from __future__ import annotations

import contextlib
import struct
from xml.etree import ElementTree

import pytest

from radfuse.core.errors import CannotAnonymize
from radfuse.deid import Option
from radfuse.deid.documents import EMPTY_PAGE, Documents
from radfuse.dicom.tree import Node, Tree
from tests.deid.identifying import as_file
from tests.deid.objects import anonymized, text, tree_of

PDF, CDA, STL, OBJ, MTL = (f"1.2.840.10008.5.1.4.1.1.104.{number}" for number in range(1, 6))
CLEAN = Option.STRUCTURED_CONTENT
DOCUMENT, LENGTH = 0x0042_0011, 0x0042_0015


def holding(document: bytes, sop_class_uid: str) -> bytes:
    padded = document + bytes(len(document) & 1)
    length = Node(LENGTH, "UL", struct.pack("<I", len(document)))
    return as_file(tree_of(Node(DOCUMENT, "OB", padded), length, text(0x0042_0010, "Letter", "ST")), sop_class_uid)


def document_of(tree: Tree) -> bytes:
    return tree.raw(DOCUMENT)[: struct.unpack("<I", tree.raw(LENGTH))[0]]


def cleaned(document: bytes, sop_class_uid: str) -> bytes:
    return document_of(anonymized(holding(document, sop_class_uid), CLEAN)[1])


def test_a_pdf_is_refused_even_under_the_option() -> None:
    with pytest.raises(CannotAnonymize, match="PDF"):
        anonymized(holding(b"%PDF-1.4 SECRET", PDF), CLEAN)


def test_a_pdf_may_be_replaced_by_a_page_that_says_so() -> None:
    done, tree = anonymized(holding(b"%PDF-1.4 SECRET", PDF), documents=Documents(replace_unreadable=True))
    assert document_of(tree) == EMPTY_PAGE
    assert b"SECRET" not in b"".join(done.pieces)


def test_every_object_of_the_empty_page_is_where_its_table_says() -> None:
    start = int(EMPTY_PAGE.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    lines = EMPTY_PAGE[start:].split(b"\n")
    assert lines[0] == b"xref"
    offsets = [int(line[:10]) for line in lines[3 : 2 + int(lines[1].split()[1])]]
    for number, offset in enumerate(offsets, start=1):
        assert EMPTY_PAGE[offset:].startswith(b"%d 0 obj" % number)


@pytest.mark.parametrize("sop_class_uid", [CDA, STL, OBJ, MTL])
def test_other_documents_need_the_option(sop_class_uid: str) -> None:
    with pytest.raises(CannotAnonymize, match="structured-content"):
        anonymized(holding(b"anything", sop_class_uid))


# --- models ----------------------------------------------------------------------------------------


def test_a_binary_model_keeps_its_facets_and_nothing_else() -> None:
    facets = struct.pack("<I", 2) + bytes(range(100))
    clean = cleaned(b"SECRET".ljust(80) + facets, STL)
    assert clean == bytes(80) + facets


def test_a_model_of_text_loses_its_name() -> None:
    facet = b"facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1e-3 0\nendloop\nendfacet\n"
    clean = cleaned(b"solid SECRET NAME\n" + facet + b"endsolid SECRET NAME\n", STL)
    assert clean == b"solid\n" + facet + b"endsolid\n"


@pytest.mark.parametrize("document", [b"", b"SECRET", b"solid x\nSECRET\nendsolid", bytes(80) + b"\2\0\0\0SECRET"])
def test_what_is_no_model_is_refused_or_emptied(document: bytes) -> None:
    with contextlib.suppress(CannotAnonymize):
        assert b"SECRET" not in cleaned(document, STL)


def test_groups_and_materials_are_numbered_and_comments_go() -> None:
    document = (
        b"# SECRET\nmtllib SECRET.mtl\no SECRET\nv 1 2.5 -3e2\nvn 0 0 1\nusemtl SECRETSKIN\nf 1/1/1 2//2 3\ng SECRET\n"
    )
    assert cleaned(document, OBJ) == b"o part1\nv 1 2.5 -3e2\nvn 0 0 1\nusemtl part2\nf 1/1/1 2//2 3\ng part1\n"
    assert cleaned(b"newmtl SECRET\nKd 1 0 0\nmap_Kd SECRET.png\n", MTL) == b"newmtl part1\nKd 1 0 0\n"


# --- clinical documents --------------------------------------------------------------------------------

LETTER = b"""<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3" extension="SECRETID"/>
<code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="SECRET"/><title>Report of SECRETNAME</title>
<effectiveTime value="20231123"/><recordTarget><patientRole><id extension="SECRETID"/><addr>SECRET street</addr>
<patient><name><given>SECRET</given></name></patient></patientRole></recordTarget>
<component><structuredBody><component><section><code code="121070" codeSystem="1.2.840.10008.2.16.4"/>
<title>Findings</title><text>mass in left kidney<content>of SECRETNAME</content></text>
<entry><observation><value>SECRET</value></observation></entry>
<component><section><code code="SECRET" codeSystem="1.2.3.4"/><title>SECRET</title><text>liver</text>
</section></component></section></component></structuredBody></component></ClinicalDocument>"""


def test_a_clinical_document_keeps_sections_and_their_known_words() -> None:
    clean = cleaned(LETTER, CDA)
    assert b"SECRET" not in clean
    assert b"20231123" not in clean
    root = ElementTree.fromstring(clean)  # noqa: S314 - made here a moment ago
    name = "{urn:hl7-org:v3}"
    titles = [each.text for each in root.iter(f"{name}title")]
    assert "Findings" in titles
    said = [each.text for each in root.iter(f"{name}paragraph")]
    assert said[0] == "mass in left kidney"
    assert said[-1] == "liver"
    assert [each.get("code") for each in root.iter(f"{name}code")] == ["18748-4", "121070"]
    for must in ("recordTarget", "author", "custodian"):
        assert root.find(f"{name}{must}") is not None


@pytest.mark.parametrize(
    "document",
    [
        b"no xml",
        b"<other/>",
        b'<!DOCTYPE x [<!ENTITY a "SECRET">]><ClinicalDocument xmlns="urn:hl7-org:v3">&a;</ClinicalDocument>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><ClinicalDocument xmlns="urn:hl7-org:v3"/>',
        b"<a>" * 200 + b"</a>" * 200,
        b"<r>" + b"<a/>" * 100_001 + b"</r>",
        b'<?xml version="1.0" encoding="no-such"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>',
        b"<ClinicalDocument",
    ],
)
def test_what_is_no_plain_clinical_document_is_refused(document: bytes) -> None:
    with pytest.raises(CannotAnonymize):
        cleaned(document, CDA)


def test_an_object_without_its_document_is_refused() -> None:
    with pytest.raises(CannotAnonymize, match="missing"):
        anonymized(as_file(tree_of(text(0x0042_0010, "Letter", "ST")), CDA), CLEAN)
