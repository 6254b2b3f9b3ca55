"""Every real object: stored, found by each of its keys, given back byte for byte; damaged ones refused."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from radfuse.core.errors import NotPart10
from radfuse.core.sop_classes import NON_PATIENT_CLASSES, STORAGE_CLASSES
from radfuse.core.uids import is_valid_uid
from radfuse.wire import Association, ProposedContext
from tests.dicom.test_real_data import real_files
from tests.interop.client import (
    PATIENT_ROOT,
    STUDY_ROOT,
    Kept,
    Sent,
    as_sent,
    associate,
    find_on,
    get,
    identifier,
    move,
    peer_scp,
    sent_dataset,
    store_all,
)
from tests.support.generate import base_instance
from tests.support.servers import RunningNode

# Real data are full of values that are none of their VR.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

SETTINGS = """
[storage]
accept_unknown_classes = true
duplicates = "replace"
extra_transfer_syntaxes = [
  "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55", "1.2.840.10008.1.2.4.80",
  "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.203", "1.2.840.10008.1.2.8.1",
]
"""

REFUSED = {
    "malformed/other/3gb-bulk-data-truncated": "3 GB of pixels announced, 100 kB there; a SOP Instance UID of letters",
    "malformed/pydicom/MR_truncated.dcm": "pixel data cut",
    "malformed/pydicom/bad_sequence.dcm": "a SOP Instance UID of hexadecimal digits",
    "malformed/pydicom/emri_small_jpeg_2k_lossless_too_short.dcm": "cut within encapsulated pixel data",
    "malformed/pydicom/rtplan_truncated.dcm": "cut within a sequence",
    "transfer-syntaxes/colour/SC_rgb_jpeg.dcm": "implicit VR under a syntax that is explicit by definition",
}
"""Not valid DICOM by their structure or their name: A900."""

NO_CLASS, NO_NAME, NO_STUDY = "no SOP Class UID", "no SOP Instance UID", "no Study Instance UID"
NAMELESS = {
    "charsets/chrSQEncoding.dcm": NO_CLASS,
    "charsets/chrSQEncoding1.dcm": NO_CLASS,
    "malformed/orthanc/Issue111.dcm": NO_CLASS,
    "malformed/orthanc/Issue195-bis.dcm": NO_CLASS,
    "malformed/orthanc/Issue195.dcm": NO_CLASS,
    "malformed/orthanc/Issue196.dcm": NO_STUDY,
    "malformed/pydicom/UN_sequence.dcm": NO_CLASS,
    "malformed/pydicom/no_meta_group_length.dcm": NO_CLASS,
    "malformed/pydicom/priv_SQ.dcm": NO_CLASS,
    "mr/siemens/decimal_rescale.dcm": NO_CLASS,
    "sr/dwv-tid1500/dwv034/sr-arrow.dcm": NO_NAME,
    "sr/dwv-tid1500/dwv034/sr-circle.dcm": NO_NAME,
    "sr/dwv-tid1500/dwv034/sr-ellipse.dcm": NO_NAME,
    "sr/dwv-tid1500/dwv034/sr-protractor.dcm": NO_NAME,
    "sr/dwv-tid1500/dwv034/sr-rectangle.dcm": NO_NAME,
    "sr/dwv-tid1500/dwv034/sr-roi.dcm": NO_NAME,
    "sr/dwv-tid1500/dwv034/sr-ruler.dcm": NO_NAME,
    "transfer-syntaxes/colour/HTJ2KLossless_08_RGB.dcm": NO_STUDY,
    "transfer-syntaxes/colour/HTJ2K_08_RGB.dcm": NO_STUDY,
    "transfer-syntaxes/colour/JLSL_08_07_0_1F.dcm": NO_STUDY,
    "transfer-syntaxes/colour/JLSL_16_15_1_1F.dcm": NO_STUDY,
    "transfer-syntaxes/colour/JLSL_RGB_ILV0.dcm": NO_NAME,
    "transfer-syntaxes/colour/JLSL_RGB_ILV1.dcm": NO_NAME,
    "transfer-syntaxes/colour/JLSL_RGB_ILV2.dcm": NO_NAME,
    "transfer-syntaxes/colour/JLSN_RGB_ILV0.dcm": NO_NAME,
    "transfer-syntaxes/colour/JPEGLSNearLossless_08.dcm": NO_STUDY,
    "transfer-syntaxes/colour/JPEGLSNearLossless_16.dcm": NO_STUDY,
    "transfer-syntaxes/colour/SC_rgb_jls_lossy_line.dcm": NO_STUDY,
    "transfer-syntaxes/colour/SC_rgb_jls_lossy_sample.dcm": NO_STUDY,
}
"""Without an attribute of type 1 that names the object or its study (PS3.3 sections C.12.1, C.7.2.1): A900."""

CLASSLESS = {
    "malformed/other/dwv-test_no-number-rows.dcm",
    "malformed/other/no_preamble_dicm_in_data",
    "malformed/pydicom/empty_charset_LEI.dcm",
    "malformed/pydicom/meta_missing_tsyntax.dcm",
    "malformed/pydicom/nested_priv_SQ.dcm",
}
"""No SOP class anywhere: no peer can propose a presentation context for them."""

UNREADABLE = {"malformed/pydicom/no_meta.dcm"}
"""One byte precedes the first tag: no program can say what it is."""

OF_TWO_PATIENTS = {"malformed/orthanc/Issue131-b.dcm", "sr/dose/NM-RRDSR-Siemens.dcm"}
"""Their study came under another Patient ID before, and in Patient Root it stays there."""

NOT_READ_BY_PYDICOM = ("charsets/chrGB2312.dcm", "PatientName")
"""pydicom leaves the escape sequences of ISO 2022 IR 58 in the text."""

LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")
UNIQUE = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
UTF_8 = "ISO_IR 192"
PLAIN_DATE, PLAIN_TIME = re.compile(r"\d{8}"), re.compile(r"\d{6}(\.\d{1,6})?")


@dataclass(frozen=True)
class RealObject:
    """A file of the real data, and what is sent of it."""

    name: str
    path: Path
    sent: Sent


def header_of(path: Path) -> Dataset:
    """What pydicom reads of a file, pixels left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True, stop_before_pixels=True)


@pytest.fixture(scope="module")
def objects(shared_data: Path) -> list[RealObject]:
    """All that can be sent at all. A DICOMDIR is no object to store."""
    found, unreadable, classless = [], set(), set()
    for path in real_files(shared_data):
        name = path.relative_to(shared_data).as_posix()
        if path.name.startswith("DICOMDIR"):
            continue
        try:
            one = RealObject(name, path, as_sent(path))
        except NotPart10:
            unreadable.add(name)
            continue
        if is_valid_uid(one.sent.sop_class_uid):
            found.append(one)
        else:
            classless.add(name)
    assert (unreadable, classless) == (UNREADABLE, CLASSLESS)
    return found


@pytest.fixture(scope="module")
def rounds(objects: list[RealObject]) -> list[list[RealObject]]:
    """The valid objects, so that no SOP Instance UID occurs twice in one round."""
    found: list[list[RealObject]] = []
    seen: dict[str, int] = {}
    for one in objects:
        if one.name not in REFUSED | NAMELESS:
            place = seen[one.sent.sop_instance_uid] = seen.get(one.sent.sop_instance_uid, -1) + 1
            if place == len(found):
                found.append([])
            found[place].append(one)
    return found


@pytest.fixture(scope="module")
def filled(node: RunningNode, rounds: list[list[RealObject]]) -> list[RealObject]:
    """The objects of the first round, after they were stored."""
    assert set(store_all(node, [one.sent for one in rounds[0]])) == {0}
    return rounds[0]


def test_damaged_and_nameless_objects_are_refused(node: RunningNode, objects: list[RealObject]) -> None:
    refused = [one for one in objects if one.name in REFUSED | NAMELESS]
    assert {one.name for one in refused} == REFUSED.keys() | NAMELESS.keys()
    statuses = store_all(node, [one.sent for one in refused])
    assert {one.name: status for one, status in zip(refused, statuses, strict=True)} == {
        one.name: 0xA900 for one in refused
    }


def test_every_valid_object_comes_back_byte_for_byte_by_c_get(node: RunningNode, filled: list[RealObject]) -> None:
    expected = {one.sent.sop_instance_uid: one.sent for one in filled if has_patient(one)}
    assert len(expected) > 1000
    kept = Kept()
    kinds = list(dict.fromkeys(sent.kind for sent in expected.values()))
    for first in range(0, len(kinds), 120):
        chosen = set(kinds[first : first + 120])
        wanted = [sent for sent in expected.values() if sent.kind in chosen]
        take(node, wanted, kept)
    assert kept.by_uid == expected


def has_patient(one: RealObject) -> bool:
    return one.sent.sop_class_uid not in NON_PATIENT_CLASSES


def take(node: RunningNode, wanted: list[Sent], kept: Kept) -> None:
    """C-GET of objects by a list of UIDs."""
    paths = {sent.sop_instance_uid: header_uids(sent) for sent in wanted}
    ds = identifier("IMAGE")
    for place, name in enumerate(UNIQUE[1:]):
        setattr(ds, name, sorted({uids[place] for uids in paths.values()}))
    responses = get(node, ds, [sent.kind for sent in wanted], kept)
    assert responses[-1].status == 0, responses[-1]


def header_uids(sent: Sent) -> tuple[str, str, str]:
    """Study, series and instance of an object."""
    from radfuse.dicom import scan_header

    header = scan_header(sent.data, sent.transfer_syntax_uid)
    return header.study_instance_uid, header.series_instance_uid, header.sop_instance_uid


def test_every_valid_object_comes_back_byte_for_byte_by_c_move(node: RunningNode, filled: list[RealObject]) -> None:
    expected = {one.sent.sop_instance_uid: one.sent for one in filled if has_patient(one)}
    kept = Kept()
    wanted = identifier("STUDY", StudyInstanceUID=sorted({header_uids(sent)[0] for sent in expected.values()}))
    with peer_scp(node, "TAKER", kept):
        responses = move(node, "TAKER", wanted)
    last = responses[-1].command
    assert (responses[-1].status, last.number_of_completed_suboperations) == (0, len(expected))
    assert kept.by_uid == expected


@dataclass(frozen=True)
class Key:
    """A row of query_keys.csv."""

    model: str
    level: str
    keyword: str


@pytest.fixture(scope="module")
def keys(conformance_tables: Path) -> list[Key]:
    """The keys with a value of their own; the computed and special ones are tested elsewhere."""
    computed = ("NumberOf", "ModalitiesInStudy", "SOPClassesInStudy", "AvailableTransferSyntaxUID")
    with (conformance_tables / "query_keys.csv").open(encoding="utf-8") as file:
        rows = [Key(row["model"], row["level"], row["keyword"]) for row in csv.DictReader(file) if row["level"] != "*"]
    return [row for row in rows if not row.keyword.startswith(computed)]


@pytest.mark.parametrize("model", ["patient", "study"])
@pytest.mark.parametrize("level", LEVELS)
def test_every_entity_is_found_by_each_of_its_keys(
    node: RunningNode, filled: list[RealObject], keys: list[Key], model: str, level: str
) -> None:
    names = [key.keyword for key in keys if (key.model, key.level) == (model, level)]
    assert bool(names) == ((model, level) != ("study", "PATIENT"))
    root = PATIENT_ROOT if model == "patient" else STUDY_ROOT
    unique = UNIQUE[LEVELS.index(level)]
    missed, asked = [], 0
    with associate(node, [ProposedContext(root[0], ("1.2.840.10008.1.2.1",))]) as association:
        for name, keyword, ds in cases(filled, level, names, model):
            wanted = question(ds, level, keyword, model)
            if wanted is not None:
                asked += 1
                if not is_found(association, wanted, root, unique, str(ds[unique].value)):
                    missed.append((name, keyword, str(ds.get(keyword))))
    assert missed == []
    assert asked > 100 or not names


def cases(filled: list[RealObject], level: str, names: list[str], model: str) -> Iterator[tuple[str, str, Dataset]]:
    """Each entity with each of its keys, but for the known exceptions."""
    for name, ds in entities(filled, level):
        if model == "patient" and level in ("SERIES", "IMAGE") and name in OF_TWO_PATIENTS:
            continue
        for keyword in names:
            if (name, keyword) != NOT_READ_BY_PYDICOM:
                yield name, keyword, ds


def entities(filled: list[RealObject], level: str) -> Iterator[tuple[str, Dataset]]:
    """The first object of each patient, study or series, which is what the index knows it by."""
    seen = set()
    for one in filled:
        if has_patient(one):
            ds = header_of(one.path)
            uids = [str(ds.get(name) or "") for name in UNIQUE]
            entity = (level, uids[min(LEVELS.index(level), 2)])
            if entity not in seen and uids[0]:
                seen.add(entity)
                yield one.name, ds


def question(ds: Dataset, level: str, keyword: str, model: str) -> Dataset | None:
    """A query for the object's own value of one key; None when it has none that can be asked for."""
    value = ds.get(keyword)
    text = "" if value is None else str(value)
    if not text or re.search(r"[*?\\]", text) or isinstance(value, pydicom.multival.MultiValue):
        return None
    vr = ds[keyword].VR
    if (vr == "DA" and not PLAIN_DATE.fullmatch(text)) or (vr == "TM" and not PLAIN_TIME.fullmatch(text)):
        return None
    wanted = identifier(level, SpecificCharacterSet=UTF_8)
    above = UNIQUE[0 if model == "patient" else 1 : LEVELS.index(level)]
    for name in above:
        setattr(wanted, name, str(ds[name].value))
    setattr(wanted, UNIQUE[LEVELS.index(level)], "")
    setattr(wanted, keyword, text)
    return wanted


def is_found(association: Association, wanted: Dataset, root: tuple[str, str, str], unique: str, value: str) -> bool:
    return value in [str(answer[unique].value) for answer in find_on(association, wanted, root)]


def test_other_objects_of_the_same_names_replace_the_first_ones(
    node: RunningNode, filled: list[RealObject], rounds: list[list[RealObject]]
) -> None:
    assert len(rounds) > 5
    for later in rounds[1:]:
        wanted = [one.sent for one in later if has_patient(one)]
        assert set(store_all(node, wanted)) == {0}
        kept = Kept()
        take(node, wanted, kept)
        assert kept.by_uid == {sent.sop_instance_uid: sent for sent in wanted}


def test_implant_templates_are_kept_beside_the_index_and_found_by_no_query(
    node: RunningNode, filled: list[RealObject]
) -> None:
    templates = [row.uid for row in STORAGE_CLASSES if row.record_type.startswith("IMPLANT")]
    objects = []
    for number, uid in enumerate(templates):
        ds = base_instance("1.2.3", "OT", 9, number)
        ds.SOPClassUID = uid
        for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID"):
            delattr(ds, keyword)
        objects.append(sent_dataset(ds))
    assert store_all(node, objects) == [0, 0, 0]
    assert store_all(node, objects) == [0, 0, 0], "the same again"
    with associate(node, [ProposedContext(STUDY_ROOT[0], ("1.2.840.10008.1.2.1",))]) as association:
        wanted = identifier("IMAGE", SOPInstanceUID=[sent.sop_instance_uid for sent in objects])
        wanted.StudyInstanceUID = wanted.SeriesInstanceUID = "2.25.7001"
        assert find_on(association, wanted) == []
        assert find_on(association, identifier("STUDY", StudyInstanceUID="", PatientName="")) != []
