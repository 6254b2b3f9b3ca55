"""Each of the 16 character sets: stored, asked for in other sets, answered without losing a character."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.dicom import Element, Identifier, encode_identifier
from radfuse.wire import ProposedContext, scu
from tests.interop.client import FIND, Kept, Sent, associate, decoded, get, identifier, store_all
from tests.support.generate import SECONDARY_CAPTURE
from tests.support.servers import RunningNode

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

UTF_8 = "ISO_IR 192"
CLASS, INSTANCE, CHARACTER_SET = 0x00080016, 0x00080018, 0x00080005
NAME, PATIENT, STUDY, SERIES, DESCRIPTION = 0x00100010, 0x00100020, 0x0020000D, 0x0020000E, 0x00081030
LEVEL = 0x00080052


@dataclass(frozen=True)
class Sample:
    """A row of charsets.csv."""

    number: int
    name: str
    terms: tuple[str, ...]
    person: str
    text: str
    person_bytes: bytes

    @property
    def study_uid(self) -> str:
        return f"2.25.9000.{self.number}"

    def sent(self) -> Sent:
        """An object in this set; the bytes of the name are those of the table."""
        uid = f"{self.study_uid}.1.1"
        elements = (
            Element(CLASS, "UI", (SECONDARY_CAPTURE,)),
            Element(INSTANCE, "UI", (uid,)),
            Element(DESCRIPTION, "LO", (self.text,)),
            Element(NAME, "PN", (self.person,)),
            Element(PATIENT, "LO", (f"CS{self.number}",)),
            Element(STUDY, "UI", (self.study_uid,)),
            Element(SERIES, "UI", (f"{self.study_uid}.1",)),
        )
        data = encode_identifier(Identifier(elements), EXPLICIT_LITTLE, self.terms)
        assert self.person_bytes in data
        return Sent(SECONDARY_CAPTURE, uid, EXPLICIT_LITTLE, data)


@pytest.fixture(scope="module")
def samples(conformance_tables: Path) -> list[Sample]:
    with (conformance_tables / "charsets.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    return [
        Sample(
            number,
            row["seed_name"],
            tuple(row["sample_charset_value"].split("\\")) if row["sample_charset_value"] else (),
            row["sample_pn"],
            row["sample_text"],
            bytes.fromhex(row["sample_pn_hex"]),
        )
        for number, row in enumerate(rows)
    ]


@pytest.fixture(autouse=True, scope="module")
def _stored(node: RunningNode, samples: list[Sample]) -> None:
    assert set(store_all(node, [sample.sent() for sample in samples])) == {0}


def ask(node: RunningNode, name: str, terms: tuple[str, ...]) -> list[Dataset]:
    """The answers, as pydicom reads them, to a query for a name in a character set."""
    elements = (
        Element(LEVEL, "CS", ("STUDY",)),
        Element(NAME, "PN", (name,)),
        Element(DESCRIPTION, "LO", ()),
        Element(STUDY, "UI", ()),
    )
    data = encode_identifier(Identifier(elements), EXPLICIT_LITTLE, terms)
    with associate(node, [ProposedContext(FIND, (EXPLICIT_LITTLE,))]) as association:
        *answers, last = scu.find(association, scu.context_for(association, FIND), data)
    assert last.status == 0
    return [decoded(answer.identifier) for answer in answers]


def check(sample: Sample, answer: Dataset) -> None:
    """The text is the sample's: no character was replaced."""
    answer.decode()
    assert str(answer.PatientName).rstrip("=") == sample.person
    assert answer.StudyDescription == sample.text


@pytest.mark.parametrize("number", range(16))
def test_a_name_is_found_in_utf_8_and_answered_in_it(node: RunningNode, samples: list[Sample], number: int) -> None:
    sample = samples[number]
    for name in (sample.person, sample.person[:2] + "*", "*" + sample.person.rstrip()[-2:]):
        found = [ds for ds in ask(node, name, (UTF_8,)) if ds.StudyInstanceUID == sample.study_uid]
        assert len(found) == 1, name
        check(sample, found[0])
        is_ascii = (sample.person + sample.text).isascii()
        assert found[0].get("SpecificCharacterSet", UTF_8 if is_ascii else None) == UTF_8


@pytest.mark.parametrize("number", range(16))
def test_a_name_is_found_in_its_own_set_and_answered_in_it(
    node: RunningNode, samples: list[Sample], number: int
) -> None:
    sample = samples[number]
    found = [ds for ds in ask(node, sample.person, sample.terms) if ds.StudyInstanceUID == sample.study_uid]
    assert len(found) == 1
    check(sample, found[0])
    terms = found[0].get("SpecificCharacterSet", "")
    given = (terms,) if isinstance(terms, str) else tuple(terms)
    assert tuple(term or "" for term in given) in (sample.terms or ("",), tuple(term or "" for term in sample.terms))


@pytest.mark.parametrize("number", range(16))
def test_a_question_in_ascii_is_answered_in_a_set_that_can_hold_the_text(
    node: RunningNode, samples: list[Sample], number: int
) -> None:
    sample = samples[number]
    found = [ds for ds in ask(node, "*", ()) if ds.StudyInstanceUID == sample.study_uid]
    assert len(found) == 1
    check(sample, found[0])
    if not (sample.person + sample.text).isascii():
        assert found[0].SpecificCharacterSet == UTF_8


def test_stored_bytes_come_back_as_they_were(node: RunningNode, samples: list[Sample]) -> None:
    kept = Kept()
    wanted = identifier("STUDY", StudyInstanceUID=[sample.study_uid for sample in samples])
    responses = get(node, wanted, [(SECONDARY_CAPTURE, EXPLICIT_LITTLE)], kept)
    assert responses[-1].status == 0
    assert {sent.data for sent in kept.objects} == {sample.sent().data for sample in samples}


def test_bytes_that_are_no_text_of_their_set_are_no_error_and_leak_nothing(node: RunningNode) -> None:
    with associate(node, [ProposedContext(FIND, (EXPLICIT_LITTLE,))]) as association:
        elements = (Element(LEVEL, "CS", ("STUDY",)), Element(NAME, "PN", ("ABCD",)))
        data = encode_identifier(Identifier(elements), EXPLICIT_LITTLE, (UTF_8,))
        for damage in (b"\xff\xfe\xfd\xfc", b"\x1b$B\xff", b"A\0BC"):
            responses = list(scu.find(association, scu.context_for(association, FIND), data.replace(b"ABCD", damage)))
            assert responses[-1].status in (0x0000, 0xA900)
            assert len(responses) == 1
