"""A judged registration as DICOM objects: the registration, its pictures, its report card as SR and as PDF."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from radfuse import __version__
from radfuse.archive import Archive
from radfuse.core.errors import CannotRegister, ConfigurationError
from radfuse.registration import Method
from radfuse.services.register.paper import card_pdf
from radfuse.services.register.pictures import Picture, pictures_of
from radfuse.services.register.registering import Registered
from radfuse.services.store_results import StoredResults, store

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.objects.common import Code, Making, Provenance, Reference
    from radfuse.services.register.checks import Side

_LABELS: Final = {
    Method.LANDMARKS: "LANDMARKS",
    Method.MANUAL: "MANUAL",
    Method.RIGID: "RIGID",
    Method.AFFINE: "AFFINE",
    Method.DEFORMABLE: "DEFORMABLE",
}


def result_objects(found: Registered, making: Making, pictures: Sequence[Picture] = ()) -> list[Dataset]:
    """The objects in the order in which they are kept; all in the study of the fixed images. ``pictures``: those of
    ``pictures_of``, where they were made already.

    Raises CannotRegister for images of NIfTI or NRRD files, which have no patient and study, and what the
    builders raise.
    """
    from radfuse.objects.common import reference_to

    if not (found.fixed.headers and found.moving.headers):
        raise CannotRegister("objects are made of DICOM images only: these files have no patient and no study")
    images = [*_references(found.fixed), *_references(found.moving)]
    provenance = _provenance(found, images)
    registration, loss_mm = _registration(found, provenance, making)
    found = _with_loss(found, loss_mm)
    pictures = pictures or pictures_of(found)
    capture = _capture(found, pictures, provenance, making)
    about = [*images, reference_to(registration), reference_to(capture)]
    from radfuse.services.register.report import card_report

    report = card_report(found, reference_to(registration), about, provenance=provenance, making=making)
    document = _document(found, pictures, [reference_to(registration)], provenance, making)
    return [registration, capture, report, document]


def save(archive: Archive, found: Registered, making: Making) -> StoredResults:
    """Keep the objects in the archive, all or none. Raises what ``store`` and ``result_objects`` raise."""
    return store(archive, result_objects(found, making))


def write_report(folder: Path, found: Registered) -> list[Path]:
    """The card as report.pdf and report.json and the pictures as PNG, in a new or empty folder.

    Raises ConfigurationError for a folder with something in it, and OSError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError("report", f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True)
    pictures = pictures_of(found)
    files = {
        "report.pdf": card_pdf(found, pictures, f"Radfuse {__version__}"),
        "report.json": json.dumps(as_json(found), indent=2).encode(),
        **{f"{each.kind.replace(' ', '-')}-{each.view}.png": _png(each) for each in pictures},
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def as_json(found: Registered) -> dict[str, object]:
    """Everything about a registration, for programs."""
    from radfuse.registration.quality import LIMITS

    transform = found.registration.transform
    return {
        "Method": found.registration.method.value,
        "FixedSeriesInstanceUID": found.fixed.volume.source.series_uid,
        "MovingSeriesInstanceUID": found.moving.volume.source.series_uid,
        "FixedFrameOfReferenceUID": found.registration.fixed.uid,
        "MovingFrameOfReferenceUID": found.registration.moving.uid,
        "FixedToMoving": transform.affine().matrix.tolist() if transform.is_affine else None,
        "FellBack": found.registration.fell_back,
        "Parameters": dict(found.parameters),
        **found.card.as_json(LIMITS),
    }


# --- the objects -----------------------------------------------------------------------------


def _references(side: Side) -> list[Reference]:
    from radfuse.objects.common import reference_to

    return [reference_to(header) for header in side.headers]


def _provenance(found: Registered, images: Sequence[Reference]) -> Provenance:
    from radfuse.objects.common import Provenance

    return Provenance(f"{found.registration.method.value} registration", found.parameters, tuple(images))


def _with_loss(found: Registered, loss_mm: float | None) -> Registered:
    """The card also says what the kept object lost of a deformation: its grid is as fine as the limit asks."""
    from radfuse.registration.quality import LIMITS, Quantity, checked

    if loss_mm is None:
        return found
    checks = (*found.card.checks, checked(LIMITS, Quantity.STORED_LOSS, loss_mm))
    return replace(found, card=replace(found.card, checks=checks))


def _registration(found: Registered, provenance: Provenance, making: Making) -> tuple[Dataset, float | None]:
    """The object, and how far the field in it is off the deformation anywhere; None without one."""
    from radfuse.objects.reg import NewRegistration, build_deformable_registration, build_spatial_registration

    registration = found.registration
    new = NewRegistration(
        registration.fixed,
        registration.moving,
        registration.transform,
        _method_code(found),
        label=_LABELS[registration.method],
        description=f"{registration.method.value}: {found.card.grade.value}",
        fixed_images=tuple(_references(found.fixed)),
        moving_images=tuple(_references(found.moving)),
    )
    source = found.fixed.headers[0]
    if registration.transform.is_affine:
        return build_spatial_registration(new, source, provenance=provenance, making=making), None
    made = build_deformable_registration(new, source, provenance=provenance, making=making)
    return made.ds, made.loss.max_mm


def _method_code(found: Registered) -> Code:
    from radfuse.objects.reg import CONTENT_BASED, FIDUCIALS, VISUAL

    known = {Method.LANDMARKS: FIDUCIALS, Method.MANUAL: VISUAL}
    return known.get(found.registration.method, CONTENT_BASED)


def _capture(found: Registered, pictures: Sequence[Picture], provenance: Provenance, making: Making) -> Dataset:
    from radfuse.objects.common import NewSeries
    from radfuse.objects.sc import Capture, build_capture

    capture = Capture(
        np.stack([each.pixels for each in pictures]),
        burned_in_annotation=False,
        planes=tuple(each.place for each in pictures),
    )
    sources = [found.fixed.headers[0], found.moving.headers[0]]
    return build_capture(capture, sources, NewSeries("Registration pictures"), provenance, making)


def _document(
    found: Registered,
    pictures: Sequence[Picture],
    references: Sequence[Reference],
    provenance: Provenance,
    making: Making,
) -> Dataset:
    from radfuse.objects.common import NewSeries
    from radfuse.objects.pdf import QUANTITATIVE_REPORT, Document, build_encapsulated_pdf
    from radfuse.services.register.report import TITLE

    content = card_pdf(found, pictures, provenance.software)
    document = Document(content, TITLE, QUANTITATIVE_REPORT, tuple(references))
    series = NewSeries(TITLE)
    source = found.fixed.headers[0]
    return build_encapsulated_pdf(document, source, provenance=provenance, series=series, making=making)


def _png(picture: Picture) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.png_encode(picture.pixels))
