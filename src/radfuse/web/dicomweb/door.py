"""What every DICOMweb transaction needs: the archive, threads, remembered headers, and who asks for what."""

from __future__ import annotations

import asyncio
import contextvars
import re
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.requests import Request

from radfuse.archive import InformationModel, Query, StoredObject
from radfuse.archive.queries import QueryKey, instance_at, instances
from radfuse.core.levels import Level
from radfuse.core.uids import checked_uid
from radfuse.dicom import Element
from radfuse.web.dicomweb.headers import Headers
from radfuse.web.problems import bad_request, not_found
from radfuse.web.surroundings import WebSurroundings

_Result = TypeVar("_Result")
_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}\Z")
_ATTRIBUTES: Final = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True, slots=True)
class Target:
    """The study, series or instance that a path names; "" below its level."""

    study: str
    series: str = ""
    instance: str = ""

    @classmethod
    def of(cls, request: Request) -> Target:
        """From the path of ``request``. Raises InvalidUID."""
        path = request.path_params
        target = cls(path.get("study", ""), path.get("series", ""), path.get("instance", ""))
        for uid, attribute in zip(target.uids, _ATTRIBUTES, strict=True):
            if uid:
                checked_uid(uid, attribute)
        return target

    @property
    def uids(self) -> tuple[str, str, str]:
        """The three UIDs."""
        return self.study, self.series, self.instance

    @property
    def level(self) -> Level:
        """How deep it lies."""
        return Level.IMAGE if self.instance else Level.SERIES if self.series else Level.STUDY

    @property
    def path(self) -> str:
        """Its path below the service."""
        names = ("studies", "series", "instances")
        return "".join(f"/{name}/{uid}" for name, uid in zip(names, self.uids, strict=True) if uid)

    def query(self) -> Query:
        """What finds it in the index."""
        named = zip(_ATTRIBUTES, self.uids, strict=True)
        elements = [Element.of(attribute, uid) for attribute, uid in named if uid]
        return Query(InformationModel.STUDY_ROOT, self.level, tuple(map(_key, elements)))


def _key(element: Element) -> QueryKey:
    return QueryKey(element.tag, element.vr, element.values)


class Door:
    """One archive behind HTTP."""

    def __init__(self, surroundings: WebSurroundings) -> None:
        self.surroundings = surroundings
        self.archive = surroundings.archive
        self.pool = ThreadPoolExecutor(surroundings.threads, thread_name_prefix="web")
        self.takers = ThreadPoolExecutor(surroundings.threads, thread_name_prefix="web-take")
        """Read the bodies of store requests, at their clients' pace: slow ones delay no download."""
        self.keepers = ThreadPoolExecutor(surroundings.threads, thread_name_prefix="web-keep")
        """For what storing requests wait for: a pool of their own, or they would wait for themselves."""
        self.headers = Headers(surroundings.archive, surroundings.cache_bytes)

    def close(self) -> None:
        """End the threads once they have done what they do."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.takers.shutdown(wait=True, cancel_futures=True)
        self.keepers.shutdown(wait=True)

    async def run(self, work: Callable[[], _Result], pool: Executor | None = None) -> _Result:
        """Do ``work`` in a thread."""
        # The context holds the request's id, for what the thread logs.
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(pool or self.pool, context.run, work)

    def objects(self, target: Target) -> list[StoredObject]:
        """What ``target`` names. Raises 404 when there is nothing."""
        with self.archive.reading() as connection:
            if target.instance:
                one = instance_at(connection, *target.uids)
                found = [one] if one is not None else []
            else:
                found = list(instances(connection, target.query()))
        if not found:
            raise not_found("nothing is kept under this address")
        return found

    def base_url(self, request: Request) -> str:
        """The address of the service, as clients see it. Raises 400 for a host that is none."""
        root: str = request.scope.get("root_path", "")
        if self.surroundings.public_url:
            return f"{self.surroundings.public_url}{root}/dicom-web"
        host = request.headers.get("host") or "localhost"
        if not _HOST.match(host):
            raise bad_request("the Host is malformed")
        return f"{request.url.scheme}://{host}{root}/dicom-web"
