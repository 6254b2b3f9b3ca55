"""The one map from what identifies to what takes its place: a keyed function, so that nothing needs to be kept.

The same key gives the same answers on every machine and in every run; without it nobody can guess
from an answer what it was made from (PS3.15 section E.1.1 warns of plain hashes).
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from radfuse.core.errors import ConfigurationError

_KEY_BYTES: Final = 32
_MOST_DAYS: Final = 3650
_LEAST_DAYS: Final = 30
_OF_THE_STANDARD: Final = re.compile(r"1\.2\.840\.10008\.[0-9.]{1,50}\Z")


@dataclass(frozen=True, slots=True)
class ProjectKey:
    """The secret of one project. Whoever has it can find out which pseudonym a known patient has."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raise ConfigurationError for one that is too short to be a secret."""
        if len(self.secret) < 16:
            raise ConfigurationError("key", "a project key has at least 16 bytes")

    @classmethod
    def new(cls) -> Self:
        """A random one."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """The key in a file, made when the file is not there, readable by its owner alone.

        Raises ConfigurationError for a file that is no key.
        """
        with contextlib.suppress(FileExistsError):
            return cls._made(path)
        try:
            return cls(bytes.fromhex(path.read_text(encoding="ascii").strip()))
        except (OSError, ValueError) as error:
            raise ConfigurationError(str(path), "is no project key: hexadecimal digits, at least 32") from error

    @classmethod
    def _made(cls, path: Path) -> Self:
        """A random one, whole in its file or not there at all. Raises FileExistsError."""
        if path.exists():
            raise FileExistsError
        made = cls.new()
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from None
        try:
            with os.fdopen(file, "w", encoding="ascii") as stream:
                stream.write(made.secret.hex() + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.link(part, path)
        finally:
            part.unlink()
        return made


class Pseudonyms:
    """What takes the place of UIDs, patients and dates under one key."""

    def __init__(self, key: ProjectKey) -> None:
        self._key = key
        self.uid = lru_cache(maxsize=1 << 14)(self._uid)

    def _digest(self, what: str, of: str) -> bytes:
        return hmac.digest(self._key.secret, f"{what}\0{of}".encode(), "sha256")

    def _uid(self, uid: str) -> str:
        """In the place of ``uid``: a UUID-derived one (PS3.5 section B.2). UIDs of the standard itself stay."""
        if not uid or _OF_THE_STANDARD.match(uid):
            return uid
        number = bytearray(self._digest("uid", uid)[:16])
        number[6] = number[6] & 0x0F | 0x80  # version 8: made by a function of one's own (RFC 9562)
        number[8] = number[8] & 0x3F | 0x80
        return f"2.25.{int.from_bytes(number, 'big')}"

    def patient(self, identity: str) -> str:
        """Patient ID and name of a patient: letters and digits that nobody mistakes for a real one."""
        return "ANON-" + base64.b32encode(self._digest("patient", identity)[:10]).decode("ascii")

    def days(self, identity: str) -> int:
        """By how many days the dates of a patient are moved: always into the past."""
        number = int.from_bytes(self._digest("days", identity)[:8], "big")
        return -(_LEAST_DAYS + number % (_MOST_DAYS - _LEAST_DAYS + 1))
