"""How to get from one series to another through the registrations that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from radfuse.archive import Archive, queries
from radfuse.archive.queries import SeriesPlace
from radfuse.core.errors import UnknownEntity
from radfuse.registration.quality import Grade
from radfuse.services.registrations.model import (
    Contradiction,
    KeptRegistration,
    Link,
    NotRegistered,
    RegistrationPath,
    Step,
    Wish,
)
from radfuse.services.registrations.reading import UNREADABLE, Transforms, kept_registrations
from radfuse.services.registrations.routes import Steps, best_route, other_routes, worst_grade

if TYPE_CHECKING:
    from radfuse.geometry import Chain, Points

_AGREE_MM: Final = 2.0
"""Paths that differ by more contradict each other."""


def path(
    archive: Archive, fixed_series: str, moving_series: str, wish: Wish | None = None
) -> RegistrationPath | NotRegistered:
    """The best path from the frame of reference of one series to that of another.

    Best: the worst grade on it is the best there is; then the fewest deformations, the fewest registrations,
    the newest. A registration that failed, and another patient, only where ``wish`` allows it. Raises UnknownEntity.
    """
    wish = wish or Wish()
    return _Search(archive, place_of(archive, fixed_series), place_of(archive, moving_series), wish).answer()


def place_of(archive: Archive, series_uid: str) -> SeriesPlace:
    """Where a series is. Raises UnknownEntity."""
    with archive.reading() as connection:
        found = queries.series_place(connection, series_uid)
    if found is None:
        raise UnknownEntity("series")
    return found


def in_words(steps: Sequence[Step]) -> str:
    """The registrations of a path, for a person."""
    return ", ".join(
        f"{'deformable ' if step.link.is_deformable else ''}registration {step.link.registration} "
        f"({step.link.grade.value}{'' if step.is_forward else ', backwards'})"
        for step in steps
    )


class _Search:
    """One question while it is answered."""

    def __init__(self, archive: Archive, fixed: SeriesPlace, moving: SeriesPlace, wish: Wish) -> None:
        self._archive = archive
        self._fixed = fixed
        self._moving = moving
        self._wish = wish
        self._warnings: list[str] = []
        self._doubts: list[str] = []
        self._unreadable: set[Link] = set()

    def answer(self) -> RegistrationPath | NotRegistered:
        """The path, or why there is none."""
        fixed, moving = self._fixed, self._moving
        if not (fixed.frame_of_reference_uid and moving.frame_of_reference_uid):
            side = "moving" if fixed.frame_of_reference_uid else "fixed"
            return self._none(f"the {side} series does not say its frame of reference: nobody knows where it lies")
        if self._is_other_patient:
            if not self._wish.allow_other_patient:
                return self._none("they are of two patients: nothing is overlaid unless that is asked for")
            self._warnings.append("the two series are of two patients")
        kept = kept_registrations(self._archive, {fixed.patient, moving.patient})
        return self._through(self._usable(kept), Transforms(self._archive, kept))

    @property
    def _is_other_patient(self) -> bool:
        return self._fixed.patient != self._moving.patient

    def _usable(self, kept: Sequence[KeptRegistration]) -> list[Link]:
        """The links that hold for these two series; what is left out for a reason is a warning."""
        wanted = self._wish.only
        if wanted - {registration.sop_instance_uid for registration in kept}:
            raise UnknownEntity("registration of the patient")
        asked = {self._fixed.series_instance_uid, self._moving.series_instance_uid}
        links = []
        for registration in kept:
            if wanted and registration.sop_instance_uid not in wanted:
                continue
            told = [f"{registration.sop_instance_uid}: {words}" for words in registration.findings]
            if registration.links:
                self._doubts += told
            else:
                self._warnings += told
            links += [link for link in registration.links if link.series is None or link.series & asked]
        return links

    def _through(self, links: list[Link], transforms: Transforms) -> RegistrationPath | NotRegistered:
        if self._fixed.frame_of_reference_uid == self._moving.frame_of_reference_uid:
            return self._within(links, transforms)
        allowed = self._allowed(links)
        while (route := self._best(allowed)) is not None:
            chain = self._chain(route, transforms)
            if chain is None:
                allowed = [link for link in allowed if link not in self._unreadable]
                continue
            others = tuple(self._others(allowed, route, chain, transforms))
            return self._found(route, chain, _reason(route, len(others)), others)
        if (failed := self._best([link for link in links if link not in self._unreadable])) is not None:
            return self._none(f"the only path failed its report card: {in_words(failed)}")
        self._warnings += self._doubts
        return self._none("no registration that can be used leads from one frame of reference to the other")

    def _allowed(self, links: Sequence[Link]) -> list[Link]:
        return [link for link in links if self._wish.allow_failed or link.grade is not Grade.FAIL]

    def _best(self, links: Sequence[Link]) -> Steps | None:
        return best_route(links, self._fixed.frame_of_reference_uid, self._moving.frame_of_reference_uid)

    def _within(self, links: Sequence[Link], transforms: Transforms) -> RegistrationPath | NotRegistered:
        """One frame of reference: nothing moves, unless a registration within it was asked for by its UID."""
        inside = [step for link in self._allowed(links) if (step := self._inside(link)) is not None]
        if not self._wish.only:
            self._warnings += [
                f"there is a registration within the frame of reference, to be asked for by its UID: {in_words([step])}"
                for step in inside
            ]
            inside = []
        elif not inside:
            return self._none("the registration that was asked for does not move one of these series to the other")
        for step in inside:
            chain = self._chain((step,), transforms)
            if chain is not None:
                return self._found((step,), chain, f"it was asked for: {in_words([step])}")
        if inside:
            return self._none("the registration that was asked for cannot be used")
        return self._found((), _identity(), "both lie in the same frame of reference")

    def _inside(self, link: Link) -> Step | None:
        """A link of the frame to itself as a step from the fixed to the moving series; None where it is not that."""
        if link.fixed != link.moving or link.fixed != self._fixed.frame_of_reference_uid:
            return None
        named = link.series or frozenset()
        is_forward = self._moving.series_instance_uid in named
        return Step(link, is_forward) if is_forward != (self._fixed.series_instance_uid in named) else None

    def _chain(self, route: Steps, transforms: Transforms) -> Chain | None:
        """The transforms of a route as one, with a way back; None, and a warning, where one does not fit."""
        whole = _identity()
        for step in route:
            try:
                chain = transforms.of(step.link)
                whole = whole.then(chain if step.is_forward else chain.inverse())
                whole.inverse()
            except UNREADABLE as error:
                self._unreadable.add(step.link)
                self._warnings.append(f"{step.link.registration} is not used: {error}")
                return None
        return whole

    def _others(
        self, links: Sequence[Link], route: Steps, chain: Chain, transforms: Transforms
    ) -> Iterator[Contradiction]:
        """Other paths that say something else, where both series have something in common."""
        from radfuse.services.registrations.differences import common_places, largest_difference_mm

        ends = self._fixed.frame_of_reference_uid, self._moving.frame_of_reference_uid
        places: Points | None = None
        for other in other_routes(links, *ends, route):
            if places is None:
                places = common_places(
                    self._archive, self._fixed.series_instance_uid, self._moving.series_instance_uid, chain
                )
            if (second := self._chain(other, transforms)) is None:
                continue
            off = largest_difference_mm(chain, second, places)
            if off is None:
                self._warnings.append(f"another path cannot be compared: {in_words(other)}")
            elif off > _AGREE_MM:
                yield Contradiction(
                    other, off, f"another path says something else by up to {off:.1f} mm: {in_words(other)}"
                )

    def _found(
        self, steps: Steps, chain: Chain, reason: str, others: tuple[Contradiction, ...] = ()
    ) -> RegistrationPath:
        return RegistrationPath(
            self._fixed,
            self._moving,
            steps,
            chain,
            reason,
            worst_grade(steps),
            self._is_other_patient,
            others,
            tuple(dict.fromkeys(self._warnings)),
        )

    def _none(self, sentence: str) -> NotRegistered:
        return NotRegistered(
            self._fixed, self._moving, f"not registered: {sentence}", tuple(dict.fromkeys(self._warnings))
        )


def _identity() -> Chain:
    from radfuse.geometry import Chain

    return Chain()


def _reason(route: Steps, contradictions: int) -> str:
    """Why this route, as a sentence."""
    deformations = sum(step.link.is_deformable for step in route)
    count = f"{len(route)} registration{'s' if len(route) > 1 else ''}"
    bent = f", {deformations} of them deformable" if deformations else ""
    chosen = "; the better of paths that contradict each other" if contradictions else ""
    return f"{count}{bent}, the worst grade {worst_grade(route).value}: {in_words(route)}{chosen}"
