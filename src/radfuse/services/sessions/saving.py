"""The use case: what a person has made in the workstation becomes standard objects of the archive, all or none."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from pydicom import dcmread

from radfuse.archive import Archive
from radfuse.core.errors import ConfigurationError
from radfuse.objects.common import Making, Reference, encode
from radfuse.services.sessions.digests import digest_of
from radfuse.services.sessions.listing import newest_of_workspace, session_named
from radfuse.services.sessions.manifest import manifests_of
from radfuse.services.sessions.model import KeptSession, NewSession, Part, Role, SavedSession
from radfuse.services.sessions.parts import MadePart, parts_of
from radfuse.services.sessions.predecessors import name_predecessors
from radfuse.services.store_results import store
from radfuse.services.workspace_objects import Images
from radfuse.services.workspace_objects.report import tracking_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_JUDGED: Final = frozenset({Role.SEGMENTATION, Role.REPORT, Role.PICTURE})
"""What a session is restored from, or a person would miss: others are looked for, not into."""


def save_session(archive: Archive, new: NewSession, making: Making) -> SavedSession:
    """Make the objects and keep them. All are checked before the first is kept.

    Raises ConfigurationError where no series is open, what opening a series and the builders raise, InvalidObject
    for an object with a fault, and what ``store`` raises.
    """
    if new.scene.base is None:
        raise ConfigurationError("workspace", "there is nothing to save: open a series first")
    images = Images(archive)
    before = _predecessor(archive, new)
    parts = parts_of(images, new, making, tracking_of(before.segments) if before else {})
    if before is not None:
        name_predecessors(archive, (part.ds for part in parts.made if part.role is Role.REPORT), before)
    listed = [*map(_part, parts.made), *map(_registration, parts.registrations)]
    manifests = manifests_of(images, new, parts, listed, before, making)
    store(archive, [*(part.ds for part in parts.made), *manifests])
    version = before.version + 1 if before else 1
    made = [each for each in listed if each.role is not Role.REGISTRATION]
    made += [_manifest(each, new.name) for each in reversed(manifests)]
    registrations = tuple(each.sop_instance_uid for each in parts.registrations)
    return SavedSession(str(manifests[0].SOPInstanceUID), version, tuple(made), registrations, tuple(parts.notes))


def _predecessor(archive: Archive, new: NewSession) -> KeptSession | None:
    """The last version that was made of this draft, else the session that it was opened from."""
    own = newest_of_workspace(archive, new.study, new.workspace)
    if own is not None:
        return own
    found = session_named(archive, new.opened_from) if new.opened_from else None
    return found if found is not None and found.is_ours else None


def _part(made: MadePart) -> Part:
    ds = made.ds
    # What is compared later was read from bytes, too: numbers are rounded where they become text.
    digest = digest_of(dcmread(BytesIO(encode(ds)))) if made.role in _JUDGED else ""
    return Part(made.role, made.label, str(ds.SOPClassUID), str(ds.SOPInstanceUID), digest)


def _registration(reference: Reference) -> Part:
    return Part(Role.REGISTRATION, "Registration", reference.sop_class_uid, reference.sop_instance_uid)


def _manifest(ds: Dataset, name: str) -> Part:
    return Part(Role.KEY_OBJECT, name, str(ds.SOPClassUID), str(ds.SOPInstanceUID))
