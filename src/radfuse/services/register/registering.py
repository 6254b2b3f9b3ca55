"""Registering two series: from a start by kind to a judged result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Chain, Mask
from radfuse.registration import (
    DeformableRecipe,
    Focus,
    Kind,
    Likeness,
    Method,
    Registration,
    RigidRecipe,
    deform,
    rigid,
)
from radfuse.registration.landmarks import LandmarkFit, fit_landmarks
from radfuse.registration.manual import SixParameters
from radfuse.registration.quality import Evidence, Landmarks, Quantity, ReportCard, judge
from radfuse.services.register import loading
from radfuse.services.register.asking import Point, RegisterAsk, RegisterKind
from radfuse.services.register.checks import Side, concerns_of
from radfuse.services.register.starting import landmark_points, start_of, starting_landmarks

if TYPE_CHECKING:
    from radfuse.registration import MetricStep, RigidResult

Progress = Callable[[float, str], None]
"""Told the share that is done, 0 to 1, and with what; what it raises ends the work."""

Steps = Callable[["MetricStep"], None]
"""Told the metric after each step; must not raise."""

_VOXELS_BACK: Final = 1_000_000


@dataclass(frozen=True, eq=False)
class Registered:
    """A judged registration, and the two series it is of."""

    registration: Registration
    card: ReportCard
    fixed: Side
    moving: Side
    ask: RegisterAsk
    region: Mask | None = None
    before: Chain | None = None
    """Where it began; None: nowhere."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """How it was made, what was allowed and how it was judged; no patient data."""
        asked = {"kind": self.ask.kind.value, "method": self.registration.method.value, "grade": self.card.grade.value}
        if self.ask.allowed.other_patient:
            asked["allowed"] = "other patient"
        if self.ask.region is not None:
            asked["region"] = self.ask.region.words
        if self.ask.from_path:
            asked["start"] = "kept registrations"
        elif self.ask.clicks:
            asked["start"] = "; ".join(
                f"{', '.join(f'{number:g}' for number in (*pair.fixed_mm, *pair.moving_mm))}"
                for pair in self.ask.clicks
            )
        elif started := starting_landmarks(self.ask):
            asked["start"] = f"landmarks {', '.join(str(number + 1) for number in started)}"
        return MappingProxyType({**asked, **self.registration.parameters})


def register(
    archive: Archive | None, ask: RegisterAsk, progress: Progress | None = None, steps: Steps | None = None
) -> Registered:
    """Register two series of the archive, or of files, and judge the result; ``steps`` is told the falling metric.

    Raises CannotRegister for what must not be registered, or cannot; and what opening the series raises.
    """
    tell = progress or _nobody
    tell(0.0, "reading")
    fixed, moving = loading.side(archive, ask.fixed), loading.side(archive, ask.moving)
    concerns = concerns_of(fixed, moving, ask.allowed)
    region = None if ask.region is None else loading.part_of(fixed.volume.grid, ask.region)
    run = _Run(archive, ask, fixed, moving, region, tell, steps)
    registration = run.registration()
    tell(0.9, "judging")
    evidence = run.evidence(concerns, registration.transform.is_affine)
    card = judge(fixed.volume, moving.volume, registration, evidence)
    tell(1.0, "judged")
    return Registered(registration, card, fixed, moving, ask, region, run.before)


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _nobody(_share: float, _doing: str) -> None:
    """Nobody wants to know."""


@dataclass(eq=False)
class _Run:
    """One registration while it is made."""

    archive: Archive | None
    ask: RegisterAsk
    fixed: Side
    moving: Side
    region: Mask | None
    tell: Progress
    steps: Steps | None = None
    before: Chain | None = None
    backward: Chain | None = None
    is_unchecked: bool = False
    """Whether the way back was looked for in vain."""
    rigid_result: RigidResult | None = None
    landmark_fit: LandmarkFit | None = None

    def registration(self) -> Registration:
        """By the kind that was asked for."""
        start = start_of(self.archive, self.ask, self.fixed, self.moving)
        self.before = None if start is None else Chain((start,))
        match self.ask.kind:
            case RegisterKind.LANDMARKS:
                return self._by_landmarks()
            case RegisterKind.DEFORMABLE:
                return self._deformable(start)
            case RegisterKind.MANUAL:
                return self._by_hand(*(self.ask.manual or ((0, 0, 0), (0, 0, 0))))
            case _:
                kind = Kind.AFFINE if self.ask.kind is RegisterKind.AFFINE else Kind.RIGID
                return self._rigid(start, RigidRecipe(kind=kind), 0.85)

    # --- the kinds ---------------------------------------------------------------------------

    def _by_landmarks(self) -> Registration:
        fit = self.landmark_fit = fit_landmarks(*landmark_points(self.ask.landmarks))
        parameters = {
            "landmarks": str(len(self.ask.landmarks)),
            "residual RMS": f"{fit.rms_mm:.2f} mm",
            "worst landmark": str(fit.worst + 1),
        }
        return self._made(Chain((fit.transform,)), Method.LANDMARKS, parameters)

    def _by_hand(self, shift_mm: Point, turn_degrees: Point) -> Registration:
        centre = SixParameters.centred(self.fixed.volume.grid, self.moving.volume.grid).centre_mm
        six = SixParameters(centre, shift_mm, turn_degrees)
        parameters = {
            "shift": f"{_numbers(shift_mm)} mm",
            "turn": f"{_numbers(turn_degrees)} degrees about x, then y, then z",
            "turned about": f"{_numbers(centre)} mm, the middle of the moving images",
        }
        return self._made(Chain((six.transform,)), Method.MANUAL, parameters)

    def _rigid(self, start: Affine | None, recipe: RigidRecipe, share: float) -> Registration:
        starts = () if start is None else (start,)
        result = rigid.register_rigid(
            self.fixed.volume,
            self.moving.volume,
            recipe,
            starts,
            self.region,
            self._part(0.05, share, "aligning"),
            self.steps,
        )
        self.rigid_result = result
        method = Method.AFFINE if recipe.kind is Kind.AFFINE else Method.RIGID
        return self._made(Chain((result.transform,)), method, recipe.described())

    def _deformable(self, start: Affine | None) -> Registration:
        """The rigid registration first, unless the images lie on each other already."""
        if self.ask.from_path or (start is not None and not (self.ask.clicks or self.ask.landmarks)):
            begin = start
        else:
            begin = self._rigid(start, RigidRecipe(), 0.4).transform.affine()
        begin = begin or Affine.identity()
        self.before = Chain((begin,))
        share = 0.65 if self.ask.check_back else 0.85
        focus = Focus(region=self.region)
        found = deform.register_deformable(
            self.fixed.volume,
            self.moving.volume,
            begin,
            focus=focus,
            progress=self._part(0.4, share, "deforming"),
            steps=self.steps,
        )
        if self.ask.check_back and not found.registration.fell_back:
            self.backward = self._way_back(begin, found.likeness, share)
            self.is_unchecked = self.backward is None
        return found.registration

    def _way_back(self, begin: Affine, likeness: Likeness, share: float) -> Chain | None:
        """The fixed images registered to the moving ones; None where that cannot be, which the card says.

        Coarser where the images are large: what is asked is whether it is the same deformation.
        """
        try:
            back = deform.register_deformable(
                self.moving.volume,
                self.fixed.volume,
                begin.inverse(),
                DeformableRecipe(likeness=likeness, most_voxels=_VOXELS_BACK),
                progress=self._part(share, 0.85, "checking the way back"),
            )
        except CannotRegister:
            return None
        return back.registration.transform

    def _made(self, transform: Chain, method: Method, parameters: Mapping[str, str]) -> Registration:
        frames = self.fixed.volume.grid.frame, self.moving.volume.grid.frame
        return Registration(*frames, transform, method, MappingProxyType(dict(parameters)))

    def _part(self, begin: float, end: float, doing: str) -> Callable[[float], None]:
        return lambda share: self.tell(begin + (end - begin) * share, doing)

    # --- what speaks for it ------------------------------------------------------------------

    def evidence(self, concerns: tuple[str, ...], is_matrix: bool) -> Evidence:
        """Everything that the card is made of. Raises what reading structures raises."""
        pairs, notes = (
            loading.structure_pairs(self.archive, self.ask.structures, self.fixed.volume, self.moving.volume)
            if self.ask.structures
            else ((), ())
        )
        judging, starting = self._landmarks()
        return Evidence(
            before=self.before,
            backward=self.backward,
            landmarks=judging,
            start_landmarks=starting,
            structures=pairs,
            region=self.region,
            measured=self._measured(is_matrix),
            concerns=(*concerns, *notes),
        )

    def _landmarks(self) -> tuple[Landmarks | None, Landmarks | None]:
        """Those that judge, and those that the registration began from."""
        if not self.ask.landmarks:
            return None, None
        fixed, moving = landmark_points(self.ask.landmarks)
        if self.landmark_fit is not None:
            errors = self.landmark_fit.left_out_mm
            known = ~np.isnan(errors)  # three pairs make a registration, two do not: nothing is known of its error then
            return (Landmarks(fixed[known], moving[known], errors[known]) if known.any() else None), None
        started = np.isin(np.arange(len(fixed)), starting_landmarks(self.ask))
        judging, starting = (
            Landmarks(fixed[some], moving[some]) if some.any() else None for some in (~started, started)
        )
        return judging, starting

    def _measured(self, is_matrix: bool) -> Mapping[Quantity, float]:
        measured = {Quantity.CONSISTENCY: float("nan")} if self.is_unchecked else {}
        if self.rigid_result is None:
            return MappingProxyType(measured)
        found = self.rigid_result.evidence
        measured |= {
            Quantity.RIVAL: 100 * found.rival,
            Quantity.ABOVE_CHANCE: found.above_chance,
            Quantity.AGREEMENT: 100 * found.agreeing / max(1, found.followed),
        }
        if is_matrix:  # parts that moved differently, and a way back that misses, are what a deformation mends
            measured |= {Quantity.HALVES: found.halves_apart_mm, Quantity.CONSISTENCY: found.back_apart_mm}
        return MappingProxyType(measured)
