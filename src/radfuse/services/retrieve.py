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
from radfuse.services.associating import Caller, associate
from radfuse.services.peers import Peer
from radfuse.services.transfer import ANYTHING, Kind, ObjectSender, Offer, SubOperations, kinds_of, propose
from radfuse.wire import Limits, status
from radfuse.wire.tls import TlsIdentity

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
    tls: TlsIdentity | None = None
    offer: Offer = ANYTHING
    """What may be proposed to it."""

    @property
    def caller(self) -> Caller:
        """Who we are to it: the AE title configured for it, else the one that was asked to move."""
        return Caller(self.peer.calling_ae_title or self.calling_ae_title, self.limits, self.tls)


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
    proposals = list(propose(kinds_of(objects), destination.offer))
    offered = frozenset[Kind]().union(*(kinds for kinds, _ in proposals))
    withheld = [stored.sop_instance_uid for stored in objects if not offered.intersection(kinds_of([stored]))]
    if withheld:
        _log.warning(
            "objects of classes that are not on the destination's context list were not sent",
            extra={"peer": destination.peer.name, "objects": len(withheld)},
        )
        counters.fail(withheld)
        yield
    for kinds, contexts in proposals:
        batch = [stored for stored in objects if (stored.sop_class_uid, stored.transfer_syntax_uid) in kinds]
        before = counters.remaining
        try:
            with associate(destination.peer, destination.caller, contexts) as association:
                sender = ObjectSender(archive, association, transcoder, destination.originator, destination.offer)
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
