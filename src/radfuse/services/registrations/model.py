"""The registration graph in words: registrations that are kept, the links between frames of reference, paths."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from radfuse.registration.quality import Grade

if TYPE_CHECKING:
    from radfuse.archive import StoredObject
    from radfuse.archive.queries import SeriesPlace
    from radfuse.geometry import Chain


@dataclass(frozen=True, slots=True)
class Grading:
    """What the newest report card in the archive says of a registration."""

    grade: Grade = Grade.NOT_JUDGED
    reason: str = ""
    report: str = ""
    """SOP Instance UID of the report card."""
    date: str = field(default="", compare=False)
    """Content Date and Time of the card as digits."""

    @property
    def age(self) -> tuple[str, int, str]:
        """What is later counts; of two cards of one time the worse grade, in whatever order they arrived."""
        return self.date, self.grade.rank, self.report


@dataclass(frozen=True, slots=True)
class Link:
    """One registration of an object: a transform from points of the ``fixed`` frame of reference to ``moving``."""

    registration: str
    """SOP Instance UID of the object."""
    number: int
    """Which item of the object it is, from 1."""
    fixed: str
    moving: str
    is_deformable: bool
    method: str = ""
    """Code Meaning of the registration method, as the object has it."""
    grade: Grade = Grade.NOT_JUDGED
    date: str = ""
    """Content Date and Time as digits, of the whole object."""
    series: frozenset[str] | None = None
    """The moving series that it holds for; None: all of the moving frame."""


@dataclass(frozen=True, slots=True)
class KeptRegistration:
    """A Spatial or Deformable Spatial Registration of the archive."""

    stored: StoredObject
    study_instance_uid: str
    series_instance_uid: str
    fixed: str = ""
    links: tuple[Link, ...] = ()
    label: str = ""
    description: str = ""
    creator: str = ""
    date: str = ""
    equipment: tuple[str, ...] = ()
    grading: Grading = Grading()
    findings: tuple[str, ...] = ()
    """What is wrong with it, as sentences. Without links it is not used at all."""

    @property
    def sop_instance_uid(self) -> str:
        """Its UID."""
        return self.stored.sop_instance_uid


@dataclass(frozen=True, slots=True)
class Step:
    """A link as it is gone along: forward from its fixed to its moving frame, or back."""

    link: Link
    is_forward: bool = True

    @property
    def start(self) -> str:
        """The frame of reference it leads from."""
        return self.link.fixed if self.is_forward else self.link.moving

    @property
    def end(self) -> str:
        """The frame of reference it leads to."""
        return self.link.moving if self.is_forward else self.link.fixed


@dataclass(frozen=True, slots=True)
class Wish:
    """What a path may use."""

    allow_failed: bool = False
    """Also registrations whose report card says fail."""
    allow_other_patient: bool = False
    """Also between two patients."""
    only: frozenset[str] = frozenset()
    """SOP Instance UIDs: these registrations alone; empty: all."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Another path that says something else."""

    steps: tuple[Step, ...]
    difference_mm: float
    """The largest at the corners, edges and centre of the box that both series have in common."""
    sentence: str


@dataclass(frozen=True, eq=False)
class RegistrationPath:
    """How to get from one series to another: ``chain`` maps points of the fixed frame to the moving one."""

    fixed: SeriesPlace
    moving: SeriesPlace
    steps: tuple[Step, ...]
    """None: both lie in the same frame of reference."""
    chain: Chain
    reason: str
    """Why this path, as a sentence."""
    grade: Grade
    """The worst on it; pass where there is no step."""
    is_other_patient: bool = False
    contradictions: tuple[Contradiction, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_deformable(self) -> bool:
        """Whether it is more than one matrix."""
        return not self.chain.is_affine


@dataclass(frozen=True, slots=True)
class NotRegistered:
    """There is no path, or none that may be used: nothing overlays one series on the other."""

    fixed: SeriesPlace
    moving: SeriesPlace
    sentence: str
    warnings: tuple[str, ...] = ()
