"""Sixty studies that differ in everything a list shows, and what must be found among them, said in plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, update

from radfuse.archive.index.schema import instance
from radfuse.archive.index.studies import StudyListing, StudyOrder, StudyRow, list_studies
from radfuse.archive.index.study_terms import (
    ArrivedIn,
    BornIn,
    HasModality,
    HasNameParts,
    HasSex,
    HasText,
    HasUid,
    StudyClause,
    StudyDateIn,
    StudyField,
    StudyTerm,
)
from radfuse.dicom.words import fold_groups
from tests.archive.index.small_archive import AnInstance, APatient, ASeries, AStudy

_NAMES = (
    "Smith^Jane", "SMITH^John", "van der Berg^Jan", "Müller^Änne", "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "Smithson^Al", "O'Hara-Jones^Mary", "", "100%^Sure", "Under_Score^X",
)  # fmt: skip
_DESCRIPTIONS = ("CT Thorax", "Kopf nativ", "WHOLE BODY pet/ct", "", "50% contrast", "Ärztliche Aufnahme", "a_b")
_DATES = ("20261120", "20261119", "20251231", "20200101", "", "19991231")
_MODALITIES = (("CT",), ("PT", "CT"), ("MR",), ("RTSTRUCT", "CT"), ("",))
_STUDIES = 60


def patients() -> list[APatient]:
    """A patient for each study or two."""
    chance = random.Random(7)
    made = []
    for number in range(_STUDIES // 2):
        studies = tuple(_study(2 * number + place, chance) for place in range(2))
        born = ("19600131", "19600201", "", "20011112")[number % 4]
        made.append(APatient(f"P-{number:03d}", _NAMES[number % len(_NAMES)], studies, born, "FMO"[number % 3]))
    return made


def _study(number: int, chance: random.Random) -> AStudy:
    modalities = _MODALITIES[chance.randrange(len(_MODALITIES))]
    series = tuple(
        ASeries(
            f"2.25.2.{number}.{place}",
            tuple(AnInstance(f"2.25.3.{number}.{place}.{each}") for each in range(chance.randrange(1, 4))),
            modality,
            str(place + 1),
        )
        for place, modality in enumerate(modalities)
    )
    return AStudy(
        f"2.25.1.{number}",
        series,
        chance.choice(_DATES),
        accession_number=f"Acc{number:04d}",
        description=chance.choice(_DESCRIPTIONS),
        referring_physician=("House^Gregory", "")[number % 2],
    )


def spread_arrivals(connection: Connection) -> None:
    """Let each object arrive some seconds after the one before."""
    connection.execute(update(instance).values(arrived_s=1000 + 10 * instance.c.id))


@dataclass(frozen=True)
class Expected:
    """A study as the oracle knows it."""

    person: APatient
    study: AStudy

    @property
    def modalities(self) -> set[str]:
        return {one.modality for one in self.study.series} - {""}


def expected() -> list[Expected]:
    return [Expected(person, study) for person in patients() for study in person.studies]


def _has_name(text: str, each: Expected) -> bool:
    return any(text in group for group in fold_groups(each.person.name))


CASES: Sequence[tuple[str, tuple[StudyClause, ...], Callable[[Expected], bool]]] = (
    ("name infix", (HasText(StudyField.NAME, "smith"),), lambda each: _has_name("smith", each)),
    ("given name", (HasText(StudyField.NAME, "jan"),), lambda each: _has_name("jan", each)),
    ("ideographic", (HasText(StudyField.NAME, "太", at_start=True),), lambda each: "太" in each.person.name),
    ("phonetic", (HasText(StudyField.NAME, "やまだ"),), lambda each: "やまだ" in each.person.name),
    ("percent in a name", (HasText(StudyField.NAME, "0%"),), lambda each: "0%" in each.person.name),
    ("underscore in a name", (HasText(StudyField.NAME, "r_s"),), lambda each: "r_S" in each.person.name),
    ("begin of a component", (HasText(StudyField.NAME, "j", at_start=True),),
     lambda each: any(part.startswith("j") for part in
                      fold_groups(each.person.name)[0].replace("^", " ").replace("-", " ").split())),
    ("umlaut", (HasText(StudyField.NAME, "müller"),), lambda each: "Müller" in each.person.name),
    ("family and given", (HasNameParts(("smith", "j")),),
     lambda each: each.person.name.lower().startswith("smith^j")),
    ("family of several words", (HasNameParts(("berg", "jan")),), lambda each: "Berg" in each.person.name),
    ("patient ID", (HasText(StudyField.PATIENT_ID, "p-01", at_start=True),),
     lambda each: each.person.patient_id.startswith("P-01")),
    ("patient ID infix", (HasText(StudyField.PATIENT_ID, "02"),), lambda each: "02" in each.person.patient_id),
    ("accession number", (HasText(StudyField.ACCESSION_NUMBER, "Acc000", at_start=True),),
     lambda each: each.study.accession_number.startswith("Acc000")),
    ("description", (HasText(StudyField.DESCRIPTION, "thorax"),), lambda each: "Thorax" in each.study.description),
    ("description in any case", (HasText(StudyField.DESCRIPTION, "ÄRZTLICHE"),),
     lambda each: "Ärztliche" in each.study.description),
    ("begin of a word of a description", (HasText(StudyField.DESCRIPTION, "pe", at_start=True),),
     lambda each: "pet" in each.study.description),
    ("percent in a description", (HasText(StudyField.DESCRIPTION, "0% c"),),
     lambda each: "50% contrast" in each.study.description),
    ("underscore in a description", (HasText(StudyField.DESCRIPTION, "a_b"),),
     lambda each: each.study.description == "a_b"),
    ("referring physician", (HasText(StudyField.REFERRER, "house"),),
     lambda each: bool(each.study.referring_physician)),
    ("modality", (HasModality(("PT",)),), lambda each: "PT" in each.modalities),
    ("modalities", (HasModality(("MR", "RTSTRUCT")),), lambda each: bool({"MR", "RTSTRUCT"} & each.modalities)),
    ("sex", (HasSex(("F",)),), lambda each: each.person.sex == "F"),
    ("study date", (StudyDateIn("20200101", "20261119"),), lambda each: "20200101" <= each.study.date <= "20261119"),
    ("until", (StudyDateIn("18000101", "20200101"),), lambda each: "0" < each.study.date <= "20200101"),
    ("born", (BornIn("19600101", "19601231"),), lambda each: each.person.birth_date.startswith("1960")),
    ("study UID", (HasUid("2.25.1.7"),), lambda each: each.study.uid.startswith("2.25.1.7")),
    ("series UID", (HasUid("2.25.2.9.0"),), lambda each: each.study.uid == "2.25.1.9"),
    ("SOP Instance UID", (HasUid("2.25.3.11.0.0"),), lambda each: each.study.uid == "2.25.1.11"),
    ("nothing arrived then", (ArrivedIn(0, 1000),), lambda _each: False),
    ("all arrived then", (ArrivedIn(1000, 100_000),), lambda _each: True),
    ("one thing or another", (HasText(StudyField.NAME, "smith"), HasText(StudyField.DESCRIPTION, "kopf")),
     lambda each: _has_name("smith", each) or "Kopf" in each.study.description),
    ("nothing", (HasText(StudyField.NAME, "nobody"),), lambda _each: False),
)  # fmt: skip


def term(*clauses: StudyClause) -> StudyTerm:
    return StudyTerm(clauses)


def uids(rows: Sequence[StudyRow]) -> list[str]:
    return [row.study_instance_uid for row in rows]


def check_cases(connection: Connection) -> None:
    """Every case finds what plain Python finds, in every order."""
    for name, clauses, fits in CASES:
        wanted = {each.study.uid for each in expected() if fits(each)}
        for order in StudyOrder:
            found = uids(list_studies(connection, StudyListing((term(*clauses),), order, limit=100)))
            assert len(found) == len(set(found))
            assert set(found) == wanted, (name, order)


def check_pages(connection: Connection) -> None:
    """Pages of any size put together are the whole list, in either direction."""
    for order in StudyOrder:
        for is_descending in (True, False):
            for terms in ((), (term(HasModality(("CT",))),)):
                whole = uids(list_studies(connection, StudyListing(terms, order, is_descending, limit=100)))
                assert whole
                for size in (1, 7):
                    assert in_pages(connection, StudyListing(terms, order, is_descending, limit=size)) == whole


def in_pages(connection: Connection, listing: StudyListing) -> list[str]:
    """The whole list, page by page."""
    found: list[str] = []
    while page := list_studies(connection, listing):
        found += uids(page)
        listing = replace(listing, after=page[-1].place)
    return found
