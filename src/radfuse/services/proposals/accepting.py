"""A proposed registration becomes objects of the archive, with the name of who accepted it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from radfuse.archive import Archive
from radfuse.core.errors import NotOverlaid
from radfuse.registration.quality import Grade
from radfuse.services.proposals.keeping import Proposal, note_accepted, proposal_of
from radfuse.services.store_results import store

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_NO_NAME: Final = re.compile(r"[\\\x00-\x1f\x7f]")
_LONGEST_NAME: Final = 64


def accept(archive: Archive, job: int, operator: str, when: datetime, *, allow_failed: bool = False) -> Proposal:
    """Keep the objects of a proposal, all or none, made by ``operator`` at ``when``; once more changes nothing.

    One that failed its check needs ``allow_failed``: NotOverlaid otherwise. Raises UnknownEntity, and as ``store``.
    """
    proposal = proposal_of(archive, job)
    if proposal.facts["Grade"] == Grade.FAIL.value and not allow_failed:
        raise NotOverlaid("allow_failed", f"the registration failed its check: {proposal.facts['Reason']}")
    if not proposal.accepted:
        # Noted first: after a crash between the two the same bytes are made again.
        note_accepted(proposal, {"By": operator, "At": when.isoformat()})
        proposal = proposal_of(archive, job)
    store(archive, _signed(proposal))
    return proposal


def _signed(proposal: Proposal) -> list[Dataset]:
    """The objects with who accepted them, and the registration with when."""
    import pydicom

    from radfuse.objects.sr import add_person_observer

    by = _NO_NAME.sub(" ", proposal.accepted["By"])[:_LONGEST_NAME]
    when = datetime.fromisoformat(proposal.accepted["At"])
    signed: list[Dataset] = [pydicom.dcmread(file) for file in proposal.objects]
    for ds in signed:
        if by:
            ds.OperatorsName = by
        if by and "ContentCreatorName" in ds:
            ds.ContentCreatorName = by
        if by and ds.Modality == "SR":
            add_person_observer(ds, by)
    signed[0].ContentDate = when.strftime("%Y%m%d")
    signed[0].ContentTime = when.strftime("%H%M%S")
    return signed
