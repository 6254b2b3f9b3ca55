"""Reports of other vendors read, shown and taken apart; wrong ones told, not guessed."""

from __future__ import annotations

import html
import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject, UnreadableObject
from radfuse.objects.common import Code, encode
from radfuse.objects.sr import (
    Coordinates,
    Item,
    ObjectReference,
    SegmentReference,
    codes,
    html_of,
    json_of,
    measurements_of,
    read_report,
    text_item,
    text_of,
)
from radfuse.objects.sr.model import ByReference, Coded, Container, Number, Text, Times, Unknown, Value
from radfuse.objects.sr.write import add_tree
from tests.objects.documents import GROUPS, report_of
from tests.support import judges

_SR = "1.2.840.10008.5.1.4.1.1.88."


def _all_reports(folder: Path) -> Iterator[Path]:
    for path in sorted([*folder.glob("sr/**/*.dcm"), folder / "anonymizer" / "sr-IM0.dcm"]):
        if str(pydicom.dcmread(path, stop_before_pixels=True, force=True).SOPClassUID).startswith(_SR):
            yield path


@pytest.fixture(scope="module")
def real_reports(shared_data: Path) -> list[Path]:
    found = list(_all_reports(shared_data))
    assert len(found) >= 30
    return found


def _leaf_values(ds: Dataset) -> Iterator[str]:
    """What pydicom finds in the content items."""
    for item in ds.get("ContentSequence", ()):
        for keyword in ("TextValue", "Date", "Time", "DateTime", "PersonName", "UID"):
            if item.get(keyword):
                yield str(item[keyword].value)
        for sequence in ("ConceptNameCodeSequence", "ConceptCodeSequence"):
            for code in item.get(sequence, ()):
                yield str(code.get("CodeMeaning") or "")
                yield str(code.get("CodeValue") or "")
        for measured in item.get("MeasuredValueSequence") or ():
            yield str(measured.get_item("NumericValue").value.decode("ascii").strip())
            yield str(measured.MeasurementUnitsCodeSequence[0].get("CodeMeaning") or "")
        for reference in item.get("ReferencedSOPSequence", ()):
            yield str(reference.ReferencedSOPInstanceUID)
        yield from _leaf_values(item)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_every_value_of_every_real_report_is_on_its_page(real_reports: list[Path]) -> None:
    for path in real_reports:
        page = _squeezed(html.unescape(html_of(read_report(path.read_bytes()))))
        missing = [value for value in _leaf_values(pydicom.dcmread(path, force=True)) if _squeezed(value) not in page]
        assert missing == [], path.name


def test_what_dcmtk_shows_of_real_reports_is_on_their_pages(real_reports: list[Path]) -> None:
    read = 0
    for path in real_reports:
        options = ["-q", "+Pl", "+U8", "-Er", "-Ev", "-Ec", "-Ee", "-Dv"]
        done = subprocess.run(
            [judges.program("dsrdump"), *options, path], capture_output=True, check=False, text=True, errors="replace"
        )
        if done.returncode:
            continue  # DCMTK refuses it; pydicom's values above are the measure
        read += 1
        page = _squeezed(html.unescape(html_of(read_report(path.read_bytes()))))
        for line in re.findall(r"^ *<.*>$", done.stdout, re.MULTILINE):
            for value in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
                assert _squeezed(value.replace("\\n", " ").replace("\\r", " ")) in page, (path.name, line)
    assert read >= 10


class _Balance(HTMLParser):
    """Whether every element is closed where it should be, and which there are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _parsed(page: str) -> _Balance:
    parser = _Balance()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    return parser


def test_the_pages_of_real_reports_are_sound_and_load_nothing(real_reports: list[Path]) -> None:
    for path in real_reports:
        parsed = _parsed(html_of(read_report(path.read_bytes())))
        assert not parsed.seen & {"script", "iframe", "object", "embed", "img", "link", "form"}, path.name
        assert not {name for name in parsed.attributes if name.startswith("on") or name in ("src", "style")}


def test_real_reports_are_text_and_json_too(real_reports: list[Path]) -> None:
    for path in real_reports:
        report = read_report(path.read_bytes())
        assert len(list(text_of(report))) > 3
        assert json_of(report)["Content"]["ValueType"] == "CONTAINER"


def test_the_segment_and_the_numbers_of_the_qin_report_come_out(shared_data: Path) -> None:
    report = read_report((shared_data / "sr" / "qin-headneck-0003" / "sr.dcm").read_bytes())
    (group,) = measurements_of(report)
    assert isinstance(group.region, SegmentReference)
    segmentation = pydicom.dcmread(shared_data / "sr" / "qin-headneck-0003" / "seg.dcm", stop_before_pixels=True)
    assert group.region.segmentation.sop_instance_uid == segmentation.SOPInstanceUID
    assert group.region.segmentation.segments == (1,)
    assert (group.tracking_id, group.session, group.time_point) == ("primary tumor", "1", "1")
    assert group.method is not None
    assert group.method.meaning == "SUV body weight calculation method"
    assert [site.place.meaning for site in group.sites] == ["pharyngeal tonsil (adenoid)"]
    assert group.measurements[0].value == 6.01529
    assert [one.value for one in group.measurements if one.name.value == "126033"] == [202.008]
    assert len(group.measurements) == 22


def test_the_shapes_of_dwv_come_out(shared_data: Path) -> None:
    report = read_report((shared_data / "sr" / "dwv-tid1500" / "tid1500-0" / "sr-ellipse.dcm").read_bytes())
    groups = measurements_of(report)
    assert len(groups) == 3
    assert isinstance(groups[0].region, tuple)
    assert groups[0].region[0].shape.graphic == "ELLIPSE"
    assert groups[0].region[0].image.sop_class_uid == "1.2.840.10008.5.1.4.1.1.4"
    assert {one.name.meaning for one in groups[0].measurements} >= {"Long axis", "Area"}


# --- what is not as it should be -------------------------------------------------------------


def test_script_in_names_and_values_stays_text() -> None:
    evil = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
    group = GROUPS[2]
    ds = report_of(group, name="<script>alert(1)</script>^x")
    ds.ContentSequence[-1].ContentSequence[0].ContentSequence[0].TextValue = evil
    ds.ContentSequence[-1].ContentSequence[0].ConceptNameCodeSequence[0].CodeMeaning = evil
    page = html_of(read_report(encode(ds)))
    parsed = _parsed(page)
    assert not parsed.seen & {"script", "img"}
    assert "onerror" not in parsed.attributes
    assert evil in html.unescape(page)


def test_an_image_is_no_report(shared_data: Path) -> None:
    with pytest.raises(UnreadableObject, match="no structured report"):
        read_report((shared_data / "sr" / "dwv-tid1500" / "squares.dcm").read_bytes())


@pytest.mark.parametrize("content", [b"", b"no DICOM at all", b"\0" * 1000], ids=["nothing", "text", "zeros"])
def test_what_is_no_dicom_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableObject, match="no readable DICOM object"):
        read_report(content)


def test_a_report_that_is_cut_off_is_refused() -> None:
    content = encode(report_of(GROUPS[0]))
    with pytest.raises(UnreadableObject):
        read_report(content[: len(content) // 2])


def _document(root: Item) -> bytes:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = f"{_SR}33", "2.25.1"
    ds.SpecificCharacterSet = "ISO_IR 192"
    add_tree(ds, root)
    return encode(ds)


def _root(*children: Item) -> Item:
    return Item("", "CONTAINER", codes.FINDINGS, Container(), children)


def test_a_report_that_is_nested_without_end_is_refused() -> None:
    item = text_item("CONTAINS", codes.COMMENT, "the innermost")
    for _ in range(200):
        item = Item("CONTAINS", "CONTAINER", codes.FINDINGS, Container(), (item,))
    with pytest.raises(UnreadableObject, match="nested"):
        read_report(_document(_root(item)))


@pytest.mark.parametrize(
    ("item", "finding"),
    [
        (Item("CONTAINS", "TEXT", codes.COMMENT, Text("")), "item 1.1: it has no value"),
        (Item("IS NEAR", "TEXT", codes.COMMENT, Text("x")), "item 1.1: its relationship"),
        (Item("SELECTED FROM", "", None, ByReference((1, 7))), "item 1.1: it refers to an item that is not there"),
        (Item("SELECTED FROM", "", None, ByReference((1,))), "item 1.1: it refers to an item that it stands in"),
        (
            Item("CONTAINS", "NUM", codes.AREA, Number(None, None, Code("1", "99X", "why"))),
            "",
        ),
    ],
    ids=["empty", "unknown relationship", "dangling", "circle", "absent for a reason"],
)
def test_what_is_wrong_in_a_tree_is_told(item: Item, finding: str) -> None:
    report = read_report(_document(_root(item)))
    assert report.findings[:1] == ((report.findings[0],) if finding else ())
    if finding:
        assert report.findings[0].startswith(finding)
        assert finding in html_of(report)
        assert finding in "\n".join(text_of(report))


def test_a_number_that_is_none_is_told_and_shown_as_written() -> None:
    ds = pydicom.Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = f"{_SR}33", "2.25.1"
    add_tree(ds, _root(Item("CONTAINS", "NUM", codes.AREA, Number(4.0, codes.SQUARE_MM))))
    measured = ds.ContentSequence[0].MeasuredValueSequence[0]
    content = encode(ds).replace(b"\x0a\xa3DS\x02\x004 ", b"\x0a\xa3DS\x02\x00?!")
    assert measured.NumericValue == 4
    report = read_report(content)
    assert report.findings == ("item 1.1: it has neither a number nor a reason for its absence",)
    assert "?!" in html_of(report)


_IMAGE = ObjectReference(
    "1.2.840.10008.5.1.4.1.1.2", "2.25.3", (1, 4), (), (), "1.2.840.10008.5.1.4.1.1.11.1", "2.25.4"
)
_ECG = ObjectReference("1.2.840.10008.5.1.4.1.1.9.1.1", "2.25.5", channels=(1, 2))
_VALUES = [
    ("DATE", Text("20261122"), "2026-11-22"),
    ("TIME", Text("101500.250000"), "10:15:00.25"),
    ("DATETIME", Text("20261122101500+0100"), "2026-11-22 10:15:00+0100"),
    ("PNAME", Text("Reader^One=山田"), "Reader, One / 山田"),
    ("UIDREF", Text("2.25.9"), "2.25.9"),
    ("TEXT", Text("one\ntwo"), "one\ntwo"),
    ("IMAGE", _IMAGE, "CT Image, frames 1, 4"),
    ("WAVEFORM", _ECG, "12-lead ECG Waveform, channels 1, 2"),
    ("COMPOSITE", ObjectReference("", "2.25.6"), "Object"),
    ("SCOORD", Coordinates("POINT", ((1.5, 2.0),)), "POINT (1.5, 2)"),
    ("SCOORD3D", Coordinates("POINT", ((1.5, 2.0, -3.0),), "2.25.8"), "POINT (1.5, 2, -3)"),
    ("TCOORD", Times("POINT", sample_positions=(7,)), "POINT 7"),
    ("TCOORD", Times("SEGMENT", offsets_s=(1.0, 2.5)), "SEGMENT 1 s, 2.5 s"),
    ("TCOORD", Times("POINT", moments=("20261122",)), "POINT 2026-11-22"),
]


@pytest.mark.parametrize(("kind", "value", "shown"), _VALUES, ids=[kind for kind, _, _ in _VALUES])
def test_every_kind_of_value_is_written_read_and_shown(kind: str, value: Value, shown: str) -> None:
    item = Item("CONTAINS", kind, codes.COMMENT, value, observed="20261122", uid="2.25.77")
    report = read_report(_document(_root(item)))
    assert report.root.children == (item,)
    assert _squeezed(shown) in _squeezed(html.unescape(html_of(report)))
    assert json_of(report)["Content"]["Content"][0]["ValueType"] == kind


@pytest.mark.parametrize("value", [Unknown(), Number(None)], ids=["no value", "no number and no reason"])
def test_an_item_without_a_value_is_not_written(value: Value) -> None:
    with pytest.raises(InvalidObject):
        _document(_root(Item("CONTAINS", "NUM", codes.AREA, value)))
    with pytest.raises(InvalidObject, match="container"):
        _document(Item("", "TEXT", codes.COMMENT, Text("x")))


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).map(
    lambda text: "x" + text.replace("\\", "/").strip() + "x"
)
_CODES = st.builds(Code, st.text("ABC123", min_size=1, max_size=20), st.just("99T"), _TEXTS)
_LEAVES = st.one_of(
    st.builds(lambda name, text: Item("CONTAINS", "TEXT", name, Text(text)), _CODES, _TEXTS),
    st.builds(lambda name, code: Item("HAS CONCEPT MOD", "CODE", name, Coded(code)), _CODES, _CODES),
    st.builds(
        lambda name, value: Item("CONTAINS", "NUM", name, Number(value, codes.MILLIMETRE)),
        _CODES,
        st.floats(allow_nan=False, allow_infinity=False),
    ),
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.builds(
        lambda name, children: Item("CONTAINS", "CONTAINER", name, Container(), tuple(children)),
        _CODES,
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)


def _without_text(item: Item) -> Item:
    value = Number(item.value.value, item.value.unit) if isinstance(item.value, Number) else item.value
    children = tuple(map(_without_text, item.children))
    return Item(item.relationship, item.value_type, item.concept, value, children)


@given(_TREES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_tree_is_read_as_it_was_written(item: Item) -> None:
    root = _root(item)
    report = read_report(_document(root))
    assert _without_text(report.root) == root
    _parsed(html_of(report))


def test_a_page_without_the_patient_does_not_name_the_patient() -> None:
    report = read_report(encode(report_of(GROUPS[0])))
    assert "Test, Patient" in html_of(report)
    for shown in (html_of(report, with_patient=False), "\n".join(text_of(report, with_patient=False))):
        assert not re.search("Test, Patient|4711|1950", shown)
    assert "PatientID" not in json_of(report, with_patient=False)
