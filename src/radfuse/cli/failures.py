"""What went wrong with a peer, told at the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radfuse.core.errors import RadfuseError, WireError

if TYPE_CHECKING:
    from radfuse.services.peers import Peer


@dataclass(eq=False)
class PeerFailed(RadfuseError):
    """A peer did not do what it was asked; the sentence says what to do."""

    sentence: str
    template = "{sentence}"


@contextlib.contextmanager
def talking_to(peer: Peer, our_title: str) -> Iterator[None]:
    """Turn what goes wrong with ``peer`` into a PeerFailed."""
    try:
        yield
    except WireError as error:
        raise PeerFailed(sentence_of(error, peer, our_title)) from error


def sentence_of(error: WireError, peer: Peer, our_title: str) -> str:
    """What happened, and what to do about it (the table is in services/failures.py)."""
    from radfuse.services import failures

    return failures.sentence_of(error, peer, our_title)
