"""From what a person has chosen to the objects that are kept of it."""

from __future__ import annotations

import pytest

from radfuse.archive import Archive
from radfuse.core.errors import ConfigurationError, InvalidUID, UnknownEntity
from radfuse.services.selection import InstanceAddress, Selection, SeriesAddress, objects_of, studies_of
from tests.archive.objects import AnObject, store

STUDY, OTHER = "2.25.10", "2.25.11"
FIRST, SECOND = SeriesAddress(STUDY, "2.25.20"), SeriesAddress(STUDY, "2.25.21")


@pytest.fixture
def filled(archive: Archive) -> Archive:
    for study, series, uid in (
        (STUDY, "2.25.20", "2.25.1"),
        (STUDY, "2.25.20", "2.25.2"),
        (STUDY, "2.25.21", "2.25.3"),
        (OTHER, "2.25.22", "2.25.4"),
    ):
        store(archive, AnObject(uid, series=series, study=study, number=uid[-1]))
    return archive


def uids(archive: Archive, selection: Selection) -> list[str]:
    return [stored.sop_instance_uid for stored in objects_of(archive, selection)]


def test_studies_series_and_instances_give_their_objects(filled: Archive) -> None:
    assert uids(filled, Selection([STUDY])) == ["2.25.1", "2.25.2", "2.25.3"]
    assert uids(filled, Selection(series=[SECOND, FIRST])) == ["2.25.3", "2.25.1", "2.25.2"]
    assert uids(filled, Selection(instances=[InstanceAddress(*FIRST, "2.25.2")])) == ["2.25.2"]
    assert uids(filled, Selection([STUDY, OTHER])) == ["2.25.1", "2.25.2", "2.25.3", "2.25.4"]


def test_what_is_chosen_twice_comes_once(filled: Archive) -> None:
    twice = Selection([STUDY, STUDY], [FIRST], [InstanceAddress(*FIRST, "2.25.1"), InstanceAddress(*FIRST, "2.25.1")])
    assert uids(filled, twice) == ["2.25.1", "2.25.2", "2.25.3"]
    assert studies_of(twice) == [STUDY]


@pytest.mark.parametrize(
    "selection",
    [
        Selection(["2.25.404"]),
        Selection([STUDY, "2.25.404"]),
        Selection(series=[SeriesAddress(OTHER, "2.25.20")]),
        Selection(instances=[InstanceAddress(*FIRST, "2.25.1"), InstanceAddress(*FIRST, "2.25.3")]),
    ],
)
def test_what_is_not_kept_there_is_refused_as_a_whole(filled: Archive, selection: Selection) -> None:
    with pytest.raises(UnknownEntity):
        objects_of(filled, selection)


def test_nothing_selected_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="nothing is selected"):
        Selection()


@pytest.mark.parametrize("uid", ["", "1.2.*", "1.2\\1.3", "../etc", "1" * 65])
def test_what_is_no_uid_is_refused(uid: str) -> None:
    with pytest.raises(InvalidUID):
        Selection([uid])
    with pytest.raises(InvalidUID):
        Selection(series=[SeriesAddress("1.2", uid)])
    with pytest.raises(InvalidUID):
        Selection(instances=[InstanceAddress("1.2", "1.3", uid)])


def test_thousands_of_instances_of_a_series_are_found(archive: Archive) -> None:
    kept = [f"2.25.30.{number}" for number in range(300)]
    for uid in kept:
        store(archive, AnObject(uid))
    asked = [InstanceAddress("2.25.10", "2.25.20", uid) for uid in kept]
    assert sorted(uids(archive, Selection(instances=asked * 34))) == sorted(kept)
