"""Retrieving as a durable job: one item a study (or patient, series, instance).

An item is done when the peer's final response says so, and fails with it; the others go on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from radfuse.archive import Archive, InformationModel
from radfuse.core.errors import (
    ConfigurationError,
    DataSetError,
    NoPresentationContext,
    OperationFailed,
    TransientFailure,
    WireError,
)
from radfuse.core.levels import UNIQUE_KEYS, Level
from radfuse.dicom import Element, Identifier
from radfuse.jobs import Item, ItemState, JobContext, Jobs, NewItem, NewJob, Retry
from radfuse.services import query_peer
from radfuse.services.associating import Caller
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.failures import job_failure, sentence_of
from radfuse.services.peers import Peer, Peers
from radfuse.services.query_peer import Progress
from radfuse.wire import status

RETRIEVE: Final = "retrieve"
"""The kind of these jobs."""

_NO_ROOM: Final = "There is no room here for what came: make room on the volume of the data folder."
_NAMED_UIDS: Final = 5
_SAY_EVERY_S: Final = 1.0


class How(StrEnum):
    """The service to retrieve with."""

    GET = "get"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to retrieve: the values of one level's unique key, and the unique keys above it.

    Raises ConfigurationError for nothing at all, or for two values of a key above.
    """

    model: InformationModel
    level: Level
    names: Sequence[str]
    above: Mapping[str, str] = field(default_factory=dict)
    """By keyword."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError."""
        if not self.names:
            raise ConfigurationError(UNIQUE_KEYS[self.level], "say what to retrieve")
        for keyword, value in self.above.items():
            if "\\" in value:
                raise ConfigurationError(keyword, f"one value only, since the level is {self.level.name.lower()}")

    @classmethod
    def of(cls, model: InformationModel, level: Level, identifier: Identifier) -> Wanted:
        """What an identifier of C-MOVE or C-GET names."""
        values = {
            keyword: element.values
            for at, keyword in UNIQUE_KEYS.items()
            if at <= level and (element := identifier.get(Element.of(keyword).tag)) is not None and element.values
        }
        names = values.pop(UNIQUE_KEYS[level], ())
        return cls(model, level, names, {keyword: "\\".join(found) for keyword, found in values.items()})


@dataclass(frozen=True, slots=True)
class Into:
    """Where what is retrieved goes."""

    database: str = DEFAULT_DATABASE
    """Of C-GET."""
    move_to: str = ""
    """Have it sent to this AE title by C-MOVE instead."""
    or_move_to: str = ""
    """The same, but only where the peer offers no C-GET."""


@dataclass(frozen=True, slots=True)
class RetrieveSurroundings:
    """What a retrieve job needs of the process that runs it.

    ``open_archive`` gives the archive of a database, which stays open; ``caller_of`` says who we are
    to a peer when the job wants to be called by an AE title (empty: the peer's own setting).
    """

    open_archive: Callable[[str], Archive]
    peers: Peers
    caller_of: Callable[[Peer, str], Caller]


def submit_retrieve(
    jobs: Jobs,
    peer: Peer,
    wanted: Wanted,
    into: Into | None = None,
    *,
    from_title: str = "",
    priority: int = 5,
) -> int:
    """Queue a retrieval from ``peer``, by default by C-GET into the default database; the job's number.

    Raises NotAllowed for a peer that we get nothing from, and what ``Jobs.submit`` raises.
    """
    peer.require("retrieve")
    into = into or Into()
    what = f"{len(wanted.names)} x {wanted.level.name.lower()} from {peer.name}"
    parameters = {
        "peer": peer.reference,
        "from": from_title,
        "model": wanted.model.name,
        "level": wanted.level.name,
        "keys": dict(wanted.above),
        "how": How.MOVE if into.move_to else How.GET,
        "destination": into.move_to or into.or_move_to,
        "database": into.database,
    }
    return jobs.submit(
        NewJob(
            RETRIEVE,
            f"from {peer.reference}",
            f"{what} to {into.move_to}" if into.move_to else what,
            parameters,
            [NewItem(name) for name in dict.fromkeys(wanted.names)],
            priority,
            Retry(peer.retry_count, peer.retry_delay_s),
            studies=_studies(wanted),
        )
    )


def _studies(wanted: Wanted) -> Sequence[str]:
    """The studies that are retrieved, or the one that holds what is."""
    if wanted.level is Level.STUDY:
        return wanted.names
    above = wanted.above.get("StudyInstanceUID", "")
    return (above,) if above else ()


def run_retrieve(context: JobContext, surroundings: RetrieveSurroundings) -> None:
    """The kind "retrieve": get what is still pending, one item after the other.

    An item that the peer answers with a failure fails by itself. Raises TransientFailure when another
    attempt may succeed, JobFailed or what an unknown peer raises when only a person can help.
    """
    peer = surroundings.peers.by_name(context.job.parameters["peer"])
    caller = surroundings.caller_of(peer, context.job.parameters.get("from", ""))
    retrieval = _Retrieval(context, surroundings, peer, caller)
    for item in context.pending():
        if context.should_stop():
            return
        try:
            retrieval.retrieve(item)
        except OperationFailed as error:
            sentence = sentence_of(error, peer, caller.ae_title)
            if status.is_out_of_resources(error.status):
                raise TransientFailure(sentence) from error
            context.record(item.number, ItemState.FAILED, error.status, sentence)
        except DataSetError as error:
            context.record(item.number, ItemState.FAILED, None, f"{peer.name} answered what cannot be read: {error}")
        except WireError as error:
            raise job_failure(error, peer, caller.ae_title) from error
    context.say("")  # how far the last item was is of no interest any more


class _Retrieval:
    """Retrieves the items of one job."""

    def __init__(self, context: JobContext, surroundings: RetrieveSurroundings, peer: Peer, caller: Caller) -> None:
        self._context = context
        self._surroundings = surroundings
        self._peer = peer
        self._caller = caller
        self._said_s = 0.0
        self._offers_get = True
        """Until the peer shows that it does not; then it is asked to send, if the job says where to."""

    def retrieve(self, item: Item) -> None:
        """Retrieve one item and record what became of it; nothing is recorded when the job is to stop."""
        last: Progress | None = None
        try:
            with contextlib.closing(self._steps(item)) as steps:
                for last in steps:
                    self._say(last)
        except OperationFailed:
            if last is None or not last.is_out_of_space:
                raise
        if last is None or (last.is_cancelled and self._context.should_stop()):
            return
        if last.is_out_of_space:
            raise TransientFailure(_NO_ROOM)
        self._context.record(item.number, _state_of(last), last.final_status, _comment_on(last))

    def _steps(self, item: Item) -> Generator[Progress, None, None]:
        parameters = self._context.job.parameters
        model, level = InformationModel[parameters["model"]], Level[parameters["level"]]
        keys = {"QueryRetrieveLevel": level.name, **parameters["keys"], UNIQUE_KEYS[level]: item.name}
        elements = [Element.of(keyword, *value.split("\\")) for keyword, value in keys.items()]
        identifier = Identifier(tuple(sorted(elements, key=lambda element: element.tag)))
        peer, caller, should_stop = self._peer, self._caller, self._context.should_stop
        if parameters["how"] == How.GET and self._offers_get:
            archive = self._surroundings.open_archive(parameters.get("database", DEFAULT_DATABASE))
            try:
                yield from query_peer.get(archive, peer, caller, model, identifier, should_stop)
            except NoPresentationContext:
                if not parameters["destination"]:
                    raise
                self._offers_get = False
            else:
                return
        yield from query_peer.move(peer, caller, model, identifier, parameters["destination"], should_stop)

    def _say(self, step: Progress) -> None:
        now_s = time.monotonic()
        if now_s - self._said_s >= _SAY_EVERY_S:
            self._said_s = now_s
            done = step.completed + step.warning + step.failed
            self._context.say(f"{done} of {done + step.remaining} objects of the current item")


def _state_of(last: Progress) -> ItemState:
    """Success alone is done; a success without a single object is worth a person's look."""
    if last.is_complete:
        return ItemState.SENT if last.completed + last.warning else ItemState.WARNED
    only_warnings = status.category(last.final_status or 0) is status.Category.WARNING and last.warning
    return ItemState.WARNED if only_warnings and not last.failed else ItemState.FAILED


def _comment_on(last: Progress) -> str:
    came = last.completed + last.warning
    if last.failed:
        named = ", ".join(last.failed_uids[:_NAMED_UIDS])
        more = len(last.failed_uids) - _NAMED_UIDS
        which = f": {named}" + (f" and {more} more" if more > 0 else "") if named else ""
        return f"{last.failed} of {came + last.failed} objects failed{which}"
    if last.is_cancelled:
        return f"the peer cancelled it after {came} objects"
    if not came:
        return "the peer has nothing of this"
    return f"{came} objects" + (f", {last.warning} of them with a warning" if last.warning else "")
