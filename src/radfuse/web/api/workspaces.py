"""Drafts of the workstation: begun, read, kept every few seconds, removed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from radfuse.core.errors import ConfigurationError, ObjectTooLarge
from radfuse.core.uids import checked_uid
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.registrations import place_of
from radfuse.services.roles import Role
from radfuse.services.workspaces import Change, Newest
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.api.session_models import state_of
from radfuse.web.api.views import View
from radfuse.web.api.workspace_models import (
    NewWorkspace,
    Workspace,
    WorkspaceChange,
    WorkspaceRevision,
    WorkspaceRow,
    WorkspaceState,
    WorkspaceVersion,
)
from radfuse.web.identity import KEEP_DRAFT, identity_of, note
from radfuse.web.problems import PROBLEM_TYPE, HttpProblem, problem_of, too_large

_Id = Annotated[str, Path(max_length=64, description="Of the draft.")]
_JSON: Final = "application/json"
_TOO_LATE: Final = "somebody else has changed this draft meanwhile; what you sent is kept among its versions"
_REFUSED: Final = refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)


def router(desk: ApiDesk) -> APIRouter:
    """Drafts."""
    routes = APIRouter(prefix="/workspaces", tags=["workstation"], responses=_REFUSED)
    one, no_content = "/{workspace}", HTTPStatus.NO_CONTENT
    routes.post("", summary="Begin a draft of a study", response_model=Workspace)(_begin(desk))
    routes.get("", summary="The drafts of a study, that changed last first")(_listing(desk))
    routes.get(one, summary="A draft as it is now", response_model=Workspace)(_read(desk))
    routes.put(
        one,
        summary="Keep a state of a draft",
        response_model=WorkspaceRevision,
        responses=refusals(HTTPStatus.CONFLICT),
    )(_keep(desk))
    routes.delete(
        one,
        summary="Remove a draft with its versions",
        status_code=no_content,
        responses=refusals(HTTPStatus.FORBIDDEN),
    )(_remove(desk))
    routes.get(one + "/versions", summary="The states of a draft that are kept")(_versions(desk))
    routes.get(one + "/versions/{number}", summary="One of them", response_model=Workspace)(_version(desk))
    return routes


def _begin(desk: ApiDesk) -> Callable[..., Response]:
    def begin_workspace(new: NewWorkspace, request: Request, database: DatabaseName = DEFAULT_DATABASE) -> Response:
        """The first series is the base, the second lies over it; or all as it was in a saved session."""
        archive = desk.archive(database)
        if new.session is not None:
            return _reopen(desk, new, request, database)
        checked_uid(new.study, "Study Instance UID")
        note(request, "begin draft", study=new.study)
        for uid in new.series or ():
            place_of(archive, checked_uid(uid, "Series Instance UID"))
        state = _encoded(_first_state(new.series or ()))
        change = Change(1, state, identity_of(request).user)
        return _answer(desk.workspaces.create(database, new.study, new.title, change))

    return begin_workspace


def _reopen(desk: ApiDesk, new: NewWorkspace, request: Request, database: str) -> Response:
    """A draft that goes on with a session; what is gone or was changed is in its findings."""
    from radfuse.services.sessions import restore_session
    from radfuse.services.viewing import computed

    if new.series:
        raise ConfigurationError("series", "a session says itself which series it shows: leave them out")
    uid = checked_uid(new.session or "", "SOP Instance UID")
    archive = desk.archive(database)
    restored = computed(lambda: restore_session(archive, uid))
    session = restored.session
    note(request, "open session", study=session.study)
    state = state_of(restored, _first_state(restored.series))
    if state is None:
        restored = computed(lambda: restore_session(archive, uid, plainly=True))
        state = state_of(restored, _first_state(restored.series)) or _first_state(restored.series)
    change = Change(1, _encoded(state), identity_of(request).user)
    title = new.title or session.name[:200]
    return _answer(desk.workspaces.create(database, new.study or session.study, title, change), restored.findings)


def _listing(desk: ApiDesk) -> Callable[..., list[WorkspaceRow]]:
    def workspaces(
        request: Request, study: Annotated[str, Query(max_length=64)], database: DatabaseName = DEFAULT_DATABASE
    ) -> list[WorkspaceRow]:
        desk.archive(database)
        note(request, "view", study=checked_uid(study, "Study Instance UID"))
        return [
            WorkspaceRow(
                id=each.id,
                revision=each.revision,
                study=each.study,
                title=each.title,
                made_by=each.made_by,
                changed_by=each.changed_by,
                changed_s=each.changed_s,
                bytes=each.size_bytes,
            )
            for each in desk.workspaces.of_study(database, study)
        ]

    return workspaces


def _read(desk: ApiDesk) -> Callable[..., Response]:
    def read_workspace(workspace: _Id, request: Request, database: DatabaseName = DEFAULT_DATABASE) -> Response:
        found = desk.workspaces.find(database, workspace)
        note(request, "view", study=found.facts.study)
        return _answer(found)

    return read_workspace


def _keep(desk: ApiDesk) -> Callable[..., Response]:
    def keep_workspace(
        workspace: _Id, change: WorkspaceChange, request: Request, database: DatabaseName = DEFAULT_DATABASE
    ) -> Response:
        """409 where the state was built on an older revision: the newest is in `theirs`, what was sent is a version."""
        user = identity_of(request).user
        made = Change(change.revision, _encoded(change.state), user, change.client, change.title)
        try:
            kept = desk.workspaces.change(database, workspace, made)
        except ObjectTooLarge as error:
            limit = f"{error.limit_bytes >> 20} MiB"
            raise too_large(f"a draft holds at most {limit}: remove regions, or save them and begin anew") from error
        note(request, KEEP_DRAFT, study=kept.study)
        if kept.theirs is None:
            return Response(WorkspaceRevision(revision=kept.revision).model_dump_json(), media_type=_JSON)
        problem = problem_of(HttpProblem(HTTPStatus.CONFLICT, _TOO_LATE)) | {"setting": "revision"}
        return Response(_with(problem, "theirs", _whole(kept.theirs)), HTTPStatus.CONFLICT, media_type=PROBLEM_TYPE)

    return keep_workspace


def _remove(desk: ApiDesk) -> Callable[..., None]:
    def remove_workspace(workspace: _Id, request: Request, database: DatabaseName = DEFAULT_DATABASE) -> None:
        """One's own; an operator that of others too."""
        facts = desk.workspaces.find(database, workspace).facts
        note(request, "remove draft", study=facts.study)
        identity = identity_of(request)
        if facts.made_by != identity.user and not identity.role.includes(Role.OPERATOR):
            raise HttpProblem(HTTPStatus.FORBIDDEN, "this draft was begun by somebody else: ask them, or an operator")
        desk.workspaces.remove(database, workspace)

    return remove_workspace


def _versions(desk: ApiDesk) -> Callable[..., list[WorkspaceVersion]]:
    def workspace_versions(
        workspace: _Id, request: Request, database: DatabaseName = DEFAULT_DATABASE
    ) -> list[WorkspaceVersion]:
        """The newest; those that came too late; and what somebody made before another went on with it."""
        found = desk.workspaces.versions(database, workspace)
        note(request, "view", study=desk.workspaces.find(database, workspace).facts.study)
        return [
            WorkspaceVersion(
                number=each.number,
                revision=each.revision,
                changed_by=each.changed_by,
                changed_s=each.changed_s,
                is_newest=each.is_newest,
                bytes=each.size_bytes,
            )
            for each in found
        ]

    return workspace_versions


def _version(desk: ApiDesk) -> Callable[..., Response]:
    def workspace_version(
        workspace: _Id,
        number: Annotated[int, Path(ge=1, le=2**31)],
        request: Request,
        database: DatabaseName = DEFAULT_DATABASE,
    ) -> Response:
        found = desk.workspaces.version(database, workspace, number)
        note(request, "view", study=found.facts.study)
        return _answer(found)

    return workspace_version


def _first_state(series: Sequence[str]) -> WorkspaceState:
    views = [View.model_validate({"series": uid}) for uid in series]
    base, overlay = [*views, None, None][:2]
    return WorkspaceState(
        base=base,
        overlay=overlay,
        prior=None,
        others=views[2:],
        layout="fused",
        images=[],
        display={},
        mode="blend",
        blend=0.5,
        slab_mm=0,
        projection="thin",
        cursor_mm=None,
        active=None,
        plane_turn=None,
        zoom={},
        pan={},
        regions=[],
        lines=[],
        bookmarks=[],
        consents=[],
        session=None,
    )


def _encoded(state: BaseModel) -> bytes:
    return state.model_dump_json(by_alias=True).encode()


def _answer(found: Newest, findings: Sequence[str] = ()) -> Response:
    return Response(_whole(found, findings), media_type=_JSON)


def _whole(found: Newest, findings: Sequence[str] = ()) -> bytes:
    """The draft as JSON. Its state is JSON already, of megabytes perhaps: it is not read again."""
    facts = found.facts
    plain = {
        "id": facts.id,
        "revision": facts.revision,
        "study": facts.study,
        "title": facts.title,
        "made_by": facts.made_by,
        "changed_by": facts.changed_by,
        "changed_s": facts.changed_s,
        "findings": list(findings),
    }
    return _with(plain, "state", found.state)


def _with(plain: dict[str, Any], name: str, content: bytes) -> bytes:
    """An object with one more member, which is JSON."""
    return json.dumps(plain).encode()[:-1] + b', "' + name.encode() + b'": ' + content + b"}"
