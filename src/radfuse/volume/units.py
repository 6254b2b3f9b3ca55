"""In which unit the numbers of images are, and which of them may be asked for."""

from __future__ import annotations

from typing import Final

from radfuse.core.errors import CannotBuildVolume
from radfuse.volume.frames import Frame, Mark
from radfuse.volume.model import Finding, FindingKind, Unit
from radfuse.volume.single import ACTIVITY
from radfuse.volume.suv import stored_kind

_PET_UNITS: Final = {
    "BQML": Unit.BQML,
    "CNTS": Unit.COUNTS,
}
"""Units (0054,1001), PS3.3 section C.8.9.1.1.3."""


def natural_unit(frame: Frame) -> Unit:
    """The unit that the rescaled numbers of this image are in."""
    image, kind = frame.image, frame.rescale.kind
    if Mark.SEGMENT in frame.marks:
        return Unit.FRACTION
    if image.modality == "CT":
        return Unit.HU if frame.rescale.is_stated and kind in ("", "HU") else Unit.SIGNAL
    if image.modality == "RTDOSE":
        return Unit.GY if kind == "GY" else Unit.SIGNAL
    if image.modality in ("PT", "NM"):
        return _emission(frame)
    return Unit.SIGNAL


def _emission(frame: Frame) -> Unit:
    image, rescale = frame.image, frame.rescale
    if rescale.kind.startswith("RWV"):  # whatever Units says of the rescale that is not there
        return Unit.BQML if rescale.kind == ACTIVITY else Unit.SIGNAL
    if image.modality == "PT" and not rescale.is_stated:
        return Unit.SIGNAL
    if image.units in _PET_UNITS:
        return _PET_UNITS[image.units]
    suv = stored_kind(image.units, image.suv_type)
    if suv is not None:
        return suv.unit
    if image.modality == "NM" and not image.units:
        return Unit.COUNTS
    return Unit.BQML if not image.units and rescale.kind == "BQML" else Unit.SIGNAL


def require_unit(frame: Frame, unit: Unit) -> None:
    """Raise CannotBuildVolume when images are not in ``unit``, with what they are in."""
    natural = natural_unit(frame)
    if unit in (natural, Unit.STORED):
        return
    kind = frame.rescale.kind or frame.image.units
    said = f"; they say {kind}" if kind else "; they do not say in which unit they are"
    if frame.image.modality in ("CT", "PT") and not frame.rescale.is_stated:
        said = "; they have no Rescale Slope and Intercept"
    raise CannotBuildVolume(f"the images are not in {unit}{said}: ask for {natural} or for stored values")


def unit_findings(frames: tuple[Frame, ...], unit: Unit) -> tuple[Finding, ...]:
    """What to know of the numbers."""
    if unit is Unit.STORED:
        return ()
    return tuple(_noticed(frames, unit))


def _noticed(frames: tuple[Frame, ...], unit: Unit) -> list[Finding]:
    found = []
    first = frames[0].rescale
    slopes = [frame.rescale.slope for frame in frames]
    kind = first.kind or frames[0].image.units
    if frames[0].image.modality in ("CT", "PT") and not first.is_stated:
        found.append(Finding(FindingKind.UNIT, "the images have no Rescale Slope and Intercept: numbers are as stored"))
    elif unit is Unit.SIGNAL and kind not in ("", "US", "NORMALIZED") and not kind.startswith("RWV"):
        found.append(Finding(FindingKind.UNIT, f"the numbers are what the images call {kind}: no unit we know"))
    if first.kind.startswith("RWV"):
        sentence = f"the numbers come from the Real World Value Mapping of the images ({first.kind})"
        found.append(Finding(FindingKind.UNIT, sentence))
    if first.table is not None:
        found.append(Finding(FindingKind.UNIT, "the numbers come through the Modality LUT of the images"))
    if min(slopes) < 0:
        touched = tuple(number for number, slope in enumerate(slopes) if slope < 0)
        where = "some slices" if max(slopes) > 0 else "all slices"
        found.append(Finding(FindingKind.UNIT, f"Rescale Slope is negative in {where}: applied as it stands", touched))
    if (unit.is_suv or unit in (Unit.BQML, Unit.COUNTS)) and any(frame.rescale.intercept for frame in frames):
        found.append(Finding(FindingKind.UNIT, "Rescale Intercept is not 0 in some slices: applied as it stands"))
    return found
