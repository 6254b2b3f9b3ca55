"""Pages of the list of studies and of a series: cursors lead on, and nothing else is taken for one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radfuse.archive import Archive
from radfuse.archive.queries import StudyOrder
from radfuse.core.errors import ConfigurationError, UnknownEntity
from radfuse.services.browse import StudySearch, attributes_of, instances_of_series, search_studies, study_in_detail
from radfuse.services.browse.details import has_picture
from radfuse.services.browse.listing import _place_of
from tests.archive.objects import numbered, store


@pytest.fixture
def filled(archive: Archive) -> Archive:
    for number in range(0, 1200, 100):
        store(archive, numbered(number, name=f"Name{number % 500}^X"))
    return archive


def pages(archive: Archive, order: StudyOrder, size: int) -> Iterator[list[str]]:
    cursor = ""
    while True:
        found = search_studies(archive, StudySearch(order=order, cursor=cursor, limit=size))
        yield [study.study_instance_uid for study in found.studies]
        cursor = found.next
        if not cursor:
            return


@pytest.mark.parametrize("order", StudyOrder)
def test_cursors_lead_through_the_whole_list(filled: Archive, order: StudyOrder) -> None:
    (whole,) = pages(filled, order, 100)
    assert len(whole) == 12
    assert [uid for page in pages(filled, order, 5) for uid in page] == whole
    assert [len(page) for page in pages(filled, order, 6)] == [6, 6]


def test_what_comes_meanwhile_moves_nothing(filled: Archive) -> None:
    first = search_studies(filled, StudySearch(order=StudyOrder.ARRIVAL, limit=5))
    whole = [each for page in pages(filled, StudyOrder.ARRIVAL, 100) for each in page]
    store(filled, numbered(5000))
    rest = search_studies(filled, StudySearch(order=StudyOrder.ARRIVAL, cursor=first.next, limit=50))
    assert [study.study_instance_uid for study in (*first.studies, *rest.studies)] == whole


@pytest.mark.parametrize(
    "value",
    [
        *(None, 1, [], ["date", True], ["date", True, 1, 2], ["name", True, "a", 1, 2], ["date", False, "", 1]),
        *(["date", True, "2\0", 1], ["date", True, "\ud800", 1], ["date", True, "", -1]),
        *(["date", True, "", 1 << 70], ["date", True, "", 1.5]),
    ],
)
def test_what_is_no_cursor_of_this_list_is_refused(archive: Archive, value: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
    with pytest.raises(ConfigurationError, match="cursor"):
        search_studies(archive, StudySearch(cursor=cursor))


@given(st.text(min_size=1))
def test_no_text_is_taken_for_a_cursor_by_mistake(text: str) -> None:
    with pytest.raises(ConfigurationError):
        _place_of(StudySearch(cursor=text))


def test_a_series_is_read_in_pages(archive: Archive) -> None:
    for number in range(10):
        store(archive, replace(numbered(number), number=str(number)))
    study, series = numbered(1).study, numbered(1).series
    first = instances_of_series(archive, study, series, "", 4)
    rest = instances_of_series(archive, study, series, first.next, 100)
    assert [row.instance_number for row in (*first.instances, *rest.instances)] == [str(each) for each in range(10)]
    assert rest.next == ""
    for cursor in ("x", "bnVsbA", base64.urlsafe_b64encode(b"[1]").decode()):
        with pytest.raises(ConfigurationError, match="cursor"):
            instances_of_series(archive, study, series, cursor, 4)


def test_what_is_not_kept_is_said_to_be_unknown(archive: Archive) -> None:
    with pytest.raises(UnknownEntity):
        study_in_detail(archive, "1.2")
    with pytest.raises(UnknownEntity):
        instances_of_series(archive, "1.2", "1.3", "", 10)
    with pytest.raises(UnknownEntity):
        attributes_of(archive, "1.2", "1.3", "1.4")


def test_the_attributes_of_a_kept_object_are_read(archive: Archive) -> None:
    store(archive, numbered(1))
    made = numbered(1)
    lines = attributes_of(archive, made.study, made.series, made.uid)
    assert {"(0002,0010)": "TransferSyntaxUID", "(0010,0010)": "PatientName"}.items() <= {
        line.tag: line.keyword for line in lines
    }.items()


def test_what_has_pixels_has_a_picture() -> None:
    assert has_picture("1.2.840.10008.5.1.4.1.1.2")
    assert has_picture("1.2.840.10008.5.1.4.1.1.481.2")
    assert not has_picture("1.2.840.10008.5.1.4.1.1.481.3")
    assert not has_picture("1.2.840.10008.5.1.4.1.1.88.11")
    assert not has_picture("1.2.3")
