"""Query: a C-FIND identifier in, answers out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from radfuse.archive import Answer, Archive, InformationModel, Query, find, query_from_identifier
from radfuse.dicom import Identifier, character_set_for, decode_identifier, encode_identifier

_SPECIFIC_CHARACTER_SET = 0x00080005


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded identifier, and how its sender wants answers written."""

    query: Query
    transfer_syntax_uid: str
    character_sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """One answer as an encoded identifier."""

    identifier: bytes
    all_keys_supported: bool


def read_request(
    identifier: bytes, transfer_syntax_uid: str, model: InformationModel, *, retrieve: bool = False
) -> Request:
    """Decode and check an identifier. Raises InvalidQuery or DataSetError."""
    decoded = decode_identifier(identifier, transfer_syntax_uid)
    query = query_from_identifier(decoded, model, retrieve=retrieve)
    asked = next((element.values for element in decoded if element.tag == _SPECIFIC_CHARACTER_SET), ())
    return Request(query, transfer_syntax_uid, asked)


def search(
    archive: Archive, request: Request, retrieve_ae_title: str, is_cancelled: Callable[[], bool]
) -> Iterator[Match]:
    """The answers to a query, while they are found."""
    with archive.reading() as connection:
        answers = find(
            connection,
            request.query,
            retrieve_ae_title,
            is_cancelled=is_cancelled,
        )
        for answer in answers:
            yield Match(_encode(answer, request), answer.all_keys_supported)


def _encode(answer: Answer, request: Request) -> bytes:
    """Write an answer in the character set of the question if that can hold it, else in UTF-8."""
    texts = [value for element in answer.elements for value in element.values]
    character_sets = character_set_for(texts, request.character_sets)
    return encode_identifier(Identifier(answer.elements), request.transfer_syntax_uid, character_sets)
