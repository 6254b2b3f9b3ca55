"""A path that there has to be, or what would have to be allowed for one."""

from __future__ import annotations

from dataclasses import replace

from radfuse.archive import Archive
from radfuse.core.errors import NotOverlaid
from radfuse.services.registrations.model import NotRegistered, RegistrationPath, Wish
from radfuse.services.registrations.paths import path


def require_path(
    archive: Archive, fixed_series: str, moving_series: str, wish: Wish, cure: str = ""
) -> RegistrationPath:
    """The best path from one series to the other.

    Raises UnknownEntity, and NotOverlaid, whose setting would have to change; ``cure``: words for where a person is.
    """
    found = path(archive, fixed_series, moving_series, wish)
    if isinstance(found, NotRegistered):
        said = "; ".join(filter(None, (found.sentence, cure)))
        raise NotOverlaid(_what_would_help(archive, found, wish), said)
    return found


def _what_would_help(archive: Archive, refused: NotRegistered, wish: Wish) -> str:
    """The setting without which there is no path."""
    fixed, moving = refused.fixed, refused.moving
    if fixed.patient != moving.patient and not wish.allow_other_patient:
        return "allow_other_patient"
    if not wish.allow_failed:
        also_failed = replace(wish, allow_failed=True)
        found = path(archive, fixed.series_instance_uid, moving.series_instance_uid, also_failed)
        if isinstance(found, RegistrationPath):
            return "allow_failed"
    return "registration"
