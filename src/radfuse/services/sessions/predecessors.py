"""What the objects of a session go on from: those of the version before, where they are still here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from radfuse.archive import Archive
from radfuse.core.errors import RadfuseError
from radfuse.objects.common import Reference, reference_to
from radfuse.objects.sr import add_predecessor
from radfuse.services.one_object import stored_data_set
from radfuse.services.sessions.model import KeptSession, Role
from radfuse.services.stored_objects import object_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def kept_reference(archive: Archive, sop_instance_uid: str) -> Reference:
    """With its study and series. Raises UnknownEntity, and what reading it raises."""
    return reference_to(stored_data_set(archive, object_of(archive, sop_instance_uid), pixels=False))


def name_predecessors(archive: Archive, reports: Iterable[Dataset], before: KeptSession) -> None:
    """Let each report name the one in its study that it replaces, of the version before; not one that is gone."""
    earlier: dict[str, Reference] = {}
    for part in before.parts:
        if part.role is Role.REPORT:
            try:
                found = kept_reference(archive, part.sop_instance_uid)
            except RadfuseError:
                continue
            earlier.setdefault(found.study_uid, found)
    for report in reports:
        if (replaced := earlier.get(str(report.StudyInstanceUID))) is not None:
            add_predecessor(report, replaced)
