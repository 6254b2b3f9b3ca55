"""The use case: the prior is found and registered, its lesions are carried over, found again, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from radfuse.archive import Archive
from radfuse.core.errors import CannotRegister
from radfuse.registration.quality import Grade
from radfuse.roi.boxes import Part
from radfuse.services.contours import images_of
from radfuse.services.followup.asking import USUAL_RULE, FollowupAsk, Rule, RuleKind
from radfuse.services.followup.carrying import Carried, carried_over
from radfuse.services.followup.comparability import findings_of
from radfuse.services.followup.finding import Found, Where, beside, by_rule, looked_for, search_area
from radfuse.services.followup.linking import Makings, Progress, link
from radfuse.services.followup.measuring import Measuring
from radfuse.services.followup.model import Change, Finding, Followup, Lesion, Link, Quantity, Seen, Status, TimePoint
from radfuse.services.followup.pairing import Pairing, paired
from radfuse.services.followup.priors import IMAGES, Candidate, priors_of_series, require_prior
from radfuse.services.followup.regions import Drawn, Region, drawn_on, only_object
from radfuse.services.new_regions import headers_of
from radfuse.services.registrations import place_of
from radfuse.services.volumes import open_volume, usual_unit
from radfuse.volume import Stack, Unit


def follow_up(
    archive: Archive, ask: FollowupAsk, progress: Progress | None = None, makings: Makings | None = None
) -> Followup:
    """Compare a series with an earlier one of the patient.

    ``makings``: keep a registration that has to be made, with these UIDs.

    Raises CannotRegister where there is no prior, the series are of two kinds or two patients, InvalidRegion for
    regions that are not there, UnknownEntity, and what opening volumes raises.
    """
    tell = progress or (lambda _share, _doing: None)
    tell(0.0, "looking for the prior")
    chosen = None if ask.prior else require_prior(priors_of_series(archive, ask.current))
    prior_uid = ask.prior or (chosen.series_instance_uid if chosen else "")
    _check(archive, ask, prior_uid)
    rule = ask.rule or _usual_rule(archive, ask.current)
    current, now = _time_point(archive, ask.current, None)
    prior, before = _time_point(archive, prior_uid, current.volume.unit)
    run = _Run(archive, ask, rule, prior, current)
    run.read()
    tell(0.05, "registering")
    linked = link(archive, ask, prior_uid, lambda share, doing: tell(0.05 + 0.75 * share, doing), makings)
    tell(0.8, "measuring")
    found = run.finished(linked, chosen)
    return replace(found, findings=(*findings_of(prior, current, linked, (before, now)), *found.findings))


def _check(archive: Archive, ask: FollowupAsk, prior_uid: str) -> None:
    one, two = place_of(archive, ask.current), place_of(archive, prior_uid)
    if one.modality not in IMAGES or one.modality != two.modality:
        raise CannotRegister("a follow-up compares two series of one modality: PET, CT or MR")
    if one.patient != two.patient and not ask.allow_other_patient:
        raise CannotRegister("the two series belong to different patients; say so if that is meant")


def _usual_rule(archive: Archive, series_uid: str) -> Rule:
    return USUAL_RULE if place_of(archive, series_uid).modality == "PT" else Rule(RuleKind.CONTOUR)


def _time_point(archive: Archive, series_uid: str, unit: Unit | None) -> tuple[TimePoint, Unit]:
    """The images, in the unit that was given or in the usual one; and the unit that they are stored in."""
    stack: Stack = images_of(archive, series_uid)
    volume = open_volume(archive, series_uid, unit or usual_unit(stack))
    headers = tuple(headers_of(stack))
    texts = (str(headers[0].get(keyword) or "") for keyword in ("AcquisitionDate", "SeriesDate", "StudyDate"))
    date = next((text for text in texts if text), "")
    written = f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 else date
    return TimePoint(volume, headers, written, str(headers[0].get("StudyInstanceUID") or "")), stack.unit


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a lesion of the prior is on the current images."""

    linked: Link
    carried: Carried | None
    area: Part | None


@dataclass(eq=False)
class _Run:
    """One follow-up while it is made."""

    archive: Archive
    ask: FollowupAsk
    rule: Rule
    prior: TimePoint
    current: TimePoint
    before: Drawn = field(init=False)
    now: Drawn | None = field(init=False, default=None)
    measuring: tuple[Measuring, Measuring] = field(init=False)
    notes: list[str] = field(default_factory=list)

    def read(self) -> None:
        """The regions, before the long work. Raises InvalidRegion, UnknownEntity, UnreadableObject, FramesDiffer."""
        grid = self.prior.volume.grid
        wanted = self.ask.structures or only_object(self.archive, self.prior.study_uid, grid.frame.uid)
        self.before = drawn_on(self.archive, wanted, grid, self.ask.names)
        self.notes += [f"prior regions: {note}" for note in self.before.notes]
        if self.ask.current_structures:
            self.now = drawn_on(self.archive, self.ask.current_structures, self.current.volume.grid)
            self.notes += [f"current regions: {note}" for note in self.now.notes]
            paired(self.before.regions, [], self.now, self.ask.pairs)  # names that are not there are told now
        is_pet = self.current.volume.source.modality == "PT"
        self.measuring = (
            Measuring(self.prior.volume, with_peak=is_pet),
            Measuring(self.current.volume, with_peak=is_pet),
        )

    def finished(self, linked: Link, chosen: Candidate | None) -> Followup:
        """Everything, once the time points are registered or are known not to be."""
        regions = self.before.regions
        carried = [self._carried(linked, region) for region in regions]
        areas = self._areas(carried)
        pairing = paired(regions, areas, self.now, self.ask.pairs)
        self.notes += pairing.notes
        lesions = [
            self._lesion(number, region, _Place(linked, carried[number], areas[number]), pairing)
            for number, region in enumerate(regions)
        ]
        status = Status.NEW if linked.path is not None else Status.UNPAIRED
        for region in pairing.new:
            seen = self._drawn_now([region])
            lesions.append(Lesion(len(lesions) + 1, region.name, status, None, seen, notes=region.notes))
        return Followup(
            self.ask,
            self.rule,
            self.prior,
            self.current,
            linked,
            tuple(lesions),
            tuple(self._totals(lesions)),
            tuple(self._findings(lesions)),
            tuple(self.notes),
            chosen,
            self.before.object_uid,
        )

    # --- one lesion --------------------------------------------------------------------------

    def _carried(self, linked: Link, region: Region) -> Carried | None:
        if linked.path is None or linked.grade is Grade.FAIL:
            return None
        return carried_over(linked.path, region.part, self.current.volume.grid)

    def _areas(self, carried: Sequence[Carried | None]) -> list[Part | None]:
        """Where each lesion is looked for; None where it was not carried, or lies outside the images."""
        parts = [each.part if each is not None and each.part.voxels else None for each in carried]
        areas: list[Part | None] = []
        for number, part in enumerate(parts):
            others = [other for place, other in enumerate(parts) if other is not None and place != number]
            areas.append(None if part is None else search_area(part, others, self.ask.margin_mm))
        return areas

    def _lesion(self, number: int, region: Region, place: _Place, pairing: Pairing) -> Lesion:
        prior, carried, area = self._drawn_before(region), place.carried, place.area
        part = carried.part if carried is not None and carried.part.voxels else None
        base = Lesion(number + 1, region.name, Status.UNPAIRED, prior, carried=part)
        if number in pairing.of:
            drawn = pairing.of[number]
            several = (f"it is {len(drawn)} current regions",) if len(drawn) > 1 else ()
            by_hand = number in pairing.by_hand
            current = self._drawn_now(drawn)
            return replace(base, status=Status.PERSISTING, current=current, by_hand=by_hand, notes=several)
        if carried is None:
            return base
        if part is None or area is None:
            return replace(base, status=Status.OUTSIDE, notes=carried.notes)
        where = Where(part, area, self._left_out(place.linked, region, prior.level))
        found = looked_for(self.current.volume, where, self.rule, prior.level)
        notes = (*found.notes, *carried.notes)
        if not found.part.voxels:
            gone = self.measuring[1].vanished(part, found.level, notes)
            return replace(base, status=Status.VANISHED, current=gone)
        return replace(base, status=Status.PERSISTING, current=self._measured(1, found, part, notes))

    def _left_out(self, linked: Link, region: Region, level: float | None) -> Part | None:
        """What lay beside the prior's region and fitted the rule, carried over."""
        if linked.path is None or level is None or self.rule.kind is RuleKind.CONTOUR or not self.ask.margin_mm:
            return None
        left_out = beside(self.prior.volume, region.part, level, self.ask.margin_mm)
        return carried_over(linked.path, left_out, self.current.volume.grid).part if left_out.voxels else None

    def _drawn_before(self, region: Region) -> Seen:
        found = by_rule(self.prior.volume, region.part, self.rule)
        return self._measured(0, found, region.part, (*region.notes, *found.notes))

    def _drawn_now(self, regions: Sequence[Region]) -> Seen:
        drawn = Part.together(region.part for region in regions)
        found = by_rule(self.current.volume, drawn, self.rule)
        notes = (*(note for region in regions for note in region.notes), *found.notes)
        return self._measured(1, found, drawn, notes)

    def _measured(self, which: int, found: Found, region: Part, notes: tuple[str, ...]) -> Seen:
        if found.part.voxels:
            return self.measuring[which].seen(found.part, found.level, notes)
        words = (*notes, "no voxel of the region fits the rule")
        return self.measuring[which].vanished(region, found.level, words)

    # --- all of them -------------------------------------------------------------------------

    def _totals(self, lesions: Sequence[Lesion]) -> Iterator[Change]:
        """Of all lesions at each time point; none where a lesion of the prior was not looked for."""
        before = self.measuring[0].together(each.prior.part for each in lesions if each.prior is not None)
        is_known = not any(each.prior is not None and each.current is None for each in lesions)
        now = self.measuring[1].together(each.current.part for each in lesions if each.current is not None)
        wanted = [Quantity.VOLUME]
        if self.current.volume.source.modality == "PT":
            wanted.append(Quantity.TLG)
        for quantity in wanted:
            yield Change(quantity, before.of(quantity), now.of(quantity) if is_known else None)

    def _findings(self, lesions: Sequence[Lesion]) -> Iterator[Finding]:
        seen = [each for each in lesions if each.current is not None and each.current.part.voxels]
        for number, one in enumerate(seen):
            for two in seen[number + 1 :]:
                if one.current and two.current and one.current.part.common(two.current.part):
                    yield Finding("lesions", f"lesions {one.number} and {two.number} have voxels in common now")
        if any(each.prior is not None and each.current is None for each in lesions):
            yield Finding("lesions", "some lesions are not compared: the totals have no change")
