"""Volumes, quantities, regions and derived objects that cannot be trusted, and are therefore refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radfuse.core.errors.tree import RadfuseError

_MOST_FAULTS: Final = 5


class ImagingError(RadfuseError):
    """Something that would have to be guessed to be shown or computed."""


@dataclass(eq=False)
class FramesDiffer(ImagingError):
    """Two things that lie in different frames of reference, and no registration between them was given."""

    what: str
    template = "{what} are not registered: they lie in different frames of reference"


@dataclass(eq=False)
class NotOverlaid(ImagingError):
    """A series that is not laid over another, or measured with it; ``setting`` is what would have to change."""

    setting: str
    reason: str
    template = "{reason}"


@dataclass(eq=False)
class InvalidGeometry(ImagingError):
    """A grid, transform or field that cannot be."""

    reason: str
    template = "invalid geometry: {reason}"


@dataclass(eq=False)
class CannotBuildVolume(ImagingError):
    """Images that do not make one volume."""

    reason: str
    template = "no volume can be built: {reason}"


class ImagesArriving(ImagingError):
    """Images of a series that arrive while it is being read: what was read of it is not what it is."""

    template = "images of the series are arriving just now: ask again when they are there"


@dataclass(eq=False)
class CannotComputeSUV(ImagingError):
    """A standardized uptake value that would have to be guessed."""

    reason: str
    template = "no SUV can be computed: {reason}"


@dataclass(eq=False)
class InvalidRegion(ImagingError):
    """A region or a measurement of one that has no meaning."""

    reason: str
    template = "invalid region: {reason}"


@dataclass(eq=False)
class CannotRegister(ImagingError):
    """Two images, or two sets of points, that cannot be brought together as asked."""

    reason: str
    template = "cannot be registered: {reason}"


@dataclass(eq=False)
class UnreadableObject(ImagingError):
    """A DICOM object whose content cannot be used for what was asked."""

    reason: str
    template = "the object cannot be used: {reason}"


@dataclass(eq=False)
class InvalidObject(ImagingError):
    """An object of ours that breaks the standard; it is not stored. Each fault is a sentence."""

    faults: tuple[str, ...]
    template = "the object is not valid and was not stored: {faults}"

    def __str__(self) -> str:
        """The first faults, and how many more there are."""
        more = len(self.faults) - _MOST_FAULTS
        shown = [*self.faults[:_MOST_FAULTS], *([f"and {more} more"] if more > 0 else [])]
        return self.template.format(faults="; ".join(shown))
