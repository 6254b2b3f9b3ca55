"""A series laid over another by a registration that is only proposed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from radfuse.archive import Archive
from radfuse.core.errors import NotOverlaid, UnknownEntity
from radfuse.registration.quality import Grade
from radfuse.services.proposals.keeping import Proposal, proposal_of
from radfuse.services.registrations import Link, RegistrationPath, Step, place_of

if TYPE_CHECKING:
    from radfuse.objects.reg import RegistrationObject


def proposed_path(
    archive: Archive, base_series: str, series: str, job: int, *, allow_other_patient: bool = False
) -> tuple[RegistrationPath, Proposal]:
    """The path from a base to a series by what a job proposes, forward or back, told by their frames of reference.

    Raises NotOverlaid for series that it does not join, UnknownEntity, UnreadableObject.
    """
    proposal = proposal_of(archive, job)
    fixed, moving = place_of(archive, base_series), place_of(archive, series)
    if fixed.patient != moving.patient and not allow_other_patient:
        raise NotOverlaid("allow_other_patient", "not registered: they are of two patients")
    read = _read(proposal.objects[0])
    edge = read.edges[0]
    link = Link(
        registration=proposal.registration,
        number=0,
        fixed=read.fixed.uid,
        moving=edge.moving.uid,
        is_deformable=edge.is_deformable,
        method=proposal.facts["Method"],
        grade=Grade(proposal.facts["Grade"]),
        date=read.date,
    )
    ends = fixed.frame_of_reference_uid, moving.frame_of_reference_uid
    is_same_pair = (base_series, series) == (proposal.moving_series, proposal.fixed_series)
    if ends == (link.fixed, link.moving) and not is_same_pair:
        step, chain = Step(link), edge.transform
    elif ends == (link.moving, link.fixed):
        step, chain = Step(link, is_forward=False), edge.transform.inverse()
    else:
        raise NotOverlaid("registration", "not registered: what is proposed does not join these two series")
    reason = f"{link.method}, {link.grade.value}: {proposal.facts['Reason']}"
    warnings = tuple(proposal.facts["Concerns"])
    other = fixed.patient != moving.patient
    return RegistrationPath(fixed, moving, (step,), chain, reason, link.grade, other, (), warnings), proposal


def _read(file: Path) -> RegistrationObject:
    """Raises UnknownEntity for a proposal that was discarded meanwhile."""
    try:
        return _remembered(file, file.stat().st_mtime_ns)
    except FileNotFoundError:
        raise UnknownEntity("proposed registration") from None


@lru_cache(maxsize=2)
def _remembered(file: Path, _changed_ns: int) -> RegistrationObject:
    import pydicom

    from radfuse.objects.reg import read_registration

    return read_registration(pydicom.dcmread(file))
