"""Lists of studies: what is found, in which order, in which pages, and what each study holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from radfuse.archive.index import studies
from radfuse.archive.index.contents import instance_rows, series_rows
from radfuse.archive.index.studies import StudyListing, StudyOrder, list_studies, study_row
from radfuse.archive.index.study_terms import ArrivedIn, HasModality, HasText, StudyField
from tests.archive.index.small_archive import AnInstance, APatient, ASeries, AStudy, index_of
from tests.archive.index.studies_scene import check_cases, check_pages, expected, patients, spread_arrivals, term, uids


@pytest.fixture
def connection() -> Iterator[Connection]:
    with index_of(patients()) as opened:
        spread_arrivals(opened)
        yield opened


def test_every_kind_of_word_finds_what_fits(connection: Connection) -> None:
    check_cases(connection)


def test_it_finds_the_same_where_many_fit(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "_FEW", 2)
    monkeypatch.setattr(studies, "_SEVERAL", 2)
    check_cases(connection)


def test_it_finds_the_same_where_descriptions_are_very_many(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "_MOST_DESCRIPTIONS", 2)
    found = list_studies(connection, StudyListing((term(HasText(StudyField.DESCRIPTION, "THORAX")),), limit=100))
    assert set(uids(found)) == {each.study.uid for each in expected() if "Thorax" in each.study.description}


def test_pages_put_together_are_the_whole_list(connection: Connection) -> None:
    check_pages(connection)


def test_pages_are_the_whole_list_where_many_fit(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "_FEW", 2)
    monkeypatch.setattr(studies, "_SEVERAL", 2)
    check_pages(connection)


def test_all_words_must_fit(connection: Connection) -> None:
    terms = (term(HasModality(("CT",))), term(HasText(StudyField.NAME, "smith")))
    wanted = {each.study.uid for each in expected() if "CT" in each.modalities and "smith" in each.person.name.lower()}
    assert set(uids(list_studies(connection, StudyListing(terms, limit=100)))) == wanted


def test_the_newest_come_first(connection: Connection) -> None:
    dates = [row.study_date for row in list_studies(connection, StudyListing(limit=100))]
    assert dates == sorted(dates, reverse=True)
    names = [row.patient_name for row in list_studies(connection, StudyListing((), StudyOrder.NAME, False, limit=100))]
    assert [name.lower().split("=")[0] for name in names] == sorted(name.lower().split("=")[0] for name in names)
    arrived = [row.last_arrived_s for row in list_studies(connection, StudyListing((), StudyOrder.ARRIVAL, limit=100))]
    assert arrived == sorted(arrived, reverse=True)


def test_a_study_has_what_it_holds(connection: Connection) -> None:
    for each in expected():
        row = study_row(connection, each.study.uid)
        assert row is not None
        assert (row.patient_name, row.patient_id) == (each.person.name, each.person.patient_id)
        assert (row.sex, row.birth_date) == (each.person.sex, each.person.birth_date)
        assert (row.study_date, row.description) == (each.study.date, each.study.description)
        assert set(row.modalities) == each.modalities
        assert row.series == len(each.study.series)
        assert row.instances == row.size_bytes == sum(len(one.instances) for one in each.study.series)
        assert 1000 < row.first_arrived_s <= row.last_arrived_s


def test_an_unknown_study_is_none(connection: Connection) -> None:
    assert study_row(connection, "1.2.3") is None
    assert series_rows(connection, "1.2.3") == []
    assert instance_rows(connection, "1.2.3", "1.2.4") is None


def test_what_arrived_in_a_time_is_found(connection: Connection) -> None:
    first = list_studies(connection, StudyListing((), StudyOrder.ARRIVAL, False, limit=1))[0]
    arrived = term(ArrivedIn(first.first_arrived_s, first.last_arrived_s + 1))
    assert uids(list_studies(connection, StudyListing((arrived,)))) == [first.study_instance_uid]


def test_an_empty_index_lists_nothing() -> None:
    with index_of([]) as connection:
        assert list_studies(connection, StudyListing()) == []
        assert list_studies(connection, StudyListing((term(HasText(StudyField.DESCRIPTION, "x")),))) == []


# --- a study's contents ------------------------------------------------------------------------


def numbered_series() -> list[APatient]:
    numbers = ("10", "9", "+2", "007", "", "x", "1")
    instances = tuple(AnInstance(f"2.25.3.{place}", number) for place, number in enumerate(numbers))
    series = (ASeries("2.25.2.1", instances, "MR", "10"), ASeries("2.25.2.2", instances[:0], "CT", "9"),
              ASeries("2.25.2.3", (AnInstance("2.25.3.99", "1"),), "CT", "2"))  # fmt: skip
    return [APatient("P", "N", (AStudy("2.25.1.1", series),))]


def test_series_are_in_the_order_of_their_numbers_and_empty_ones_are_not_there() -> None:
    with index_of(numbered_series()) as connection:
        rows = series_rows(connection, "2.25.1.1")
    assert [(row.series_number, row.instances) for row in rows] == [("2", 1), ("10", 7)]
    assert rows[1].middle is not None
    assert rows[1].middle.instance_number == "+2" or rows[1].middle.instance_number


def test_instances_are_in_the_order_of_their_numbers_whatever_they_look_like() -> None:
    with index_of(numbered_series()) as connection:
        rows = instance_rows(connection, "2.25.1.1", "2.25.2.1")
        assert rows is not None
        assert [row.instance_number for row in rows] == ["", "1", "+2", "007", "9", "x", "10"]
        paged = []
        after: tuple[int, str, int] | tuple[()] = ()
        while page := instance_rows(connection, "2.25.1.1", "2.25.2.1", after, 2):
            paged += page
            after = page[-1].place
    assert paged == rows


@pytest.mark.parametrize("several", [0, 1000])
@pytest.mark.parametrize("order", StudyOrder)
def test_where_many_fit_each_word_those_that_fit_all_are_found(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, several: int, order: StudyOrder
) -> None:
    monkeypatch.setattr(studies, "_FEW", 2)
    monkeypatch.setattr(studies, "_SEVERAL", several)
    terms = (
        term(HasModality(("CT",))),
        term(HasText(StudyField.NAME, "smith"), HasText(StudyField.DESCRIPTION, "kopf")),
    )
    wanted = {
        each.study.uid
        for each in expected()
        if "CT" in each.modalities and ("smith" in each.person.name.lower() or "Kopf" in each.study.description)
    }
    assert set(uids(list_studies(connection, StudyListing(terms, order, limit=100)))) == wanted
