"""Sessions of the workstation: saved as standard objects, listed. They are opened as drafts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request

from radfuse.core.uids import checked_uid, new_uid
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.peers import Peer
from radfuse.services.send_job import check_may_send, new_send
from radfuse.services.stored_objects import objects_named
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.jobs import Job
from radfuse.web.api.refusals import refusals
from radfuse.web.api.session_models import KeptSession, SavedObject, SavedSession, SessionAsk, session_of
from radfuse.web.api.workspace_models import WorkspaceState
from radfuse.web.identity import Identity, identity_of, note
from radfuse.web.problems import HttpProblem

if TYPE_CHECKING:
    from radfuse.objects.common import Making
    from radfuse.services import sessions as service

_OTHER = "the draft is not the one that was meant: somebody has changed it; look at it, then save again"


def router(desk: ApiDesk) -> APIRouter:
    """Sessions."""
    routes = APIRouter(tags=["workstation"])
    routes.post(
        "/workspaces/{workspace}/session",
        summary="Save a draft as a session: standard objects in the archive, all or none",
        status_code=HTTPStatus.CREATED,
        responses=refusals(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    )(_save(desk))
    routes.get(
        "/sessions",
        summary="The sessions of a study, and selections of key objects of other systems; the newest first",
        responses=refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND),
    )(_listing(desk))
    return routes


def _save(desk: ApiDesk) -> Callable[..., SavedSession]:
    def save_session(
        workspace: Annotated[str, Path(max_length=64, description="Of the draft.")],
        ask: SessionAsk,
        request: Request,
        database: DatabaseName = DEFAULT_DATABASE,
    ) -> SavedSession:
        """Open it again with `POST /api/workspaces {"from": SOPInstanceUID}`, here or wherever its objects are."""
        from radfuse.services import sessions as service
        from radfuse.services.viewing import computed

        archive = desk.archive(database)
        peers = [desk.peer(name) for name in dict.fromkeys(ask.peers)]
        for peer in peers:
            check_may_send(peer)
        found = desk.workspaces.find(database, workspace)
        note(request, "save session", study=found.facts.study)
        if ask.revision is not None and ask.revision != found.facts.revision:
            raise HttpProblem(HTTPStatus.CONFLICT, _OTHER)
        who = identity_of(request)
        state = WorkspaceState.model_validate_json(found.state)
        new = session_of(ask, (found.facts.study, workspace, state), who.user)
        saved = computed(lambda: service.save_session(archive, new, _making(who)))
        return SavedSession(
            SOPInstanceUID=saved.sop_instance_uid,
            version=saved.version,
            objects=[
                SavedObject(
                    label=f"{part.role.value}: {part.label}" if part.label else part.role.value,
                    SOPClassUID=part.sop_class_uid,
                    SOPInstanceUID=part.sop_instance_uid,
                )
                for part in saved.parts
            ],
            notes=list(saved.notes),
            jobs=_send(desk, database, saved, peers, found.facts.study),
        )

    return save_session


def _making(who: Identity) -> Making:
    from radfuse.objects.common import Making

    return Making(datetime.now(UTC).astimezone(), new_uid, who.person)


def _send(desk: ApiDesk, database: str, saved: service.SavedSession, peers: Sequence[Peer], study: str) -> list[Job]:
    """One job for each peer: what was made, and the registrations that it needs."""
    uids = [*(part.sop_instance_uid for part in saved.parts), *saved.registrations]
    objects = list(objects_named(desk.archive(database), uids).values()) if peers else []
    jobs = []
    for peer in peers:
        number = desk.jobs.submit(replace(new_send(desk.jobs, peer, objects, database=database), studies=(study,)))
        jobs.append(Job.of(desk.jobs.get(number)))
    return jobs


def _listing(desk: ApiDesk) -> Callable[..., list[KeptSession]]:
    def sessions(
        request: Request, study: Annotated[str, Query(max_length=64)], database: DatabaseName = DEFAULT_DATABASE
    ) -> list[KeptSession]:
        from radfuse.services.sessions import sessions_of_study

        archive = desk.archive(database)
        note(request, "view", study=checked_uid(study, "Study Instance UID"))
        return [KeptSession.of(row) for row in sessions_of_study(archive, study)]

    return sessions
