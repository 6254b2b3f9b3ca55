"""Frames of reference: the coordinate systems of patients on tables (PS3.3 section C.7.4.1)."""

from __future__ import annotations

from dataclasses import dataclass

from radfuse.core.errors import FramesDiffer


@dataclass(frozen=True, slots=True)
class FrameOfReference:
    """A coordinate system, by its Frame of Reference UID; without a UID it is known to nobody, not even to itself."""

    uid: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the images say which frame they lie in."""
        return bool(self.uid)

    def is_same_as(self, other: FrameOfReference) -> bool:
        """Whether positions of both can be compared: two unknown frames are never the same."""
        return self.is_known and self.uid == other.uid

    def require_same(self, other: FrameOfReference, what: str) -> None:
        """Raise FramesDiffer unless the frames are the same; ``what`` names the two things, in the plural."""
        if not self.is_same_as(other):
            raise FramesDiffer(what)
