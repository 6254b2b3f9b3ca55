"""What the tests of sending share: a scripted storage SCP on our own wire, and ways to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from radfuse.core.aetitle import AETitle
from radfuse.dicom import Transcoder
from radfuse.services.associating import Caller
from radfuse.services.context_lists import DBX, ContextList
from radfuse.services.object_source import FileObject
from radfuse.services.peers import Peer
from radfuse.services.send import file_object
from radfuse.services.storage_scu import Outgoing, Route
from radfuse.wire import Association, Limits, Message
from radfuse.wire.negotiation import Acceptance, AssociationRequest, Rejection
from tests.wire.scenes import Collected

QUICK = Limits(connect_s=2.0, artim_s=2.0, close_wait_s=0.5, pdu_deadline_s=1.0, idle_s=5.0, response_s=1.0)


class Answers:
    """A handler that receives data sets and answers by SOP Instance UID, else with success."""

    def __init__(self, statuses: dict[str, int] | None = None, comment: str | None = None) -> None:
        self.statuses = statuses or {}
        self.comment = comment
        self.received: dict[str, tuple[str, bytes]] = {}
        """Transfer syntax and data set by SOP Instance UID."""
        self.order: list[str] = []

    def __call__(self, association: Association, message: Message) -> None:
        """Receive one and answer it."""
        uid = message.command.affected_sop_instance_uid or ""
        sink = Collected()
        association.receive_data_set(sink)
        self.received[uid] = (message.context.transfer_syntax, bytes(sink.data))
        self.order.append(uid)
        code = self.statuses.get(uid, 0)
        association.send(message.context_id, message.command.response(code, self.comment if code else None))


class Accepts:
    """A policy that accepts SOP classes in the transfer syntaxes it likes, its own favourite first."""

    def __init__(self, *syntaxes: str, refused_classes: Sequence[str] = ()) -> None:
        self.syntaxes = syntaxes
        self.refused_classes = refused_classes
        self.requests: list[AssociationRequest] = []

    def answer(self, request: AssociationRequest, peer_address: tuple[str, int]) -> Acceptance | Rejection:
        """Accept each context in the first syntax of ours that it has."""
        self.requests.append(request)
        chosen = {}
        for context in request.contexts:
            liked = [uid for uid in self.syntaxes or context.transfer_syntaxes if uid in context.transfer_syntaxes]
            if liked and context.abstract_syntax not in self.refused_classes:
                chosen[context.id] = liked[0]
        return Acceptance(chosen)


def peer_at(address: tuple[str, int], **settings: object) -> Peer:
    """A peer on loopback."""
    return replace(Peer("pacs", AETitle("PACS"), *address), **settings)  # type: ignore[arg-type]


def route_to(
    peer: Peer, transcoder: Transcoder, contexts: ContextList = DBX, limits: Limits = QUICK, title: str = "US"
) -> Route:
    """A route to it in our name, with short deadlines."""
    return Route(peer, Caller(title, limits), contexts, transcoder)


def outgoing(paths: Sequence[Path], change: Callable[[FileObject], FileObject] = lambda item: item) -> list[Outgoing]:
    """Files to send, numbered from 1."""
    return [Outgoing(number, change(file_object(path))) for number, path in enumerate(paths, 1)]
