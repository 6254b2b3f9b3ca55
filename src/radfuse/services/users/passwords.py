"""Passwords: what one may be, and how it is kept (argon2id, RFC 9106)."""

from __future__ import annotations

import functools
import threading
import unicodedata
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from radfuse.core.errors import ConfigurationError

MIN_LENGTH: Final = 10
_MAX_LENGTH: Final = 256

# RFC 9106 section 4, the second recommended option: 3 passes over 64 MiB, 4 lanes.
_TIME_COST: Final = 3
_MEMORY_KIB: Final = 64 << 10
_LANES: Final = 4
_HASHES_AT_ONCE: Final = 1
"""Each takes 64 MiB for a tenth of a second: a flood of logins waits in line, it does not fill the memory."""


def checked_password(password: str, name: str) -> str:
    """``password`` in the form in which it is kept (RFC 8265 section 4.2: NFC), if it may be that of user ``name``.

    Length is what makes a password strong; there are no rules about its characters. Raises ConfigurationError.
    """
    normal = _normal(password)
    if len(normal) < MIN_LENGTH:
        raise ConfigurationError("password", f"is too short: it needs at least {MIN_LENGTH} characters")
    if len(normal) > _MAX_LENGTH:
        raise ConfigurationError("password", f"is too long: at most {_MAX_LENGTH} characters")
    if normal.casefold() == name.casefold():
        raise ConfigurationError("password", "must not be the user's name")
    if len(set(normal)) == 1:
        raise ConfigurationError("password", "must not be one character again and again")
    return normal


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a password is right; ``new_hash``: what is to be kept instead, when the parameters have changed."""

    is_right: bool
    new_hash: str = ""


class Passwords:
    """Hashes and verifies, a few at once."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(_TIME_COST, _MEMORY_KIB, _LANES, type=Type.ID)
        self._turns = threading.BoundedSemaphore(_HASHES_AT_ONCE)

    def hash(self, password: str) -> str:
        """What is kept of a checked password."""
        with self._turns:
            return self._hasher.hash(_normal(password))

    def verify(self, kept: str | None, password: str) -> Verified:
        """Whether ``kept`` is that of ``password``. None, there is no such user, takes as long and is wrong."""
        normal = _normal(password[: _MAX_LENGTH * 4])
        with self._turns:
            try:
                self._hasher.verify(kept or self._of_nobody, normal)
            except (VerifyMismatchError, VerificationError, InvalidHashError):
                return Verified(False)
            if kept is None:
                return Verified(False)
            return Verified(True, self._hasher.hash(normal) if self._hasher.check_needs_rehash(kept) else "")

    @functools.cached_property
    def _of_nobody(self) -> str:
        return self._hasher.hash("the password of nobody")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
