"""Conditional and partial requests (RFC 9110 sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import xxhash
from starlette.requests import Request

from radfuse.archive import StoredObject
from radfuse.web.problems import HttpProblem

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)


def entity_tag(objects: Iterable[StoredObject], *what: str) -> str:
    """A strong entity tag of a representation of ``objects``; ``what`` tells representations apart."""
    digest = xxhash.xxh3_128("\0".join(what).encode())
    for stored in objects:
        digest.update(stored.sop_instance_uid.encode())
        digest.update(stored.digest)
    return f'"{digest.hexdigest()}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether the client has what ``tag`` stands for (If-None-Match)."""
    named = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return tag in named or "*" in named


def range_of(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """First and last byte that are asked for; None for all. Raises 416. Several ranges are answered by all."""
    header = request.headers.get("range", "")
    found = _RANGE.match(header)
    condition = request.headers.get("if-range", tag)
    if found is None or found[0] == "bytes=-" or condition != tag:
        return None
    first, last = found[1], found[2]
    if not first:
        start, stop = max(size - int(last), 0), size - 1
    else:
        start, stop = int(first), min(int(last) if last else size - 1, size - 1)
    if start > stop:
        raise HttpProblem(416, f"the object has {size} bytes")
    return start, stop
