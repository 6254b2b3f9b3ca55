"""Volumes in the words of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel

from radfuse.web.api.registrations import GradeName, RegistrationStep

if TYPE_CHECKING:
    from radfuse.geometry import Grid
    from radfuse.services.viewing import Facts

Vector = tuple[float, float, float]
Counts = tuple[int, int, int]


class VolumeUnit(BaseModel):
    """A unit, and why it cannot be asked for ("" where it can)."""

    unit: str
    refusal: str


class VolumeStack(BaseModel):
    """One of the volumes that a series makes; ``shape`` is slices, rows, columns."""

    number: int
    label: str
    shape: Counts
    refusal: str


class Alignment(BaseModel):
    """Why a series lies where it is shown."""

    kind: Literal["base", "same frame", "registered", "proposed"]
    sentence: str
    grade: GradeName | None
    grade_reason: str
    is_deformable: bool
    method: str
    by: str
    made: str
    steps: list[RegistrationStep]
    warnings: list[str]
    is_other_patient: bool
    is_other_side: bool


class VolumeLevel(BaseModel):
    """One resolution: 0 is the whole."""

    level: int
    shape: Counts
    origin_mm: Vector
    spacing_mm: Vector
    bytes: int


class VoxelWindow(BaseModel):
    """Values between black and white."""

    low: float
    high: float


class WindowPreset(BaseModel):
    """A window with a name."""

    name: str
    low: float
    high: float


class VolumeFinding(BaseModel):
    """Something that was noticed while the volume was built."""

    kind: str
    sentence: str
    is_repaired: bool


class SuvRow(BaseModel):
    """A fact of the SUV."""

    name: str
    value: str
    unit: str
    source: str


class SuvEvidence(BaseModel):
    """How the stored values became SUV; ``factor`` is that of the first slice."""

    rows: list[SuvRow]
    factor: float
    sentence: str
    warnings: list[str]


class RotatingFacts(BaseModel):
    """The rotating maximum intensity projection; spacing is width and height of a pixel."""

    frames: int
    rows: int
    columns: int
    spacing_mm: tuple[float, float]
    axis: str


class VolumeFacts(BaseModel):
    """A series as it is shown: lengths in mm of the frame of reference of the base."""

    id: str
    SeriesInstanceUID: str
    StudyInstanceUID: str
    Modality: str
    SeriesDescription: str
    StudyDate: str
    PatientName: str
    PatientID: str
    unit: str
    units: list[VolumeUnit]
    stack: int
    stacks: list[VolumeStack]
    dtype: Literal["int16", "float32"]
    shape: Counts
    origin_mm: Vector
    spacing_mm: Vector
    direction: list[float]
    FrameOfReferenceUID: str
    is_resampled: bool
    alignment: Alignment
    levels: list[VolumeLevel]
    range: tuple[float, float]
    window: VoxelWindow
    presets: list[WindowPreset]
    colours: str
    findings: list[VolumeFinding]
    suv: SuvEvidence | None
    suv_refusal: str
    rotating: RotatingFacts | None

    @classmethod
    def of(cls, facts: Facts) -> Self:
        """For the API."""
        volume, place, study = facts.shown.volume, facts.place, facts.study
        first = facts.presets[0]
        return cls(
            id=facts.shown.id,
            SeriesInstanceUID=place.series_instance_uid,
            StudyInstanceUID=place.study_instance_uid,
            Modality=volume.source.modality,
            SeriesDescription=place.description,
            StudyDate=study.study_date,
            PatientName=study.patient_name,
            PatientID=study.patient_id,
            unit=volume.unit.value,
            units=[VolumeUnit(unit=each.unit.value, refusal=each.refusal) for each in facts.units],
            stack=facts.shown.stack.number,
            stacks=_stacks(facts),
            dtype="int16" if volume.voxels.dtype.kind == "i" else "float32",
            shape=volume.grid.shape,
            **_where(volume.grid),
            direction=[float(each) for each in volume.grid.directions.T.ravel()],
            FrameOfReferenceUID=volume.grid.frame.uid,
            is_resampled=facts.shown.is_resampled,
            alignment=_alignment(facts),
            levels=[
                VolumeLevel(level=each.number, shape=each.grid.shape, **_where(each.grid), bytes=each.bytes)
                for each in facts.levels
            ],
            range=facts.range,
            window=VoxelWindow(low=first.low, high=first.high),
            presets=[WindowPreset(name=each.name, low=each.low, high=each.high) for each in facts.presets],
            colours=facts.colours.value,
            findings=[
                VolumeFinding(kind=each.kind.value, sentence=each.sentence, is_repaired=each.repaired)
                for each in volume.findings
            ],
            suv=_suv(facts),
            suv_refusal=facts.suv_refusal,
            rotating=_rotating(facts),
        )


def _where(grid: Grid) -> Any:
    """Origin and spacing."""
    return {
        "origin_mm": tuple(float(each) for each in grid.origin_mm),
        "spacing_mm": tuple(float(each) for each in grid.spacing_mm),
    }


def _stacks(facts: Facts) -> list[VolumeStack]:
    return [
        VolumeStack(
            number=each.number,
            label=each.title,
            shape=each.grid.shape if each.grid is not None else (0, 0, 0),
            refusal=each.refusal,
        )
        for each in facts.stacks
    ]


def _alignment(facts: Facts) -> Alignment:
    found, aligned = facts.alignment, facts.shown.aligned
    return Alignment(
        kind=found.kind.value,
        sentence=found.sentence,
        grade=None if found.grade is None else found.grade.value,
        grade_reason=found.grade_reason,
        is_deformable=found.is_deformable,
        method=found.method,
        by=found.by,
        made=found.made,
        steps=[RegistrationStep.of(step) for step in aligned.path.steps] if aligned is not None else [],
        warnings=list(found.warnings),
        is_other_patient=found.is_other_patient,
        is_other_side=found.is_other_side,
    )


def _suv(facts: Facts) -> SuvEvidence | None:
    if facts.suv is None:
        return None
    return SuvEvidence(
        rows=[SuvRow(name=row.name, value=row.value, unit=row.unit, source=row.source) for row in facts.suv.rows],
        factor=facts.suv.factor,
        sentence=facts.suv.sentence,
        warnings=list(facts.suv.warnings),
    )


def _rotating(facts: Facts) -> RotatingFacts | None:
    size = facts.rotating
    if size is None:
        return None
    return RotatingFacts(
        frames=size.frames, rows=size.rows, columns=size.columns, spacing_mm=size.spacing_mm, axis=size.axis
    )
