"""Multipart bodies read part by part, in bounded memory (RFC 2046 section 5.1, RFC 2387)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from radfuse.web.problems import bad_request

_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]\Z", re.ASCII)
_MAX_HEAD_BYTES: Final = 16 * 1024
_MAX_PREAMBLE_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers by lower-case name, and its content, to be read to the end before the next part."""

    headers: Mapping[str, str]
    content: Iterator[memoryview]


class MultipartReader:
    """Reads parts from ``read``, which gives the next bytes of the body and b"" at its end.

    Raises 400 for what is no multipart body.
    """

    def __init__(self, boundary: str, read: Callable[[], bytes]) -> None:
        if not _BOUNDARY.match(boundary):
            raise bad_request("the multipart body has no boundary, or a malformed one")
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._read = read
        self._buffer = b"\r\n"  # the first delimiter may begin the body

    def parts(self) -> Iterator[Part]:
        """The parts, in their order."""
        self._skip_preamble()
        while not self._is_last():
            content = self._content()
            yield Part(self._head(), content)
            for _ in content:
                pass

    def _more(self) -> bytes:
        chunk = self._read()
        if not chunk:
            raise bad_request("the multipart body ends within a part")
        return chunk

    def _skip_preamble(self) -> None:
        seen = 0
        while (start := self._buffer.find(self._delimiter)) < 0:
            keep = len(self._delimiter)
            seen += max(len(self._buffer) - keep, 0)
            if seen > _MAX_PREAMBLE_BYTES:
                raise bad_request("the multipart body does not begin with its boundary")
            chunk = self._read()
            if not chunk:
                raise bad_request("the body holds no part")
            self._buffer = self._buffer[-keep:] + chunk
        self._buffer = self._buffer[start + len(self._delimiter) :]

    def _is_last(self) -> bool:
        """Behind a delimiter: whether it is the closing one; else go behind the end of its line."""
        while b"\n" not in self._buffer and not self._buffer.startswith(b"--"):
            if len(self._buffer) > _MAX_HEAD_BYTES:
                raise bad_request("a boundary is followed by something else")
            self._buffer += self._more()
        if self._buffer.startswith(b"--"):
            return True
        line, _, self._buffer = self._buffer.partition(b"\n")
        if line.strip(b" \t\r"):
            raise bad_request("a boundary is followed by something else")
        return False

    def _head(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        total = 0
        while line := self._line():
            total += len(line)
            name, colon, value = line.partition(":")
            if not colon or total > _MAX_HEAD_BYTES:
                raise bad_request("the headers of a part are malformed")
            headers.setdefault(name.strip().lower(), value.strip())
        return headers

    def _line(self) -> str:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _MAX_HEAD_BYTES:
                raise bad_request("the headers of a part are too long")
            self._buffer += self._more()
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.strip(b"\r\n \t").decode("latin-1")

    def _content(self) -> Iterator[memoryview]:
        """Pieces up to the next delimiter."""
        delimiter = self._delimiter
        keep = len(delimiter) - 1
        if not self._buffer:
            self._buffer = self._more()
        if self._buffer.startswith(delimiter[2:]):  # an empty part: the line end before was that of its headers
            self._buffer = self._buffer[len(delimiter) - 2 :]
            return
        while (start := self._buffer.find(delimiter)) < 0:
            ready = len(self._buffer) - keep
            if ready > 0:
                view = memoryview(self._buffer)
                yield view[:ready]
                self._buffer = bytes(view[ready:]) + self._more()
            else:
                self._buffer += self._more()
        view, self._buffer = memoryview(self._buffer)[:start], self._buffer[start + len(delimiter) :]
        if start:
            yield view
