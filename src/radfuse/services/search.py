"""Query: a C-FIND identifier in, answers out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from radfuse.archive import Answer, Archive, InformationModel, Query, StoredObject
from radfuse.archive.queries import find, query_from_identifier
from radfuse.core.errors import ArchiveError, DataSetError
from radfuse.dicom import Identifier, decode_identifier, encode_identifier
from radfuse.dicom.words import character_set_for

_log = logging.getLogger(__name__)
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
    """The answers to a query as encoded identifiers, while they are found."""
    for answer in answers(archive, request.query, retrieve_ae_title, is_cancelled):
        yield Match(_encode(answer, request), answer.all_keys_supported)


def answers(
    archive: Archive,
    query: Query,
    retrieve_ae_title: str,
    is_cancelled: Callable[[], bool] = lambda: False,
    page: tuple[int, int] | None = None,
) -> Iterator[Answer]:
    """The answers to a query, while they are found; keys that the index lacks are read from the objects.

    ``page``: how many to leave out first, and how many to give at most.
    """
    with archive.reading() as connection:
        yield from find(
            connection,
            query,
            retrieve_ae_title,
            header_reader=_header_reader(archive, query),
            is_cancelled=is_cancelled,
            page=page,
        )


def _header_reader(archive: Archive, query: Query) -> Callable[[StoredObject], Identifier | None]:
    """Reads headers as far as the keys of ``query`` need; None where a file is missing or not readable."""
    last_tag = max((key.tag for key in query.keys), default=0)

    def read(stored: StoredObject) -> Identifier | None:
        try:
            return archive.read_header(stored, last_tag)
        except (ArchiveError, DataSetError) as error:
            _log.warning("a header was not read: %s", error)
            return None

    return read


def _encode(answer: Answer, request: Request) -> bytes:
    """Write an answer in the character set of the question if that can hold it, else in UTF-8."""
    texts = [value for element in answer.elements for value in element.values]
    character_sets = character_set_for(texts, request.character_sets)
    return encode_identifier(Identifier(answer.elements), request.transfer_syntax_uid, character_sets)
