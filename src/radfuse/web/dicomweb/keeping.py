"""Received objects made durable while the next ones of the request are read."""

from __future__ import annotations

import contextvars
import logging
from collections import deque
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Final

from radfuse.archive import Archive, Incoming, Origin
from radfuse.core.errors import NotPart10, RadfuseError
from radfuse.services.ingest import ingest, status_of_refusal
from radfuse.web.problems import HttpProblem

MAX_PARTS: Final = 100_000
"""Parts of one request: what became of each is remembered until its end."""
_AT_ONCE: Final = 4
"""Objects of one request that are made durable together: they share disk syncs."""
_CANNOT_UNDERSTAND: Final = 0xC000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one object; ``reason`` is a C-STORE status, 0 for a kept one."""

    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str = ""
    series_uid: str = ""
    reason: int = 0


@dataclass(slots=True)
class StoreRequest:
    """One request under way. ``study``: the one that its objects must belong to, or ""."""

    archive: Archive
    keepers: Executor
    study: str
    verdicts: list[Verdict] = field(default_factory=list)
    _running: deque[Future[Verdict]] = field(default_factory=deque)

    def finish(self, incoming: Incoming) -> None:
        """Keep a completely received object; returns before it is kept."""
        while len(self._running) >= _AT_ONCE:
            self.verdicts.append(self._running.popleft().result())
        self._running.append(self.keepers.submit(contextvars.copy_context().run, self._keep, incoming))

    def refuse(self, error: Exception, origin: Origin | None) -> None:
        """Note an object that is not kept."""
        self.drain()
        self.verdicts.append(_refusal(error, origin))

    def drain(self) -> None:
        """Wait for what is under way."""
        while self._running:
            self.verdicts.append(self._running.popleft().result())

    def _keep(self, incoming: Incoming) -> Verdict:
        try:
            with incoming:
                header = ingest(self.archive, incoming, study_instance_uid=self.study).header
        except Exception as error:
            return _refusal(error, incoming.origin)
        uids = header.sop_class_uid, header.sop_instance_uid, header.study_instance_uid, header.series_instance_uid
        return Verdict(*uids)


def _refusal(error: Exception, origin: Origin | None) -> Verdict:
    is_unreadable = isinstance(error, NotPart10 | HttpProblem)
    reason = _CANNOT_UNDERSTAND if is_unreadable else status_of_refusal(error)
    facts = {"status": f"{reason:04X}", "error": type(error).__name__}
    if isinstance(error, RadfuseError):
        _log.warning("object refused: %s", error, extra=facts)
    else:
        _log.error("object not stored", exc_info=error, extra=facts)
    if origin is None:
        return Verdict("", "", reason=reason)
    return Verdict(origin.sop_class_uid, origin.sop_instance_uid, reason=reason)
