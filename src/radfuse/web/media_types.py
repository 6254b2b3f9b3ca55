"""Media types and their negotiation (RFC 9110 sections 8.3 and 12.5, PS3.18 section 8.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from radfuse.web.problems import bad_request

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE: Final = re.compile(rf"\s*({_WORD})/({_WORD})\s*")
_PARAMETER: Final = re.compile(rf';\s*(?:({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;,"\s]+)))?\s*')
_ESCAPED: Final = re.compile(r"\\(.)")
_LONGEST: Final = 8192
_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type or media range: lower case, its parameters by lower-case name, and its weight."""

    name: str
    parameters: Mapping[str, str]
    quality: float = 1.0

    @property
    def part(self) -> str:
        """Of ``multipart/related``: the type of its root, lower case; "" when it names none."""
        return self.parameters.get("type", "").lower()

    def covers(self, name: str) -> bool:
        """Whether the range holds the media type ``name``."""
        main, _, sub = self.name.partition("/")
        return self.name in (name, "*/*") or (sub == "*" and name.startswith(main + "/"))


def media_type_of(text: str) -> MediaType:
    """The value of a Content-Type header. Raises 400."""
    found = list(_media_types(text))
    if len(found) != 1:
        raise bad_request("the Content-Type is not one media type")
    return found[0]


def accepted(header: str) -> list[MediaType]:
    """The ranges of an Accept header, the most wanted first; nothing said is ``*/*``. Raises 400."""
    ranges = list(_media_types(header)) if header.strip() else []
    wanted = sorted((each for each in ranges if each.quality > 0), key=lambda each: -each.quality)
    return wanted if ranges else [MediaType("*/*", {})]


def _media_types(text: str) -> Iterator[MediaType]:
    if len(text) > _LONGEST:
        raise bad_request("the list of media types is too long")
    position = 0
    for _ in range(_MOST):
        found = _TYPE.match(text, position)
        if found is None:
            raise bad_request("a media type is malformed")
        position = found.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(text, position):
            position = parameter.end()
            if parameter[1]:
                value = parameter[3] if parameter[2] is None else _ESCAPED.sub(r"\1", parameter[2])
                parameters.setdefault(parameter[1].lower(), value)
        yield MediaType(f"{found[1]}/{found[2]}".lower(), parameters, _quality(parameters.pop("q", "1")))
        if position == len(text):
            return
        if text[position] != ",":
            break
        position += 1
    raise bad_request("a media type is malformed")


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0
