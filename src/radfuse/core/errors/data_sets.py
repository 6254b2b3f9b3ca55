"""Data sets that cannot be read, written or made safe."""

from __future__ import annotations

from dataclasses import dataclass

from radfuse.core.errors.tree import RadfuseError


class DataSetError(RadfuseError):
    """A data set that cannot be read, or must not be."""


@dataclass(eq=False)
class MalformedDataSet(DataSetError):
    """The encoding is broken at ``offset`` bytes into the data set."""

    reason: str
    offset: int
    template = "malformed data set at byte {offset}: {reason}"


@dataclass(eq=False)
class NestingTooDeep(DataSetError):
    """Sequences nested deeper than ``limit``."""

    limit: int
    template = "sequences are nested deeper than {limit} levels"


@dataclass(eq=False)
class InflatedTooLarge(DataSetError):
    """A deflated data set that inflates beyond ``limit_bytes``."""

    limit_bytes: int
    template = "the deflated data set inflates to more than {limit_bytes} bytes"


@dataclass(eq=False)
class InvalidInstance(DataSetError):
    """A readable data set that is not a valid instance of its SOP class."""

    reason: str
    template = "not a valid instance: {reason}"


@dataclass(eq=False)
class NotPart10(DataSetError):
    """A file that is not a DICOM Part 10 file."""

    reason: str
    template = "not a DICOM Part 10 file: {reason}"


@dataclass(eq=False)
class TextNotEncodable(DataSetError):
    """Text that the named character set cannot hold."""

    character_set: str
    template = "the text cannot be written in character set {character_set}"


@dataclass(eq=False)
class CannotTranscode(DataSetError):
    """No loss-free way from one transfer syntax to another."""

    source: str
    target: str
    reason: str
    template = "cannot transcode {source} to {target}: {reason}"


@dataclass(eq=False)
class CannotAnonymize(DataSetError):
    """An object that the chosen profile cannot make safe."""

    reason: str
    template = "cannot be anonymized: {reason}"
