"""Trying a connection: step by step, up to where it fails, with what to do then."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from radfuse.core.errors import ConfigurationError, NoPresentationContext, OperationFailed, WireError
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.services.associating import Caller, associate
from radfuse.services.context_lists import ContextList
from radfuse.services.failures import explained
from radfuse.services.peers import Peer
from radfuse.services.query_peer import Echo, echo
from radfuse.wire import ProposedContext
from radfuse.wire.tls import TlsFacts

CONNECT_S: Final = 5.0
RESPONSE_S: Final = 10.0
"""What somebody who watches a page waits for: for the connection, and for each answer."""

_MAX_CONTEXTS: Final = 128
_DAY_S: Final = 86_400.0
_CT: Final = "1.2.840.10008.5.1.4.1.1.2"
_NO_CERTIFICATE_CURE: Final = "Make one in Settings > TLS, or with 'radfuse tls init'."


class StepName(StrEnum):
    """The steps, in their order."""

    NETWORK = "network"
    TLS = "TLS"
    ASSOCIATION = "association"
    ECHO = "echo"
    CONTEXTS = "contexts"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: how it went, for people. The text has no full stop."""

    name: StepName
    is_ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class PeerTest:
    """How far it went; the first step that failed is the last."""

    steps: tuple[Step, ...]
    cure: str = ""
    """What to do; empty when all went well."""
    answer: Echo | None = None

    @property
    def is_ok(self) -> bool:
        """Whether every step went well."""
        return all(step.is_ok for step in self.steps)

    @property
    def failure(self) -> str:
        """What went wrong and what to do, in one breath; empty when nothing did."""
        return next((f"{step.text}. {self.cure}".strip() for step in self.steps if not step.is_ok), "")


def try_peer(peer: Peer, caller: Caller, listed: ContextList | None = None) -> PeerTest:
    """Connect, associate, C-ECHO; and, with a context list, ask which of its contexts the peer accepts."""
    story = _Story(peer, caller)
    try:
        answer = echo(peer, caller, story.connected, story.associated)
    except (WireError, ConfigurationError) as error:
        return story.failed(error)
    story.add(StepName.ECHO, f"{_who(peer)} answered in {_milliseconds(answer.round_trip_s)}")
    if listed is None:
        return PeerTest(tuple(story.steps), answer=answer)
    return _contexts_tried(story, answer, listed)


def within_patience(peer: Peer, caller: Caller) -> Peer:
    """The same peer, which is not waited for longer than somebody watches a page."""
    own = peer.limits(caller.limits)
    return replace(
        peer, connect_s=min(own.connect_s, CONNECT_S), response_s=min(own.response_s, RESPONSE_S), artim_s=CONNECT_S
    )


class _Story:
    """What happened so far."""

    def __init__(self, peer: Peer, caller: Caller) -> None:
        self.peer = peer
        self.caller = caller
        self.steps: list[Step] = []
        self._began_s = time.monotonic()

    def add(self, name: StepName, text: str) -> None:
        self.steps.append(Step(name, True, text))

    def connected(self, tls: TlsFacts | None) -> None:
        """There is a connection; with ``tls``: it is protected."""
        if tls is None:
            where = f"Connected to {self.peer.host} port {self.peer.port}"
            self.add(StepName.NETWORK, f"{where} in {self._lap()}")
        else:
            self.add(StepName.TLS, _protection(tls, self._lap()))

    def associated(self) -> None:
        """There is an association."""
        accepted = f"{self.peer.ae_title} accepted the association of {self.caller.ae_title}"
        self.add(StepName.ASSOCIATION, f"{accepted} in {self._lap()}")

    def failed(self, error: WireError | ConfigurationError, name: StepName | None = None) -> PeerTest:
        """The end: the step that was under way failed."""
        if isinstance(error, WireError):
            text, cure = explained(error, self.peer, self.caller.ae_title)
            if isinstance(error, OperationFailed | NoPresentationContext) and name is None:
                cure = "It refuses C-ECHO; its log says why."
        elif self.peer.tls and self.caller.tls is None:
            name, text = StepName.TLS, f"{self.peer.name} wants TLS, and we have no certificate"
            cure = _NO_CERTIFICATE_CURE
        else:
            name, text, cure = StepName.TLS, str(error), "Put this right in Settings > TLS, or in radfuse.toml ([tls])."
        return PeerTest((*self.steps, Step(name or self._under_way(), False, text)), cure)

    def _under_way(self) -> StepName:
        done = {step.name for step in self.steps}
        order = [name for name in StepName if name is not StepName.TLS or self.peer.tls]
        return next(name for name in order if name not in done)

    def _lap(self) -> str:
        began_s, self._began_s = self._began_s, time.monotonic()
        return _milliseconds(self._began_s - began_s)


def _who(peer: Peer) -> str:
    return f"{peer.name} ({peer.ae_title} at {peer.host} port {peer.port})"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"


def _protection(tls: TlsFacts, took: str) -> str:
    said = f"Protected with {tls.version} ({tls.cipher_suite}) in {took}"
    if tls.peer is None:
        return said
    days = int((tls.peer.not_after_s - time.time()) // _DAY_S)
    names = ", ".join(sorted(tls.peer.names))
    return f"{said}; the certificate is for {names} and ends in {days} {'day' if days == 1 else 'days'}"


# --- presentation contexts -----------------------------------------------------------------------


def _contexts_tried(story: _Story, answer: Echo, listed: ContextList) -> PeerTest:
    """Ask which contexts of the list the peer accepts."""
    if not story.peer.send:
        story.add(StepName.CONTEXTS, "Not tried: we do not send to this peer")
        return PeerTest(tuple(story.steps), answer=answer)
    offer = _Offer.of(listed)
    try:
        with associate(story.peer, story.caller, offer.contexts) as association:
            accepted = [(each.abstract_syntax, each.transfer_syntax) for each in association.contexts.values()]
    except WireError as error:
        return replace(story.failed(error, StepName.CONTEXTS), answer=answer)
    text = offer.in_words(accepted)
    if accepted:
        story.add(StepName.CONTEXTS, text)
        return PeerTest(tuple(story.steps), answer=answer)
    cure = "Allow storage to our AE title there. If it is not to get anything from us, turn sending to it off."
    return PeerTest((*story.steps, Step(StepName.CONTEXTS, False, text)), cure, answer)


@dataclass(frozen=True, slots=True)
class _Offer:
    """What is proposed of a list: each transfer syntax for one class, and each class in any of them."""

    listed: ContextList
    example: str
    contexts: list[ProposedContext]

    @classmethod
    def of(cls, listed: ContextList) -> Self:
        example = _CT if _CT in listed.sop_classes else listed.sop_classes[0]
        contexts = [ProposedContext(example, (syntax,)) for syntax in listed.transfer_syntaxes]
        contexts += [ProposedContext(uid, listed.transfer_syntaxes) for uid in listed.sop_classes]
        return cls(listed, example, contexts[:_MAX_CONTEXTS])

    def in_words(self, accepted: Sequence[tuple[str, str]]) -> str:
        """How much of it was accepted, in pairs of SOP class and transfer syntax."""
        asked = {context.abstract_syntax for context in self.contexts}
        got = {sop_class for sop_class, _ in accepted}
        syntaxes = {syntax for sop_class, syntax in accepted if sop_class == self.example}
        first = "" if len(asked) == len(self.listed.sop_classes) else "the first "
        text = f"Accepts {len(got)} of {first}{len(asked)} storage classes of the list {self.listed.name}"
        if not syntaxes:
            return text
        name = STORAGE_CLASS_NAMES.get(self.example, self.example)
        return f"{text}, and {len(syntaxes)} of its {len(self.listed.transfer_syntaxes)} transfer syntaxes for {name}"
