"""Whether two series may be registered at all, and what a person should know before trusting it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import CannotRegister
from radfuse.services.register.asking import Allowed
from radfuse.volume import Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_WHOLE_BODY: Final = frozenset(("WHOLEBODY", "BODY", "WHOLE BODY"))
_PARTS: Final = {"THORAX": "CHEST", "BRAIN": "HEAD", "SKULL": "HEAD", "PELVIS": "PELVIS", "ABDOMENPELVIS": "ABDOMEN"}
"""Body parts by other names (PS3.16 Annex L), as far as they are the same place."""

_ALLOWED: Final = "the two series belong to different patients, which was allowed"


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two series: its volume, and the headers of its images, none for a NIfTI or NRRD file."""

    volume: Volume
    headers: tuple[Dataset, ...] = ()


def concerns_of(fixed: Side, moving: Side, allowed: Allowed) -> tuple[str, ...]:
    """What asks for caution, as sentences without patient data.

    Raises CannotRegister for different patients, unknown frames of reference and one frame on both sides,
    unless they are allowed.
    """
    _check_frames(fixed.volume, moving.volume, allowed)
    found = []
    if fixed.headers and moving.headers:
        one, other = fixed.headers[0], moving.headers[0]
        if _patient(one) != _patient(other):
            if not allowed.other_patient:
                raise CannotRegister("the two series belong to different patients; say so if that is meant")
            found.append(_ALLOWED)
        found += _contradictions(one, other)
    for name, side in (("fixed", fixed), ("moving", moving)):
        found += [f"{name}: {finding.sentence}" for finding in side.volume.findings if finding.repaired]
    return tuple(found)


def _check_frames(fixed: Volume, moving: Volume, allowed: Allowed) -> None:
    for name, volume in (("fixed", fixed), ("moving", moving)):
        if not volume.grid.frame.is_known:
            raise CannotRegister(f"the {name} images do not say in which frame of reference they lie")
    if fixed.grid.frame.is_same_as(moving.grid.frame) and not allowed.same_frame:
        raise CannotRegister("both series lie in the same frame of reference: there is nothing to do")


def _patient(header: Dataset) -> tuple[str, ...]:
    """Who it is: identifier and issuer; without an identifier the name and the date of birth."""
    identifier, issuer, name, birth = (
        _text(header, keyword) for keyword in ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate")
    )
    return (identifier, issuer) if identifier else ("", "", name, birth)


def _contradictions(fixed: Dataset, moving: Dataset) -> Iterator[str]:
    one, other = (_part(_text(header, "BodyPartExamined")) for header in (fixed, moving))
    if one and other and one != other and not {one, other} & _WHOLE_BODY:
        yield f"the series show different parts of the body: {one} and {other}"
    sides = {_text(header, "ImageLaterality") or _text(header, "Laterality") for header in (fixed, moving)}
    if {"L", "R"} <= sides:
        yield "one series shows the left side, the other the right side"


def _part(word: str) -> str:
    plain = word.upper()
    return _PARTS.get(plain, plain)


def _text(header: Dataset, keyword: str) -> str:
    return str(header.get(keyword) or "").strip(" \0^")
