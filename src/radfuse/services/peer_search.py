"""A person's search at a peer: keys as typed in, answers as they come, and no more than wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from radfuse.core.errors import ConfigurationError, DataSetError, RadfuseError, WireError
from radfuse.core.levels import UNIQUE_KEYS, Level
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.dicom import Element, Identifier, encode_identifier
from radfuse.dicom.words import character_set_for, keyword_of
from radfuse.services import query_peer
from radfuse.services.associating import Caller
from radfuse.services.failures import sentence_of
from radfuse.services.hierarchy import check_above, model_for
from radfuse.services.peers import Peer
from radfuse.services.query_peer import ShouldCancel

_LEVEL: Final = "QueryRetrieveLevel"
_NOT_KEYS: Final = frozenset({_LEVEL, "SpecificCharacterSet"})
_MOST_CHARACTERS: Final = 10_240


@dataclass(frozen=True, slots=True)
class PeerSearch:
    """What is asked for. Raises ConfigurationError with the keyword of a key that cannot be asked for."""

    level: Level
    keys: Mapping[str, str]
    """By keyword; empty to be told only."""
    limit: int

    def __post_init__(self) -> None:
        """Check it before anybody is called."""
        check_above(self.level, self.keys)
        _check_encodable(self.identifier)

    @property
    def identifier(self) -> Identifier:
        """The identifier of the C-FIND request."""
        asked = {UNIQUE_KEYS[self.level]: "", **self.keys}
        elements = {element.tag: element for element in (_element(*key) for key in asked.items())}
        if len(elements) < len(asked):
            raise ConfigurationError("keys", "an attribute is there twice")
        level = Element.of(_LEVEL, self.level.name)
        return Identifier(tuple(sorted((*elements.values(), level), key=lambda element: element.tag)))


def _element(keyword: str, value: str) -> Element:
    if keyword in _NOT_KEYS:
        raise ConfigurationError(keyword, "this is no key: the level and the character set are chosen for the query")
    if len(value) > _MOST_CHARACTERS:
        raise ConfigurationError(keyword, f"a value has at most {_MOST_CHARACTERS} characters")
    element = Element.of(keyword, *(value.split("\\") if value else ()))
    if element.tag >> 16 <= 0x0002 or keyword_of(element.tag) != keyword:
        raise ConfigurationError(keyword, "this is no keyword of an attribute that can be asked for")
    if element.vr == "SQ" and value:
        raise ConfigurationError(keyword, "this is a sequence: it has no value to match")
    return element


def _check_encodable(identifier: Identifier) -> None:
    for element in identifier:
        try:
            encode_identifier(Identifier((element,)), EXPLICIT_LITTLE, character_set_for(element.values, ()))
        except (DataSetError, UnicodeError) as error:
            reason = "the value cannot be written as one of this attribute"
            raise ConfigurationError(keyword_of(element.tag), reason) from error


@dataclass(frozen=True, slots=True)
class End:
    """The search is over; ``is_limited``: the peer has more."""

    count: int
    is_limited: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """The peer did not answer as it should, and what to do about it."""

    error: RadfuseError
    sentence: str


Step: TypeAlias = Mapping[str, str] | End | Failure
"""An answer by keyword, several values separated by backslashes; or how it ended."""


def search_peer(peer: Peer, caller: Caller, search: PeerSearch, should_cancel: ShouldCancel) -> Iterator[Step]:
    """The answers while they come, and then one End or Failure. Leaving early cancels the search at the peer.

    What the peer still sends after the limit, or once ``should_cancel`` says so, is left aside.
    """
    answers = query_peer.find(peer, caller, model_for(search.level), search.identifier, should_cancel)
    end: End | None = None
    count = 0
    try:
        with contextlib.closing(answers):
            for answer in answers:
                if should_cancel():
                    return
                if count == search.limit:
                    end = End(count, is_limited=True)
                    yield end  # told before the peer has stopped: some do not hear a C-CANCEL
                    return
                count += 1
                yield _by_keyword(answer)
    except RadfuseError as error:
        if end is None:
            yield Failure(error, _sentence(error, peer, caller))
    else:
        yield End(count, is_limited=False)


def _sentence(error: RadfuseError, peer: Peer, caller: Caller) -> str:
    if isinstance(error, WireError):
        return sentence_of(error, peer, caller.ae_title)
    return f"{peer.name} answered what cannot be read: {error}." if isinstance(error, DataSetError) else str(error)


def _by_keyword(answer: Identifier) -> dict[str, str]:
    """The answer without what only says how to read it; sequences are left out."""
    shown = {keyword_of(element.tag): element for element in answer if element.vr != "SQ"}
    return {name: "\\".join(element.values) for name, element in shown.items() if name not in _NOT_KEYS}
