"""What goes wrong with media: file-sets that cannot be written or read."""

from __future__ import annotations

from dataclasses import dataclass

from radfuse.core.errors.tree import RadfuseError


class MediaError(RadfuseError):
    """A file-set that cannot be written, or is none."""


@dataclass(eq=False)
class CannotExport(MediaError):
    """Objects that cannot be put on a medium as it was asked."""

    reason: str
    template = "cannot be exported: {reason}"


@dataclass(eq=False)
class NotInProfile(MediaError):
    """An object that breaks ``rule`` of the media profile ``profile``."""

    profile: str
    rule: str
    reason: str
    template = "not allowed by {profile}: {reason}"


@dataclass(eq=False)
class DoesNotFit(MediaError):
    """Objects that no plan of volumes holds."""

    reason: str
    template = "{reason}"


@dataclass(eq=False)
class CannotMakeImage(MediaError):
    """A disc image that cannot be written."""

    reason: str
    template = "the disc image cannot be written: {reason}"


@dataclass(eq=False)
class UnreadableMedia(MediaError):
    """A disc image that cannot be read."""

    reason: str
    template = "the disc image cannot be read: {reason}"


@dataclass(eq=False)
class UnsafeFileId(MediaError):
    """A file id in a directory that names nothing inside its file-set."""

    reason: str
    template = "the file id of a directory record is not followed: {reason}"


@dataclass(eq=False)
class FileNotInSet(MediaError):
    """A file that a directory names and that is not there."""

    file_id: str
    template = "a file that the directory names is missing"


@dataclass(eq=False)
class InvalidDirectory(MediaError):
    """A file that cannot be read as a DICOMDIR."""

    reason: str
    template = "cannot be read as a DICOMDIR: {reason}"
