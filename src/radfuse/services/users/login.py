"""Logging in with a name and a password."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from radfuse.core.errors import ConfigurationError, TooManyAttempts, UnknownUser, WrongPassword
from radfuse.services.users.passwords import Passwords
from radfuse.services.users.sessions import Sessions
from radfuse.services.users.throttle import Throttle
from radfuse.services.users.users import Changes, Users, checked_name

_log = logging.getLogger(__name__)
_NOBODY: Final = "(unknown)"


@dataclass(frozen=True, slots=True)
class Started:
    """A session that was begun, and the secret of it."""

    user: str
    secret: str


class Login:
    """Begins sessions, and slows those who guess."""

    def __init__(self, users: Users, sessions: Sessions, passwords: Passwords, throttle: Throttle) -> None:
        self._users = users
        self._sessions = sessions
        self._passwords = passwords
        self.throttle = throttle

    def known_name(self, name: str) -> str:
        """The user's name if there is one like that, for logs: what is typed there may be a password."""
        normal = _normal(name)
        return normal if normal and self._users.password_of(normal) is not None else _NOBODY

    def log_in(self, name: str, password: str, address: str) -> Started:
        """Begin a session of user ``name``, who asks from ``address``.

        Raises TooManyAttempts (the password is not looked at), and WrongPassword, also for a name that is nobody's:
        it takes as long. ``delay_s`` of it is how long the answer is to be kept back.
        """
        normal = _normal(name)
        self._verify(normal, password, address)
        try:
            return Started(normal, self._sessions.start(normal))
        except UnknownUser:  # removed at this very moment
            raise WrongPassword(0.0) from None

    def change_password(self, name: str, old: str, new: str, address: str) -> None:
        """Give a user, who knows the old password, a new one; all sessions end.

        Raises TooManyAttempts, WrongPassword, ConfigurationError.
        """
        self._verify(name, old, address)
        try:
            self._users.change(name, Changes(password=new))
        except ConfigurationError as error:
            raise ConfigurationError("new_password", error.reason) from error

    def _verify(self, name: str, password: str, address: str) -> None:
        wait_s = self.throttle.begin(name, address)
        if wait_s > 0:
            _log.warning("a login was refused: too many wrong passwords", extra={"address": address})
            raise TooManyAttempts(wait_s)
        kept = self._users.password_of(name) if name else None
        verified = self._passwords.verify(kept, password)
        if not verified.is_right:
            user = name if kept is not None else _NOBODY
            _log.warning("a login was refused: wrong name or password", extra={"user": user, "address": address})
            raise WrongPassword(self.throttle.delay_s(name, address))
        self.throttle.succeeded(name, address)
        if verified.new_hash:
            self._users.keep_password(name, verified.new_hash)


def _normal(name: str) -> str:
    """The name as it is kept; "" for one that nobody can have."""
    try:
        return checked_name(name)
    except ConfigurationError:
        return ""
