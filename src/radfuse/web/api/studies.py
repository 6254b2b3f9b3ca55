"""What is kept: the list of studies searched as one types, a study in detail, every attribute of an object."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from radfuse.archive.queries import StudyOrder, StudyRow
from radfuse.core.uids import checked_uid
from radfuse.services.browse import (
    MAX_PAGE,
    MAX_SEARCH_CHARACTERS,
    Badges,
    StudySearch,
    attributes_of,
    badges_of,
    history_of,
    instances_kept,
    instances_of_series,
    search_studies,
    study_in_detail,
)
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.sessions import has_session
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.api.study_models import (
    Attribute,
    HistoryEntry,
    Instance,
    InstancePage,
    Series,
    Study,
    StudyDetail,
    StudyHolding,
    StudyPage,
    UnderstoodWord,
)
from radfuse.web.identity import note

_Cursor = Annotated[str, Query(max_length=1000, description="`next` of the page before.")]
_Uid = Annotated[str, Path(max_length=64)]
_REFUSALS = refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)


class Direction(StrEnum):
    """Which way a list goes."""

    ASCENDING = "asc"
    DESCENDING = "desc"


def router(desk: ApiDesk) -> APIRouter:
    """Looking at what is kept."""
    routes = APIRouter(prefix="/studies", tags=["studies"], responses=_REFUSALS)
    series, instance = "/{study}/series/{series}", "/{study}/series/{series}/instances/{instance}"
    routes.get("", summary="Studies, searched by the words of one field")(_listing(desk))
    routes.get("/{study}", summary="A study and its series")(_study(desk))
    routes.get("/{study}/holding", summary="How much of a study is here")(_holding(desk))
    routes.get("/{study}/history", summary="What happened to a study, the newest first")(_history(desk))
    routes.get(series, summary="The instances of a series, by number")(_instances(desk))
    routes.get(instance + "/attributes", summary="Every attribute of an object")(_attributes(desk))
    return routes


def _listing(desk: ApiDesk) -> Callable[..., StudyPage]:
    def studies(
        request: Request,
        q: Annotated[str, Query(max_length=MAX_SEARCH_CHARACTERS, description="Words, all of which must fit.")] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: _Cursor = "",
        sort: StudyOrder = StudyOrder.DATE,
        order: Direction | None = None,
        database: DatabaseName = DEFAULT_DATABASE,
    ) -> StudyPage:
        is_descending = order is Direction.DESCENDING if order is not None else sort is not StudyOrder.NAME
        archive = desk.archive(database)
        if q.strip():
            note(request, "search", subject=q)
        found = search_studies(archive, StudySearch(q, sort, is_descending, cursor, limit))
        goes_on = badges_of(desk.jobs, found.studies, database, partial(has_session, archive))
        return StudyPage(
            studies=[Study.of(row, goes_on[row.study_instance_uid]) for row in found.studies],
            next=found.next or None,
            understood=[UnderstoodWord(text=word.text, meaning=word.meaning) for word in found.words],
        )

    return studies


def _holding(desk: ApiDesk) -> Callable[..., StudyHolding]:
    def study_holding(study: _Uid, database: DatabaseName = DEFAULT_DATABASE) -> StudyHolding:
        """Nothing when it is not known. It tells nothing of a patient, and is not in the access log."""
        checked_uid(study, "Study Instance UID")
        return StudyHolding(instances=instances_kept(desk.archive(database), study))

    return study_holding


def _study(desk: ApiDesk) -> Callable[..., StudyDetail]:
    def study_detail(request: Request, study: _Uid, database: DatabaseName = DEFAULT_DATABASE) -> StudyDetail:
        checked_uid(study, "Study Instance UID")
        note(request, "view", study=study)
        row, series = study_in_detail(desk.archive(database), study)
        return StudyDetail(
            study=Study.of(row, _badges(desk, row, database)),
            series=[Series.of(each, study, database) for each in series],
        )

    return study_detail


def _badges(desk: ApiDesk, row: StudyRow, database: str) -> Badges:
    has_one = partial(has_session, desk.archive(database))
    return badges_of(desk.jobs, [row], database, has_one)[row.study_instance_uid]


def _instances(desk: ApiDesk) -> Callable[..., InstancePage]:
    def series_instances(
        study: _Uid,
        series: _Uid,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        cursor: _Cursor = "",
        database: DatabaseName = DEFAULT_DATABASE,
    ) -> InstancePage:
        checked_uid(study, "Study Instance UID")
        checked_uid(series, "Series Instance UID")
        found = instances_of_series(desk.archive(database), study, series, cursor, limit)
        return InstancePage(
            instances=[Instance.of(row, study, series, database) for row in found.instances], next=found.next or None
        )

    return series_instances


def _attributes(desk: ApiDesk) -> Callable[..., list[Attribute]]:
    def instance_attributes(
        request: Request, study: _Uid, series: _Uid, instance: _Uid, database: DatabaseName = DEFAULT_DATABASE
    ) -> list[Attribute]:
        for uid, name in ((study, "Study"), (series, "Series"), (instance, "SOP")):
            checked_uid(uid, f"{name} Instance UID")
        note(request, "view", study=study)
        return [Attribute.of(line) for line in attributes_of(desk.archive(database), study, series, instance)]

    return instance_attributes


def _history(desk: ApiDesk) -> Callable[..., list[HistoryEntry]]:
    def study_history(study: _Uid, database: DatabaseName = DEFAULT_DATABASE) -> list[HistoryEntry]:
        checked_uid(study, "Study Instance UID")
        found = history_of(desk.archive(database), desk.jobs, desk.access_log, study, database)
        return [HistoryEntry.of(row) for row in found]

    return study_history
