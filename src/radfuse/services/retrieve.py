"""C-MOVE and C-GET: the objects that an identifier names, and their way to a peer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from radfuse.archive import Archive, Query, StoredObject
from radfuse.archive.queries import instances
from radfuse.core.errors import ArchiveError, DataSetError, NoPresentationContext, RadfuseError, WireError
from radfuse.dicom import Transcoder
from radfuse.services.peers import Peer
from radfuse.services.transfer import ObjectSender, SubOperations, kinds_of, propose
from radfuse.wire import Association, Limits, ProposedContext, request_association, status

MAX_SUBOPERATIONS: Final = 65_535
"""The counters of the responses are unsigned 16 bit (PS3.7 section E.1)."""

_log = logging.getLogger(__name__)
_CANNOT_SEND: Final = (ArchiveError, DataSetError, NoPresentationContext)
"""What keeps one object back and leaves the association whole."""


class TooManySubOperations(RadfuseError):
    """More objects than the responses can count."""

    template = "the request names more than 65535 instances; ask for less at a time"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a C-MOVE sends to, and what we say of ourselves."""

    peer: Peer
    calling_ae_title: str
    originator: tuple[str, int]
    limits: Limits


def objects_of(archive: Archive, query: Query) -> list[StoredObject]:
    """The objects that ``query`` names.

    They are listed before the first is sent: a view of the index that stays open as long as a
    slow peer takes would hold back the database's own housekeeping.
    """
    with archive.reading() as connection:
        found = list(islice(instances(connection, query), MAX_SUBOPERATIONS + 1))
    if len(found) > MAX_SUBOPERATIONS:
        raise TooManySubOperations
    return found


def send_each(
    sender: ObjectSender,
    objects: Sequence[StoredObject],
    counters: SubOperations,
    should_stop: Callable[[], bool],
    *,
    stop_within: bool = False,
) -> Iterator[None]:
    """Send ``objects`` in turn and count; yields after each. Ends early when ``should_stop`` says so.

    With ``stop_within`` it is also asked within an object, which then ends the association.

    A WireError passes: the association is gone, what it left unsent is not counted.
    """
    for stored in objects:
        if should_stop():
            return
        try:
            answer = sender.send(stored, should_stop if stop_within else None)
        except _CANNOT_SEND as error:
            _log.warning("an object was not sent: %s", error)
            answer = status.CANNOT_PERFORM_SUBOPERATIONS
        counters.count(stored.sop_instance_uid, answer)
        yield


def move(
    archive: Archive,
    objects: Sequence[StoredObject],
    destination: Destination,
    transcoder: Transcoder,
    counters: SubOperations,
    should_stop: Callable[[], bool],
) -> Iterator[None]:
    """Send ``objects`` to the destination over associations of our own; yields as it goes on."""
    for kinds, contexts in propose(kinds_of(objects)):
        batch = [stored for stored in objects if (stored.sop_class_uid, stored.transfer_syntax_uid) in kinds]
        before = counters.remaining
        try:
            with _associate(destination, contexts) as association:
                sender = ObjectSender(archive, association, transcoder, destination.originator)
                yield from send_each(sender, batch, counters, should_stop, stop_within=True)
        except WireError as error:
            if should_stop():
                return
            _log.warning("a C-MOVE destination failed: %s", error, extra={"peer": destination.peer.name})
            done = before - counters.remaining
            counters.fail(stored.sop_instance_uid for stored in batch[done:])
            yield
        if should_stop():
            return


def _associate(destination: Destination, contexts: Sequence[ProposedContext]) -> Association:
    peer = destination.peer
    return request_association(
        (peer.host, peer.port),
        peer.ae_title,
        destination.calling_ae_title,
        contexts,
        destination.limits,
    )
