"""All routes of the API. Who may use which is said in ``radfuse.web.policy``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Depends
from fastapi.params import Depends as DependsOn

from radfuse.web.api import (
    anonymizations,
    audit,
    carrying,
    contexts,
    databases,
    deletions,
    documents,
    doses,
    drawing,
    events,
    exports,
    followups,
    frames,
    jobs,
    media,
    openings,
    peer_queries,
    peers,
    pictures,
    proposals,
    registering,
    registrations,
    retrievals,
    rules,
    sends,
    session,
    sessions,
    settings,
    status,
    studies,
    tls,
    tokens,
    uploads,
    users,
    volumes,
    workspaces,
)
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.imaging import imaging_loaded

PREFIX: Final = "/api"

_ROUTERS: Final[tuple[Callable[[ApiDesk], APIRouter], ...]] = (
    anonymizations.router,
    audit.router,
    contexts.router,
    databases.router,
    deletions.router,
    events.router,
    jobs.router,
    media.router,
    peer_queries.router,
    peers.router,
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


_OF_IMAGES: Final[tuple[Callable[[ApiDesk], APIRouter], ...]] = (
    carrying.router,
    documents.router,
    doses.router,
    drawing.router,
    exports.router,
    followups.router,
    frames.router,
    openings.router,
    pictures.router,
    proposals.router,
    registering.router,
    registrations.router,
    sessions.router,
    volumes.router,
    workspaces.router,
)
"""Those whose handlers load what images and their objects need."""


def api_routers(desk: ApiDesk) -> list[tuple[APIRouter, list[DependsOn]]]:
    """One router a subject, each with what comes before all of its handlers."""
    loading: list[DependsOn] = [Depends(imaging_loaded)]
    return [(make(desk), []) for make in _ROUTERS] + [(make(desk), loading) for make in _OF_IMAGES]
