"""Archives with series in frames of reference of their own, and registrations between them whose truth is known."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from radfuse.archive import Archive, StoredObject, queries
from radfuse.geometry import Affine, Chain, DisplacementField, FrameOfReference, Grid
from radfuse.objects.common import Code, Making, NewSeries, Provenance, Reference, encode, reference_to
from radfuse.objects.reg import (
    CONTENT_BASED,
    FieldStorage,
    NewRegistration,
    build_deformable_registration,
    build_spatial_registration,
)
from radfuse.objects.sr import Item as ReportItem
from radfuse.objects.sr import MeasurementReport, ObjectReference, build_measurement_report, container_item, text_item
from radfuse.objects.sr.model import Coded
from radfuse.services.import_media import Verdict, import_stream
from tests.support.volumes import Shape, image

SLICES = 2
SHAPE = Shape(20, 20, (5.0, 5.0, 20.0), first_mm=(-47.5, -47.5, -10.0))
"""A box of 100 x 100 x 40 mm about the origin."""


def shift(x_mm: float = 0, y_mm: float = 0, z_mm: float = 0) -> Chain:
    """A transform that moves every point by as much."""
    return Chain((Affine.of(np.eye(3), (x_mm, y_mm, z_mm)),))


def bend(frame: str, x_mm: float = 0.0, reach_mm: float = 60.0) -> Chain:
    """A smooth deformation of some millimetres within ``reach_mm`` of the origin, and a shift along x."""
    count = int(reach_mm // 4) * 2 + 1
    grid = Grid.of((count,) * 3, (4, 4, 4), (-(count // 2) * 4.0,) * 3, FrameOfReference(frame))
    z, y, x = (np.moveaxis(np.indices(grid.shape), 0, 0) - count // 2) * 4.0
    vectors = np.stack((x_mm + 3 * np.sin(y / 20), 2 * np.sin(z / 25), 2 * np.cos(x / 30)), axis=-1)
    return Chain((DisplacementField(grid, vectors.astype(np.float32)),))


@dataclass
class Scene:
    """What is put into an archive, by short names of series: one that is named is made, in a frame of its own."""

    archive: Archive
    images: dict[str, list[Dataset]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def add_series(
        self, name: str, patient: str = "GEN-0001", frame: str | None = None, modality: str = "CT", laterality: str = ""
    ) -> str:
        """Keep a small series in a frame of its own, or another; its UID."""
        number = next(self._numbers)
        made = [image(SHAPE, modality, place, 10 + number) for place in range(SLICES)]
        for ds in made:
            ds.PatientID, ds.StudyInstanceUID = patient, f"2.25.600{sum(patient.encode())}"
            ds.FrameOfReferenceUID = f"2.25.500{number}" if frame is None else frame
            if laterality:
                ds.Laterality = laterality
            self.keep(ds)
        self.images[name] = made
        return self.uid(name)

    def of(self, name: str) -> list[Dataset]:
        """The images of a series."""
        if name not in self.images:
            self.add_series(name)
        return self.images[name]

    def uid(self, name: str) -> str:
        """The UID of a series."""
        return str(self.of(name)[0].SeriesInstanceUID)

    def frame(self, name: str) -> str:
        """The frame of reference of a series."""
        return str(self.of(name)[0].FrameOfReferenceUID)

    def register(self, fixed: str, moving: str, transform: Chain, when: int = 0, **facts: Any) -> str:
        """Keep a registration with this transform from the fixed to the moving series; its SOP Instance UID."""
        ds = self.registration(fixed, moving, transform, when, **facts)
        self.keep(ds)
        return str(ds.SOPInstanceUID)

    def registration(self, fixed: str, moving: str, transform: Chain, when: int = 0, **facts: Any) -> Dataset:
        """A registration object, made in the minute ``when``."""
        new = NewRegistration(
            FrameOfReference(self.frame(fixed)), FrameOfReference(self.frame(moving)), transform, CONTENT_BASED, **facts
        )
        provenance = Provenance("a test", inputs=self._references(fixed))
        making = self._making(when)
        if transform.is_affine:
            return build_spatial_registration(new, self.of(fixed)[0], provenance=provenance, making=making)
        return build_deformable_registration(
            new, self.of(fixed)[0], provenance=provenance, making=making, storage=FieldStorage(stated_loss_mm=10)
        ).ds

    def judge(self, registration: str, grade: str, reason: str = "because", when: int = 0, ruin: str = "") -> str:
        """Keep a report card, without the attribute ``ruin``; its SOP Instance UID."""
        stored = self.stored(registration)
        about = ReportItem(
            "CONTAINS", "COMPOSITE", _ours("REGISTRATION"), ObjectReference(stored.sop_class_uid, registration)
        )
        words = (
            about,
            ReportItem("CONTAINS", "CODE", _ours("GRADE"), Coded(_ours(grade.replace(" ", "_"), grade))),
            text_item("CONTAINS", _ours("GRADE_REASON"), reason),
        )
        source = next(iter(self.images.values()))[0]
        section = container_item("CONTAINS", Code("125007", "DCM", "Measurement Group"), words)
        ds = build_measurement_report(
            MeasurementReport((), sections=(section,)),
            [source],
            [Reference(stored.sop_class_uid, registration, "2.25.1", str(source.StudyInstanceUID))],
            provenance=Provenance("a test"),
            series=NewSeries("Registration report card"),
            making=self._making(when),
        )
        if ruin:
            delattr(ds, ruin)
        self.keep(ds)
        return str(ds.SOPInstanceUID)

    def keep(self, ds: Dataset) -> None:
        """Store an object like any guest's."""
        imported = import_stream(self.archive, "object", io.BytesIO(encode(ds)))
        assert imported.verdict is Verdict.STORED, imported.reason

    def stored(self, uid: str) -> StoredObject:
        """What the archive keeps under a SOP Instance UID."""
        with self.archive.reading() as connection:
            (found,) = queries.named(connection, [uid])
        return found

    def _references(self, name: str) -> tuple[Reference, ...]:
        return tuple(map(reference_to, self.of(name)))

    def _making(self, when: int) -> Making:
        return Making(datetime(2026, 11, 22, 10, when, tzinfo=UTC), lambda: f"2.25.900{next(self._numbers)}")


def _ours(value: str, meaning: str = "") -> Code:
    return Code(value, "99RADFUSE", meaning or value)


def places() -> np.ndarray:
    """Points of the box of a scene's series."""
    return np.array([[x, y, z] for x in (-40, 0, 40) for y in (-40, 0, 40) for z in (-15, 0, 15)], dtype=float)
