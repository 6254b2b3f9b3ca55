"""Reports on paper: what is shown, what is not, the same bytes always, and DCMTK gets them out again."""

from __future__ import annotations

import re
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest

from radfuse.core.errors import InvalidObject, UnreadableObject
from radfuse.objects.common import encode, reference_to
from radfuse.objects.pdf import (
    Document,
    Heading,
    PaperReport,
    Paragraph,
    Picture,
    Pictures,
    Table,
    build_encapsulated_pdf,
    read_encapsulated_pdf,
    render_pdf,
)
from radfuse.objects.pdf.directions import shaped, visual
from radfuse.objects.pdf.fonts import runs_of
from radfuse.objects.pdf.layout import WIDTH_PT, Pages, wrapped
from tests.objects.documents import IMAGES, PROVENANCE, SERIES, image, making
from tests.support import judges

_ROWS = tuple((f"lesion {number}", f"{number * 1.25:.2f}") for number in range(60))


def _picture() -> Picture:
    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[:, :, 0] = np.arange(40) * 6
    return Picture(pixels, "A picture")


def _report(patient: str = "Test, Patient") -> PaperReport:
    return PaperReport(
        "PET measurement report",
        patient,
        (("Study", "PET/CT"),),
        (
            Heading("Lesions"),
            Table(("Lesion", "SUVmax"), _ROWS, frozenset({1})),
            Paragraph("Nothing else.\nSecond line."),
            Pictures((_picture(), _picture(), _picture())),
        ),
        "Radfuse, 2026-11-22",
    )


def test_the_same_report_is_the_same_bytes() -> None:
    one, other = render_pdf(_report()), render_pdf(_report())
    assert one.content == other.content
    assert one.content.startswith(b"%PDF-")
    assert one.unshown == ()
    assert not one.needs_fonts


def test_a_long_table_goes_on_with_its_head_on_every_page() -> None:
    pdf = render_pdf(_report())
    assert pdf.pages == len(re.findall(rb"/Type /Page\b", pdf.content)) >= 2
    pages = Pages()
    pages.table(Table(("Lesion", "SUVmax"), _ROWS), 8.5)
    assert len(pages.pages) == 2
    assert sum(map(len, pages.pages)) == 3 * (len(_ROWS) + 2)  # two cells and a rule, for each row and each head


def test_the_fonts_are_in_the_file() -> None:
    content = render_pdf(_report("Łukasz Żółć")).content
    assert b"DejaVuSans" in content
    assert content.count(b"/FontFile2") >= 2


def test_chinese_japanese_and_korean_need_fonts_of_the_readers_program_and_it_says_so() -> None:
    pdf = render_pdf(_report("Yamada^Tarou=山田^太郎=やまだ^たろう"))
    assert pdf.needs_fonts
    assert pdf.unshown == ()
    assert b"HeiseiKakuGo-W5" in pdf.content


def test_a_character_that_no_font_has_is_written_as_its_number_and_told() -> None:
    pdf = render_pdf(_report("smile \U0001f600 \x07"))
    assert pdf.unshown == ("\x07", "\U0001f600")
    assert "".join(run.text for run in runs_of("a\U0001f600")) == "a[U+1F600]"


_NAMES = {
    "ISO_IR 100": "Buc^Jérôme",
    "ISO_IR 101": "Wałęsa^Łukasz",
    "ISO_IR 109": "Ĉapelo^Ŭ",
    "ISO_IR 110": "Šarūnas^Ģ",
    "ISO_IR 144": "Люксембург",
    "ISO_IR 127": "قباني^لنزار",
    "ISO_IR 126": "Διονυσιος",
    "ISO_IR 138": "שרון^דבורה",
    "ISO_IR 148": "Çavuşoğlu^Şeyma",
    "ISO_IR 166": "สมชาย^ใจดี",
    "ISO_IR 203": "Œuvre^€",
    "ISO_IR 13": "ﾔﾏﾀﾞ^ﾀﾛｳ",
    "ISO 2022 IR 87": "山田^太郎",
    "ISO 2022 IR 149": "洪^吉洞=홍^길동",
    "ISO 2022 IR 58": "张^小东",
    "GB18030": "王^小东",
}


@pytest.mark.parametrize("name", _NAMES.values(), ids=_NAMES.keys())
def test_names_of_every_character_set_are_shown(name: str) -> None:
    unshown: set[str] = set()
    runs = runs_of(visual(name), unshown=unshown)
    assert unshown == set()
    assert sorted("".join(run.text for run in runs)) == sorted(visual(name))


def test_arabic_letters_are_joined_and_run_from_right_to_left() -> None:
    assert shaped("سلام") == "\ufeb3\ufefc\ufee1"  # initial, ligature of lam and alef (final), isolated
    assert shaped("محمد") == "\ufee3\ufea4\ufee4\ufeaa"  # initial, medial, medial, final
    assert visual("a سلام b") == "a \ufee1\ufefc\ufeb3 b"
    assert visual("a שלום 12.5 (ב) b") == "a (ב) 12.5 םולש b"
    assert visual("plain 12") == "plain 12"


def test_lines_are_as_wide_as_they_may_be_and_no_word_is_lost() -> None:
    text = "A rather long sentence about nothing at all. " * 12
    lines = wrapped(text, 10, 200)
    assert " ".join(lines).split() == text.split()
    assert len(lines) > 5
    assert wrapped("x" * 500, 10, 200)[0] != "x" * 500
    assert "".join(wrapped("x" * 500, 10, 200)) == "x" * 500
    assert wrapped("山" * 200, 10, WIDTH_PT) != ["山" * 200]


def test_rows_of_different_length_and_pictures_without_colours_are_refused() -> None:
    with pytest.raises(InvalidObject, match="different lengths"):
        Table(("a", "b"), (("1",),))
    with pytest.raises(InvalidObject, match="not RGB"):
        Picture(np.zeros((3, 3), np.uint8))


# --- in DICOM --------------------------------------------------------------------------------


def _object(content: bytes) -> pydicom.Dataset:
    document = Document(content, "Lesions", references=tuple(map(reference_to, IMAGES)))
    return build_encapsulated_pdf(document, image(), provenance=PROVENANCE, series=SERIES, making=making())


@pytest.mark.parametrize("extra", [b"", b"\n"], ids=["even or odd", "odd or even"])
def test_dcmtk_gets_the_same_bytes_out_again(tmp_path: Path, extra: bytes) -> None:
    content = render_pdf(_report()).content + extra
    path = judges.written(_object(content), tmp_path)
    assert judges.dciodvfy(path) == []
    subprocess.run([judges.program("dcm2pdf"), path, tmp_path / "out.pdf"], check=True, capture_output=True)
    assert (tmp_path / "out.pdf").read_bytes() == content
    read = read_encapsulated_pdf(path.read_bytes())
    assert read.content == content
    assert (read.title, read.mime_type) == ("Lesions", "application/pdf")
    assert read.source_uids == tuple(one.SOPInstanceUID for one in IMAGES)


@pytest.mark.parametrize("end", [b"\0", b"\0\0"])
def test_zeros_at_the_end_of_a_document_are_its_own(end: bytes) -> None:
    content = b"%PDF-1.4\n" + end
    ds = _object(content)
    assert ds.EncapsulatedDocumentLength == len(content)
    assert read_encapsulated_pdf(encode(ds)).content == content


def test_another_vendors_pdf_is_read(shared_data: Path) -> None:
    read = read_encapsulated_pdf((shared_data / "sop-classes" / "orthanc" / "sample-pdf.dcm").read_bytes())
    assert read.content.startswith(b"%PDF")
    assert read.content.endswith(b"%%EOF\n")


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(InvalidObject, match="no PDF"):
        _object(b"<html>")
    with pytest.raises(UnreadableObject, match="no Encapsulated PDF"):
        read_encapsulated_pdf(encode(image()))
    ds = _object(b"%PDF-1.4\n")
    ds.EncapsulatedDocument = b"<html></html>\n"
    with pytest.raises(UnreadableObject, match="its document is no PDF"):
        read_encapsulated_pdf(encode(ds))


def test_pictures_are_bytes_and_no_text_that_is_a_quarter_larger() -> None:
    picture = Picture(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    content = render_pdf(PaperReport("A report", "", blocks=(Pictures((picture,)),))).content
    assert b"ASCII85Decode" not in content
    (stream,) = re.findall(rb"/Subtype /Image[^>]*>>\s*stream\r?\n(.*?)endstream", content, re.DOTALL)
    assert zlib.decompressobj().decompress(stream) == picture.pixels.tobytes()
