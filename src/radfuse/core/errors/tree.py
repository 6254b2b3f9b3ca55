"""The root of the one error tree, and the errors of words and queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class RadfuseError(Exception):
    """Anything Radfuse can refuse or fail at."""

    template: ClassVar[str] = "Radfuse could not do this"

    def __str__(self) -> str:
        """The sentence, with the fields filled in."""
        return self.template.format(**self.__dict__)


@dataclass(eq=False)
class InvalidUID(RadfuseError):
    """A UID that PS3.5 section 9.1 does not allow."""

    attribute: str
    reason: str
    template = "{attribute} is not a valid UID: {reason}"


@dataclass(eq=False)
class InvalidAETitle(RadfuseError):
    """An AE title that PS3.5 section 6.2 (AE) does not allow."""

    reason: str
    template = "not a valid AE title: {reason}"


@dataclass(eq=False)
class InvalidQuery(RadfuseError):
    """An identifier that its information model does not allow (PS3.4 section C.4)."""

    reason: str
    template = "invalid query: {reason}"
