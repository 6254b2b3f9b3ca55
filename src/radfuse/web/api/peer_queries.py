"""Searching at a peer: its answers as lines of JSON while they come."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.errors import PeerTimeout
from radfuse.services.associating import Caller
from radfuse.services.peer_search import End, Failure, PeerSearch, Step, search_peer
from radfuse.services.peers import Peer
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.levels import Level
from radfuse.web.api.refusals import Problem, refusals
from radfuse.web.endings import endings_of
from radfuse.web.identity import note
from radfuse.web.line_stream import LinesResponse, Places, Work

_AT_ONCE: Final = 8
_DESCRIPTION: Final = """\
A stream of lines, each a JSON object: `{"answer": {keyword: value, ...}}` while answers come, at last
`{"end": {"count", "is_limited"}}` or `{"problem": {...}}`. Closing the connection cancels the query at the peer
(C-CANCEL)."""


class PeerQuery(BaseModel):
    """What to ask for."""

    model_config = ConfigDict(extra="forbid")
    level: Level
    keys: dict[Annotated[str, Field(max_length=64)], str] = Field(
        max_length=100,
        description="Attribute keyword -> value to match: DOE*, 20260101-, a list split by backslashes, or nothing.",
    )
    limit: int = Field(500, ge=1, le=10_000, description="Then the query is cancelled.")


class QueryEnd(BaseModel):
    """The end of the answers."""

    count: int
    is_limited: bool = Field(description="Whether the peer has more.")


class AnswerLine(BaseModel):
    """One answer, by keyword; several values are separated by backslashes."""

    answer: dict[str, str]


class EndLine(BaseModel):
    """The last line."""

    end: QueryEnd


class ProblemLine(BaseModel):
    """The last line, when the peer did not answer as it should."""

    problem: Problem


QueryLine = AnswerLine | EndLine | ProblemLine


def router(desk: ApiDesk) -> APIRouter:
    """Searching at peers."""
    routes = APIRouter(prefix="/peers", tags=["peers"])
    places = Places(_AT_ONCE, "searches at peers")

    @routes.post(
        "/{name}/query",
        summary="Search at a peer (C-FIND)",
        description=_DESCRIPTION,
        status_code=200,
        response_class=LinesResponse,
        responses={
            200: {"model": QueryLine, "description": "The answers, while they come."},
            **refusals(404, 409, 503),
        },
    )
    def query(name: Annotated[str, Path(max_length=64)], asked: PeerQuery, request: Request) -> LinesResponse:
        note(request, "query peer", subject=name)
        peer = desk.peer(name)
        peer.require("query")
        search = PeerSearch(asked.level.in_query, asked.keys, asked.limit)
        caller = desk.caller_of(peer, "")
        return LinesResponse(_work(peer, caller, search), places, endings_of(request))

    return routes


def _work(peer: Peer, caller: Caller, search: PeerSearch) -> Work:
    def lines(should_stop: Callable[[], bool]) -> Generator[bytes, None, None]:
        for step in search_peer(peer, caller, search, should_stop):
            yield json.dumps(_line_of(step), ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    return lines


def _line_of(step: Step) -> dict[str, Any]:
    if isinstance(step, End):
        return {"end": {"count": step.count, "is_limited": step.is_limited}}
    if isinstance(step, Failure):
        status = HTTPStatus.GATEWAY_TIMEOUT if isinstance(step.error, PeerTimeout) else HTTPStatus.BAD_GATEWAY
        return {"problem": {"title": status.phrase, "status": status.value, "detail": step.sentence}}
    return {"answer": dict(step)}
