"""The path that something is carried along, and the objects that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from radfuse.archive import Archive
from radfuse.services.registrations import RegistrationPath, Wish, in_words, kept_registrations, require_path

if TYPE_CHECKING:
    from radfuse.objects.common import Reference

_TO_DO: Final = "register them and keep that (radfuse register --save), or say so where it is meant all the same"


def path_of(archive: Archive, fixed: str, moving: str, wish: Wish) -> RegistrationPath:
    """The best path from one series to the other. Raises UnknownEntity, and NotOverlaid where there is none."""
    return require_path(archive, fixed, moving, wish, _TO_DO)


def path_notes(found: RegistrationPath) -> tuple[str, ...]:
    """What a person should know of a path before trusting what was carried along it."""
    return (*(other.sentence for other in found.contradictions), *found.warnings)


def path_words(found: RegistrationPath) -> str:
    """The path, for provenance."""
    return in_words(found.steps) or "the same frame of reference"


def registrations_on(archive: Archive, found: RegistrationPath) -> tuple[Reference, ...]:
    """References to the registration objects of a path, each once."""
    from radfuse.objects.common import Reference

    wanted = dict.fromkeys(step.link.registration for step in found.steps)
    if not wanted:
        return ()
    kept = {
        each.sop_instance_uid: each for each in kept_registrations(archive, {found.fixed.patient, found.moving.patient})
    }
    return tuple(
        Reference(kept[uid].stored.sop_class_uid, uid, kept[uid].series_instance_uid, kept[uid].study_instance_uid)
        for uid in wanted
        if uid in kept
    )
