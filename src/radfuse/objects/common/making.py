"""Who makes an object, when, and with which UIDs: nothing here looks at a clock or rolls a die."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

UidMaker: TypeAlias = Callable[[], str]
"""Gives a fresh UID at each call: ``core.uids.new_uid``, or a counter where the same bytes must come out."""

SERIAL_NUMBER: Final = "0"
"""Device Serial Number where the caller names no installation: a program has none."""


@dataclass(frozen=True, slots=True)
class Making:
    """The circumstances in which objects are made. Raises ValueError for a time without a zone."""

    when: datetime
    uids: UidMaker
    operator: str = ""
    """Who worked at the station, as a Person Name (family^given); empty when nobody said."""
    serial_number: str = SERIAL_NUMBER
    """Device Serial Number: an identifier of the installation that stays the same."""

    def __post_init__(self) -> None:
        """Check the time."""
        if self.when.tzinfo is None:
            raise ValueError("the time of making needs a time zone")


@dataclass(frozen=True, slots=True)
class NewSeries:
    """The series that an object goes into. Objects of one series are given the same ``uid``."""

    description: str
    number: int | None = None
    """Series Number; None: 9000 above that of the source image's series."""
    uid: str = ""
    """Series Instance UID; empty: a fresh one."""
    instance_number: int = 1
