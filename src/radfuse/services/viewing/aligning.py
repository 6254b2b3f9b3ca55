"""Why a series lies where it is shown: the path to it, found once as long as its registrations are the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

import numpy as np
import xxhash

from radfuse.archive import Archive, queries
from radfuse.core.errors import NotOverlaid
from radfuse.geometry import DisplacementField, InverseField
from radfuse.services.proposals import Proposal, proposed_path
from radfuse.services.registrations import Grade, KeptRegistration, RegistrationPath, kept_registrations, place_of
from radfuse.services.registrations.grades import REPORTS
from radfuse.services.registrations.reading import DEFORMABLE, SPATIAL
from radfuse.services.series_views import SeriesView, path_onto
from radfuse.services.stack_facts import fingerprint
from radfuse.services.viewing.sides import OTHER_SIDE, are_opposite

_MOST_PATHS: Final = 64
_MOST_BYTES: Final = 256 << 20


class AlignmentKind(StrEnum):
    """How two series belong together."""

    BASE = "base"
    SAME_FRAME = "same frame"
    REGISTERED = "registered"
    PROPOSED = "proposed"
    """By a registration that nobody has accepted."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """A path onto a base, and the registrations on it."""

    path: RegistrationPath
    kept: Mapping[str, KeptRegistration]
    """By SOP Instance UID."""
    proposal: Proposal | None = None
    """What it is, where it is only proposed."""
    is_other_side: bool = False
    """Left over right."""

    @cached_property
    def digest(self) -> str:
        """Of all numbers of the path: an object that comes back under the same UID may say something else."""
        whole = xxhash.xxh3_128()
        for step in self.path.chain.steps:
            field = step.field if isinstance(step, InverseField) else step
            whole.update(type(step).__name__.encode())
            if isinstance(field, DisplacementField):
                whole.update(field.grid.to_patient.matrix.tobytes())
                whole.update(str(field.grid.shape).encode())
                whole.update(np.ascontiguousarray(field.vectors_mm).data)
            else:
                whole.update(field.matrix.tobytes())
        return whole.hexdigest()


@dataclass(frozen=True, slots=True)
class Alignment:
    """Why a series lies where it is shown, for a person."""

    kind: AlignmentKind
    sentence: str
    grade: Grade | None = None
    grade_reason: str = ""
    is_deformable: bool = False
    method: str = ""
    by: str = ""
    made: str = ""
    """Content Date and Time of the newest registration as digits."""
    warnings: tuple[str, ...] = ()
    is_other_patient: bool = False
    is_other_side: bool = False


def aligned(archive: Archive, base_series: str, view: SeriesView) -> Aligned:
    """The path from a series to that of a view. Raises UnknownEntity, NotOverlaid."""
    found = _found(archive, base_series, view)
    if not are_opposite(archive, base_series, view.series):
        return found
    if not view.allow_other_side:
        raise NotOverlaid("allow_other_side", f"not registered: {OTHER_SIDE}")
    return replace(found, is_other_side=True)


def _found(archive: Archive, base_series: str, view: SeriesView) -> Aligned:
    if view.proposed:
        path, proposal = proposed_path(
            archive, base_series, view.series, view.proposed, allow_other_patient=view.allow_other_patient
        )
        return Aligned(path, {}, proposal)
    ends = [place_of(archive, series) for series in (base_series, view.series)]
    places = {place.patient for place in ends}
    with archive.reading() as connection:
        objects = queries.objects_of_kind(connection, "REG", (SPATIAL, DEFORMABLE), places)
        objects += queries.objects_of_kind(connection, "SR", REPORTS, places)
    what = fingerprint([each.stored for each in objects])
    where = tuple((place.series_instance_uid, place.frame_of_reference_uid, place.patient) for place in ends)
    key = (archive.settings.folder, where, view.wish, what)
    found = _KNOWN.get(key)
    if found is None:
        path = path_onto(archive, base_series, view)
        on_it = {step.link.registration for step in path.steps}
        kept = kept_registrations(archive, places) if on_it else []
        found = Aligned(path, {each.sop_instance_uid: each for each in kept if each.sop_instance_uid in on_it})
        _KNOWN.put(key, found)
    return found


def alignment_of(found: Aligned | None) -> Alignment:
    """In words; None: the base itself."""
    if found is None:
        return Alignment(AlignmentKind.BASE, "the other series are laid over this one")
    told = _told(found)
    if not found.is_other_side:
        return told
    return replace(told, is_other_side=True, warnings=(OTHER_SIDE, *told.warnings))


def _told(found: Aligned) -> Alignment:
    path = found.path
    if not path.steps:
        return Alignment(
            AlignmentKind.SAME_FRAME,
            path.reason,
            warnings=path.warnings,
            is_other_patient=path.is_other_patient,
        )
    if found.proposal is not None:
        return _proposed(path, found.proposal)
    worst = max(path.steps, key=lambda step: step.link.grade.rank).link
    newest = max((found.kept[step.link.registration] for step in path.steps), key=lambda each: each.date)
    return Alignment(
        AlignmentKind.REGISTERED,
        path.reason,
        path.grade,
        found.kept[worst.registration].grading.reason,
        path.is_deformable,
        ", ".join(dict.fromkeys(step.link.method for step in path.steps if step.link.method)),
        ", ".join(dict.fromkeys(_maker(found.kept[step.link.registration]) for step in path.steps)),
        newest.date,
        (*path.warnings, *(other.sentence for other in path.contradictions)),
        path.is_other_patient,
    )


def _proposed(path: RegistrationPath, proposal: Proposal) -> Alignment:
    link = path.steps[0].link
    return Alignment(
        AlignmentKind.PROPOSED,
        f"proposed: {path.reason}",
        link.grade,
        proposal.facts["Reason"],
        path.is_deformable,
        link.method,
        made=link.date,
        warnings=path.warnings,
        is_other_patient=path.is_other_patient,
    )


def _maker(kept: KeptRegistration) -> str:
    return kept.creator or " ".join(dict.fromkeys(kept.equipment)) or "unknown"


class _Known:
    """The paths used last, with the grids of their deformations as far as memory allows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[Any, Aligned] = OrderedDict()

    def get(self, key: Any) -> Aligned | None:
        """A path that was put here."""
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
            return found

    def put(self, key: Any, found: Aligned) -> None:
        """Remember a path."""
        with self._lock:
            self._found[key] = found
            total = sum(map(_bytes, self._found.values()))
            for each in list(self._found)[:-1]:
                if total <= _MOST_BYTES and len(self._found) <= _MOST_PATHS:
                    break
                total -= _bytes(self._found.pop(each))


def _bytes(found: Aligned) -> int:
    total = 0
    for step in found.path.chain.steps:
        field = step.field if isinstance(step, InverseField) else step
        total += field.vectors_mm.nbytes if isinstance(field, DisplacementField) else 0
    return total


_KNOWN: Final = _Known()
