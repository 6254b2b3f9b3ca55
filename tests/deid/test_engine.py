"""The engine: every attribute of the table is dealt with wherever it stands, and what was done is written down."""

from __future__ import annotations

import io

import pydicom
import pytest

from radfuse.core.errors import CannotAnonymize, ConfigurationError
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.deid import Option, Profile, ProjectKey
from radfuse.deid.engine import Anonymized, Anonymizer
from radfuse.deid.table import table
from radfuse.dicom.tree import Node, Tree, read_tree
from tests.deid import identifying

KEY = ProjectKey(b"a key of the tests that is long enough")


def anonymized(content: bytes, *options: Option, key: ProjectKey = KEY) -> tuple[Anonymized, Tree]:
    done = Anonymizer(Profile(frozenset(options)), key).anonymize(content)
    file = b"".join(done.pieces)
    back = pydicom.dcmread(io.BytesIO(file))
    assert back.file_meta.MediaStorageSOPInstanceUID == back.SOPInstanceUID == done.sop_instance_uid
    return done, read_tree(file, EXPLICIT_LITTLE, file.index(b"DICM") + 4 + 12 + back.file_meta[0x20000].value)


def levels(tree: Tree) -> list[Tree]:
    """The top, the sequence in it, and that within."""
    found = [tree]
    for tag in (identifying.OUTER, identifying.INNER):
        node = found[-1].get(tag)
        assert node is not None
        assert node.items
        found.append(node.items[0])
    return found


def test_no_value_of_any_listed_attribute_is_left_at_any_level() -> None:
    done, _ = anonymized(identifying.everything())
    assert b"SECRET" not in b"".join(done.pieces)
    before = read_tree(identifying.everything(), EXPLICIT_LITTLE, _offset(identifying.everything()))
    for level_before, level in zip(levels(before), levels(done.tree), strict=True):
        for row in identifying.rows():
            old, new = level_before.get(row.tag), level.get(row.tag)
            assert old is not None
            if new is not None and new.items is None:
                assert bytes(new.value).rstrip(b"\0 ") != bytes(old.value).rstrip(b"\0 "), row.keyword


def _offset(file: bytes) -> int:
    from radfuse.dicom import read_file_meta

    return read_file_meta(file).data_offset


def test_the_table_has_all_its_rows() -> None:
    assert len(table().rows) + 4 == 656


def test_what_was_done_is_said_in_the_object() -> None:
    _, tree = anonymized(identifying.everything(), Option.SHIFTED_DATES, Option.PATIENT)
    assert tree.ascii(0x0012_0062) == "YES"
    assert "2024b" in tree.ascii(0x0012_0063)
    codes = tree.get(0x0012_0064)
    assert codes is not None
    assert [item.ascii(0x0008_0100) for item in codes.items or ()] == ["113100", "113107", "113108"]
    assert tree.ascii(0x0028_0303) == "MODIFIED"


@pytest.mark.parametrize(
    ("options", "said"), [((), "REMOVED"), ((Option.FULL_DATES,), "UNMODIFIED"), ((Option.SHIFTED_DATES,), "MODIFIED")]
)
def test_what_became_of_dates_is_said(options: tuple[Option, ...], said: str) -> None:
    assert anonymized(identifying.everything(), *options)[1].ascii(0x0028_0303) == said


def test_uids_are_mapped_alike_wherever_they_stand_and_otherwise_under_another_key() -> None:
    uid = b"1.2.3.77"
    inner = Tree({0x0008_1155: Node(0x0008_1155, "UI", uid)})
    tree = Tree(
        {
            0x0008_1140: Node(0x0008_1140, "SQ", items=[inner]),
            0x0020_0052: Node(0x0020_0052, "UI", uid),
            0x0008_1150: Node(0x0008_1150, "UI", b"1.2.840.10008.5.1.4.1.1.4"),
        }
    )
    file = identifying.as_file(tree)
    _, one = anonymized(file)
    _, other = anonymized(file, key=ProjectKey(b"another key of the tests"))
    references = one.get(0x0008_1140)
    assert references is not None
    assert references.items
    assert references.items[0].ascii(0x0008_1155) == one.ascii(0x0020_0052) != uid.decode()
    assert one.ascii(0x0020_0052) != other.ascii(0x0020_0052)
    assert one.ascii(0x0020_0052).startswith("2.25.")
    assert one.ascii(0x0008_1150) == "1.2.840.10008.5.1.4.1.1.4"


def patient(**values: str) -> bytes:
    dataset = pydicom.Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    nodes = {int(each.tag): Node(int(each.tag), each.VR, str(each.value).encode()) for each in dataset}
    return identifying.as_file(Tree(nodes))


def test_dates_of_a_patient_move_together_and_times_stay() -> None:
    file = patient(PatientID="P1", StudyDate="20200301", AcquisitionDateTime="20200301101112.5+0100", StudyTime="1011")
    _, tree = anonymized(file, Option.SHIFTED_DATES)
    date, moment = tree.ascii(0x0008_0020), tree.ascii(0x0008_002A)
    assert date != "20200301"
    assert moment == f"{date}101112.5+0100"
    assert tree.ascii(0x0008_0030) == "1011"
    again = patient(PatientID="P1", StudyDate="20200311")
    later = anonymized(again, Option.SHIFTED_DATES)[1].ascii(0x0008_0020)
    moved = pydicom.valuerep.DA(later)
    assert moved is not None
    assert (moved - pydicom.valuerep.DA(date)).days == 10


def test_a_date_that_is_none_is_emptied_not_passed_on() -> None:
    tree_before = Tree({0x0008_0020: Node(0x0008_0020, "DA", b"Tuesday")})
    _, tree = anonymized(identifying.as_file(tree_before), Option.SHIFTED_DATES)
    assert tree.raw(0x0008_0020) == b""


def test_a_patient_has_one_pseudonym_and_another_patient_another() -> None:
    names = [anonymized(patient(PatientID=each))[1].ascii(0x0010_0020) for each in ("P1", "P1", "P2")]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("ANON-")


def test_without_an_id_name_and_birth_date_are_the_patient() -> None:
    one, other = (
        anonymized(patient(PatientName=name, PatientBirthDate="19600101"))[1].ascii(0x0010_0020)
        for name in ("Doe^Jane", "DOE^JANE")
    )
    assert one == other


def test_very_old_people_are_said_to_be_ninety() -> None:
    _, tree = anonymized(patient(PatientID="P1", PatientAge="093Y"), Option.PATIENT)
    assert tree.ascii(0x0010_1010) == "090Y"


def test_what_the_type_of_the_attribute_asks_for_is_done() -> None:
    _, ct = anonymized(patient(PatientID="P1", SeriesDate="20200101", ContentDate="20200101"))
    assert ct.get(0x0008_0021) is None  # type 3 of a CT image
    assert ct.raw(0x0008_0023) == b""  # type 2C


def test_unlisted_names_dates_and_instances_do_not_pass() -> None:
    nodes = {
        0x0018_9999: Node(0x0018_9999, "PN", b"SECRET^NAME"),
        0x0018_999B: Node(0x0018_999B, "DA", b"20231123"),
        0x0018_999D: Node(0x0018_999D, "UI", b"1.2.3.4"),
        0x0018_999F: Node(0x0018_999F, "UN", b"SECRET"),
    }
    _, tree = anonymized(identifying.as_file(Tree(nodes)))
    assert tree.raw(0x0018_9999) == b""
    assert tree.ascii(0x0018_999B) == "19000101"
    assert tree.ascii(0x0018_999D).startswith("2.25.")
    assert tree.get(0x0018_999F) is None


def test_an_object_that_does_not_say_what_it_is_is_refused() -> None:
    from radfuse.dicom.tree import write_tree

    bare = b"".join(write_tree(Tree({0x0008_0060: Node(0x0008_0060, "CS", b"CT")}), EXPLICIT_LITTLE))
    with pytest.raises(CannotAnonymize):
        Anonymizer(Profile(), KEY).anonymize(bare)


def test_dates_are_not_kept_and_shifted_at_once() -> None:
    with pytest.raises(ConfigurationError):
        Profile(frozenset({Option.FULL_DATES, Option.SHIFTED_DATES}))
