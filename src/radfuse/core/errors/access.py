"""Configuration, rights and users."""

from __future__ import annotations

from dataclasses import dataclass

from radfuse.core.errors.tree import RadfuseError


@dataclass(eq=False)
class ConfigurationError(RadfuseError):
    """A setting that cannot be used, and what to do about it."""

    setting: str
    reason: str
    template = "{setting}: {reason}"


@dataclass(eq=False)
class UnknownPeer(RadfuseError):
    """No peer of this name or AE title is configured."""

    peer: str
    template = "unknown peer {peer!r}; add it with the page Peers or with 'radfuse peers add NAME AET@HOST:PORT'"


@dataclass(eq=False)
class UnknownRule(RadfuseError):
    """No routing rule has this name."""

    rule: str
    template = "there is no rule {rule!r}; the page Rules and 'radfuse rules list' show all"


@dataclass(eq=False)
class UnknownDatabase(RadfuseError):
    """No database has this name."""

    database: str
    template = "there is no database {database!r}; the setting databases names them all"


@dataclass(eq=False)
class UnknownContextList(RadfuseError):
    """No list of presentation contexts has this name."""

    name: str
    template = "there is no context list {name!r}; 'radfuse contexts list' shows all"


@dataclass(eq=False)
class InUse(RadfuseError):
    """Something of the configuration that others need as it is; the reason says who, and what to do."""

    what: str
    reason: str
    template = "{what} is in use: {reason}"


@dataclass(eq=False)
class AlreadyThere(RadfuseError):
    """Something that would be made is there already, and is not replaced unasked."""

    what: str
    template = "{what} is there already"


@dataclass(eq=False)
class NotAuthorized(RadfuseError):
    """The calling peer has no right to the operation."""

    operation: str
    template = "the calling AE title may not {operation} here"


@dataclass(eq=False)
class NotAllowed(RadfuseError):
    """Our own configuration forbids this operation with a peer."""

    operation: str
    peer: str
    template = (
        "the configuration does not allow to {operation} peer {peer!r}; "
        "the page Peers can change that, or 'radfuse peers add'"
    )


@dataclass(eq=False)
class UnknownUser(RadfuseError):
    """No user has this name."""

    user: str
    template = "there is no user {user!r}; the page Users and 'radfuse users list' show all"


@dataclass(eq=False)
class UserExists(RadfuseError):
    """There is a user of this name already."""

    user: str
    template = "there is a user {user!r} already; change that one, or choose another name"


@dataclass(eq=False)
class LastAdministrator(RadfuseError):
    """Without this user nobody could administer the service."""

    user: str
    template = "{user!r} is the last administrator: make another user one first"


@dataclass(eq=False)
class UnknownToken(RadfuseError):
    """No token has this id, or it is somebody else's."""

    token: str
    template = "there is no token {token!r} of yours; it may have been removed"


@dataclass(eq=False)
class WrongPassword(RadfuseError):
    """A login that was refused. ``delay_s``: how long to keep the answer back."""

    delay_s: float
    template = "name or password is wrong"


@dataclass(eq=False)
class TooManyAttempts(RadfuseError):
    """Too many wrong passwords: none is looked at for a while."""

    wait_s: float
    template = "too many wrong passwords; try again in {wait_s:.0f} s"
