"""How the two time points are registered: by what is kept, or by a registration that is made and judged now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from radfuse.archive import Archive, queries
from radfuse.archive.queries import SeriesPlace
from radfuse.core.errors import CannotRegister
from radfuse.objects.common import Making
from radfuse.registration.quality import Grade
from radfuse.services.followup.asking import FollowupAsk, Linking
from radfuse.services.followup.model import Link
from radfuse.services.measure import Image
from radfuse.services.register import Allowed, RegisterAsk, Registered, RegisterKind, register, save
from radfuse.services.registrations import NotRegistered, RegistrationPath, Wish, path, place_of

Progress: TypeAlias = Callable[[float, str], None]
Makings: TypeAlias = Callable[[str], Making]
"""The circumstances in which things are made, by what they are: each has UIDs of its own."""

_KINDS: Final = {
    Linking.DEFORMABLE: (RegisterKind.DEFORMABLE, RegisterKind.RIGID),
    Linking.RIGID: (RegisterKind.RIGID,),
    Linking.NONE: (),
}


def link(archive: Archive, ask: FollowupAsk, prior: str, progress: Progress, makings: Makings | None = None) -> Link:
    """The best path that is kept; else one is made, and kept where ``makings`` says with which UIDs.

    CT to CT where both studies have one in the frame of reference of the series. A registration that failed
    is never used: then there is no path, and a sentence that says why. Raises what opening the series raises.
    """
    wish = Wish(allow_other_patient=ask.allow_other_patient)
    found = path(archive, ask.current, prior, wish)
    if isinstance(found, RegistrationPath):
        return _of_path(found)
    if ask.linking is Linking.NONE:
        return Link(None, found.sentence)
    pair = _to_register(archive, found.fixed, found.moving)
    made: list[Registered] = []
    for number, kind in enumerate(_KINDS[ask.linking]):
        try:
            one = register(archive, _asked(ask, pair, kind), progress)
        except CannotRegister as error:
            return Link(None, str(error), made=tuple(made))
        made.append(one)
        if makings is not None:
            save(archive, one, makings(f"registration {number}"))
        if one.card.grade is not Grade.FAIL:
            return _linked(archive, ask, prior, tuple(made), makings is not None)
    reason = f"the registration failed: {made[-1].card.reason}; pair the lesions by hand"
    return Link(None, reason, Grade.FAIL, tuple(made))


def _to_register(archive: Archive, current: SeriesPlace, prior: SeriesPlace) -> tuple[str, str]:
    """The series that are registered: the CTs of both, where they have one each in the same frame of reference."""
    if current.modality == "CT":
        return current.series_instance_uid, prior.series_instance_uid
    cts = [_ct_beside(archive, place) for place in (current, prior)]
    if cts[0] and cts[1]:
        return cts[0], cts[1]
    return current.series_instance_uid, prior.series_instance_uid


def _ct_beside(archive: Archive, place: SeriesPlace) -> str:
    """The CT with the most images in the frame of reference and study of a series; "" where there is none."""
    with archive.reading() as connection:
        rows = queries.series_rows(connection, place.study_instance_uid)
    beside = [
        row for row in rows if row.modality == "CT" and row.frame_of_reference_uid == place.frame_of_reference_uid
    ]
    best = max(beside, key=lambda row: (row.instances, row.series_instance_uid), default=None)
    return best.series_instance_uid if best is not None else ""


def _asked(ask: FollowupAsk, pair: tuple[str, str], kind: RegisterKind) -> RegisterAsk:
    allowed = Allowed(other_patient=ask.allow_other_patient)
    return RegisterAsk(Image(pair[0]), Image(pair[1]), kind, allowed=allowed)


def _of_path(found: RegistrationPath) -> Link:
    uids = tuple(step.link.registration for step in found.steps)
    return Link(found, found.reason, found.grade, registrations=uids)


def _linked(archive: Archive, ask: FollowupAsk, prior: str, made: tuple[Registered, ...], is_kept: bool) -> Link:
    """The path through what was made: as the archive gives it back, or as it is."""
    if is_kept:
        kept = path(archive, ask.current, prior, Wish(allow_other_patient=ask.allow_other_patient))
        if isinstance(kept, NotRegistered):
            return Link(None, kept.sentence, made=made)
        return Link(kept, kept.reason, kept.grade, made, tuple(step.link.registration for step in kept.steps))
    one = made[-1]
    places = place_of(archive, ask.current), place_of(archive, prior)
    name = f"{one.registration.method.value} registration of {one.fixed.volume.source.modality} to "
    sentence = f"{name}{one.moving.volume.source.modality}, made for this: {one.card.grade.value}, {one.card.reason}"
    is_other = places[0].patient != places[1].patient
    way = RegistrationPath(*places, (), one.registration.transform, sentence, one.card.grade, is_other)
    return Link(way, sentence, one.card.grade, made)
