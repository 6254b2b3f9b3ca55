"""Registrations for a list: all of the archive, or those that touch a study; and one of them in detail."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from radfuse.archive import Archive, queries
from radfuse.core.errors import UnknownEntity
from radfuse.services.registrations.model import KeptRegistration
from radfuse.services.registrations.reading import UNREADABLE, Transforms, kept_registrations

if TYPE_CHECKING:
    from radfuse.geometry import Chain


def registrations_of_study(archive: Archive, study_uid: str) -> list[KeptRegistration]:
    """Registrations of the study's patient that are in the study, or join a frame of reference of its series.

    Raises UnknownEntity.
    """
    with archive.reading() as connection:
        series = queries.study_places(connection, study_uid)
    if not series:
        raise UnknownEntity("study")
    frames = {each.frame_of_reference_uid for each in series}
    return [
        kept
        for kept in kept_registrations(archive, {each.patient for each in series})
        if kept.study_instance_uid == study_uid or any({link.fixed, link.moving} & frames for link in kept.links)
    ]


def registration_in_detail(archive: Archive, sop_instance_uid: str) -> tuple[KeptRegistration, list[Chain]]:
    """One registration, and the transform of each of its links; no link where it cannot be used.

    Raises UnknownEntity.
    """
    with archive.reading() as connection:
        patient = queries.patient_of(connection, sop_instance_uid)
    for kept in kept_registrations(archive, () if patient is None else {patient}):
        if kept.sop_instance_uid == sop_instance_uid:
            return _checked(archive, kept)
    raise UnknownEntity("registration")


def _checked(archive: Archive, kept: KeptRegistration) -> tuple[KeptRegistration, list[Chain]]:
    """The transforms; where one cannot be read, the registration without links and with a finding."""
    transforms = Transforms(archive, [kept])
    try:
        return kept, [transforms.of(link) for link in kept.links]
    except UNREADABLE as error:
        return replace(kept, links=(), findings=(*kept.findings, f"it is not used: {error}")), []
