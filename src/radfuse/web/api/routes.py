"""All routes of the API. Who may use which is said in ``radfuse.web.policy``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter

from radfuse.web.api import (
    anonymizations,
    audit,
    contexts,
    databases,
    deletions,
    events,
    jobs,
    peer_queries,
    peers,
    registering,
    registrations,
    retrievals,
    rules,
    sends,
    session,
    settings,
    status,
    studies,
    tls,
    tokens,
    uploads,
    users,
)
from radfuse.web.api.desk import ApiDesk

PREFIX: Final = "/api"

_ROUTERS: Final[tuple[Callable[[ApiDesk], APIRouter], ...]] = (
    anonymizations.router,
    audit.router,
    contexts.router,
    databases.router,
    deletions.router,
    events.router,
    jobs.router,
    peer_queries.router,
    peers.router,
    registering.router,
    registrations.router,
    retrievals.router,
    rules.router,
    sends.router,
    session.router,
    settings.router,
    status.router,
    studies.router,
    tls.router,
    tokens.router,
    uploads.router,
    users.router,
)


def api_routers(desk: ApiDesk) -> list[APIRouter]:
    """One router a subject."""
    return [make(desk) for make in _ROUTERS]
