"""Files into stacks: slices that make one volume each, judged by their headers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from radfuse.core.errors import CannotBuildVolume
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.volume.attributes import Attributes
from radfuse.volume.frames import Frame, Mark
from radfuse.volume.images import ImageFile, Unusable, image_of, open_header
from radfuse.volume.lattice import STEP_TOLERANCE, Lattice, Repair, Slot, Vectors, in_slices, lattice_of
from radfuse.volume.model import Finding, FindingKind, Source, Unit
from radfuse.volume.multiframe import PER_FRAME, slices_of_segments, slices_with_groups
from radfuse.volume.planes import slices_of_dose, slices_of_nuclear
from radfuse.volume.repeats import along_of, without_repeats
from radfuse.volume.single import slices_of_image
from radfuse.volume.splitting import ORIENTATION_TOLERANCE, Group, parts_by, separated
from radfuse.volume.units import natural_unit

_LOCALIZER: Final = "LOCALIZER"
_UNIT_TOLERANCE: Final = 0.01
_MOST_EMPTY_VOXELS: Final = 1 << 30
_LARGEST_NUMBER: Final = 1e30
_WIDE: Final = 2.0
"""How many thicknesses apart slices are when there is more between them than in them."""
_SEGMENTATIONS: Final = frozenset(("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"))
_DOSE: Final = "1.2.840.10008.5.1.4.1.1.481.2"
_NUCLEAR: Final = "1.2.840.10008.5.1.4.1.1.20"
_WHOLE_BY_THEMSELVES: Final = _SEGMENTATIONS | {_DOSE, _NUCLEAR}
"""SOP classes whose instances are never parts of one volume."""
_PROJECTIONS: Final = frozenset(("CR", "DX", "MG", "RF", "XA", "PX", "IO", "US", "SM", "XC", "ES", "OP", "OPT"))
"""Modalities whose images are no slices of one thing, whatever plane they name."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices of one series that make one volume, in order along the normal; no pixel of them was read.

    ``refusal`` says why they do not, as a sentence; with ``repair`` they do when it is asked for.
    A stack without frames stands for files that give no slices.
    """

    source: Source
    """Of the frames."""
    paths: tuple[Path, ...]
    frames: tuple[Frame, ...] = ()
    label: str = ""
    """What tells it from the other stacks of its series, for people; empty when it is the only one."""
    findings: tuple[Finding, ...] = ()
    refusal: str | None = None
    repair: Repair | None = None
    grid: Grid | None = None
    """Of the volume, after the repair where one is needed; None when there is no volume."""
    slots: tuple[Slot, ...] = ()
    """What each slice of the grid is made of."""
    begun: Frame | None = None
    """Of PET: the image of the whole series that was acquired first, whichever stack it is in."""

    @property
    def unit(self) -> Unit:
        """The unit of the volume when nothing else is asked for."""
        return natural_unit(self.frames[0]) if self.frames else Unit.SIGNAL

    @property
    def source_of_slices(self) -> Source:
        """Of the slices of the grid: those that are filled in or empty come from no instance."""
        uids, numbers = self.source.instance_uids, self.source.frame_numbers
        return replace(
            self.source,
            instance_uids=tuple(uids[slot.low] if slot.is_plain else "" for slot in self.slots),
            frame_numbers=numbers and tuple(numbers[slot.low] if slot.is_plain else 0 for slot in self.slots),
        )

    @property
    def title(self) -> str:
        """What it is, for a list that a person chooses from."""
        count, files = len(self.frames), len(self.paths)
        slices = f"{count} slice{'s' if count != 1 else ''}"
        if not count:
            slices = f"{files} file{'s' if files != 1 else ''} without slices"
        refused = "cannot be used" if self.refusal else ""
        return ", ".join(filter(None, (self.source.modality, slices, self.label, refused)))


def stacks_of(files: Sequence[Path]) -> list[Stack]:
    """The stacks in files of any number of series, whatever their order; reads headers only.

    What gives no slices comes back as a stack with a refusal, last: nothing is left out in silence.
    """
    found = [_slices_of(path) for path in files]
    frames = sorted(
        (frame for each in found if not isinstance(each, Unusable) for frame in each), key=lambda f: f.order
    )
    unusable = sorted(
        (each for each in found if isinstance(each, Unusable)), key=lambda each: (each.reason, each.sop_instance_uid)
    )
    stacks = []
    for series in parts_by(frames, _series_key).values():
        stacks += _stacks_of_series(series)
    return [*stacks, *_refused_files(unusable)]


def _series_key(frame: Frame) -> tuple[str, ...]:
    image = frame.image
    alone = image.sop_instance_uid if image.sop_class_uid in _WHOLE_BY_THEMSELVES else ""
    return image.series_uid, image.sop_class_uid, image.modality, alone


def _unique(frames: tuple[Frame, ...]) -> Group:
    """Without what comes from further copies of an instance."""
    copies: dict[str, set[Path]] = {}
    for frame in frames:
        copies.setdefault(frame.image.sop_instance_uid or str(frame.image.path), set()).add(frame.image.path)
    kept = {min(paths) for paths in copies.values()}
    dropped = sum(map(len, copies.values())) - len(kept)
    chosen = tuple(frame for frame in frames if frame.image.path in kept)
    if not dropped:
        return Group(chosen)
    sentence = f"{dropped} more file{'s' if dropped > 1 else ''} of the same instances left out (same SOP Instance UID)"
    return Group(chosen, findings=(Finding(FindingKind.DUPLICATE, sentence),))


# --- from files to slices --------------------------------------------------------------------


def _slices_of(path: Path) -> tuple[Frame, ...] | Unusable:
    try:
        syntax_uid, header, base = open_header(path)
    except CannotBuildVolume as error:
        return Unusable(path, "", "", "", "", "", error.reason)
    image = image_of(path, syntax_uid, header, base)
    if isinstance(image, Unusable):
        return _no_image(image) if not header.whole(0x0028_0010) and not header.whole(0x0028_0011) else image
    try:
        return _placed(image, _frames_of(image, header))
    except CannotBuildVolume as error:
        identity = image.sop_class_uid, image.sop_instance_uid, image.study_uid, image.series_uid, image.modality
        return Unusable(path, *identity, error.reason)


def _no_image(found: Unusable) -> Unusable:
    """What is another kind of object says so first."""
    name = STORAGE_CLASS_NAMES.get(found.sop_class_uid, "")
    if "Image" in name or not name:
        return found
    return replace(found, reason=f"{name.removesuffix(' Storage')} objects hold no images")


def _frames_of(image: ImageFile, header: Attributes) -> tuple[Frame, ...]:
    if image.modality in _PROJECTIONS:
        raise CannotBuildVolume(f"{image.modality} images are no slices of a volume")
    if image.sop_class_uid in _SEGMENTATIONS:
        return slices_of_segments(image, header)
    if image.pixels.photometric.startswith("PALETTE"):
        raise CannotBuildVolume("the images are in colour: volumes are made of grayscale images")
    if image.sop_class_uid == _DOSE:
        return slices_of_dose(image, header)
    if image.sop_class_uid == _NUCLEAR:
        return slices_of_nuclear(image, header)
    if header.node(PER_FRAME) is not None:
        return slices_with_groups(image, header)
    return slices_of_image(image, header)


def _placed(image: ImageFile, frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """Refuse slices that do not say where they lie."""
    for frame in frames:
        missing = [
            name
            for name, values, count in (
                ("Image Position (Patient)", frame.position_mm, 3),
                ("Image Orientation (Patient)", frame.orientation, 6),
                ("Pixel Spacing", frame.spacing_mm, 2),
            )
            if len(values) != count
        ]
        if missing:
            raise CannotBuildVolume(f"an image does not say where it lies: it has no valid {' and '.join(missing)}")
        if min(frame.spacing_mm) <= 0:
            raise CannotBuildVolume("Pixel Spacing is not above 0")
        _check_directions(frame)
    if image.modality == "CT" and any(_LOCALIZER in frame.marks.get(Mark.IMAGE_TYPE, ()) for frame in frames):
        raise CannotBuildVolume("a localizer (scout) is a projection, no slice")
    return frames


def _check_directions(frame: Frame) -> None:
    across, down = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    off = (np.linalg.norm(across) - 1, np.linalg.norm(down) - 1, across @ down)
    if max(map(abs, off)) > _UNIT_TOLERANCE:
        raise CannotBuildVolume("Image Orientation (Patient) is not two unit vectors at right angles")


def _refused_files(unusable: Sequence[Unusable]) -> list[Stack]:
    """One stack for files of one series that are refused for one reason."""
    groups: dict[tuple[str, ...], list[Unusable]] = {}
    for each in unusable:
        groups.setdefault((each.series_uid, each.sop_class_uid, each.reason), []).append(each)
    return [
        Stack(
            Source(
                *(members[0].modality, members[0].sop_class_uid, members[0].study_uid, members[0].series_uid),
                tuple(each.sop_instance_uid for each in members),
            ),
            tuple(each.path for each in members),
            refusal=members[0].reason,
        )
        for members in groups.values()
    ]


# --- from slices to stacks -------------------------------------------------------------------


def _stacks_of_series(frames: tuple[Frame, ...]) -> list[Stack]:
    whole = _unique(frames)
    places, begun = _all_places(whole.frames), _begun(whole.frames)
    made = [_stack(part, reason, places) for group in separated(whole) for part, reason in without_repeats(group)]
    return [replace(stack, begun=begun) for stack in made]


def _begun(frames: tuple[Frame, ...]) -> Frame | None:
    """The image of a PET series that was acquired first: the values of all its stacks belong to the series' start."""
    timed = [frame for frame in frames if frame.image.modality == "PT" and Mark.ACQUISITION_TIME in frame.marks]
    return min(timed, key=lambda frame: str(frame.marks[Mark.ACQUISITION_TIME]), default=None)


def _all_places(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """All frames of a segmentation: its segments have one grid."""
    return frames if frames[0].image.sop_class_uid in _SEGMENTATIONS else ()


def _stack(group: Group, reason: str | None, places: tuple[Frame, ...]) -> Stack:
    along = along_of(group.frames)
    frames = tuple(group.frames[number] for number in np.argsort(along, kind="stable"))
    findings = (*group.findings, *_noted(frames))
    refusal = reason or _mixed_numbers(frames)
    if refusal:
        return _refused(group, frames, findings, refusal)
    try:
        lattice = _sparse(frames, places) if places else _dense(frames)
    except CannotBuildVolume as error:
        return _refused(group, frames, findings, error.reason)
    findings = (*(in_slices(lattice.slots, finding) for finding in findings), *lattice.findings)
    if lattice.refusal and lattice.repair is None:
        return _refused(group, frames, findings, lattice.refusal)
    grid = _grid(frames, lattice)
    return Stack(
        _source(frames),
        tuple(frame.image.path for frame in frames),
        frames,
        ", ".join(group.labels),
        (*findings, *_tilt(grid), *_said_otherwise(frames, grid)),
        lattice.refusal,
        lattice.repair,
        grid,
        lattice.slots,
    )


def _refused(group: Group, frames: tuple[Frame, ...], findings: tuple[Finding, ...], refusal: str) -> Stack:
    paths = tuple(frame.image.path for frame in frames)
    return Stack(_source(frames), paths, frames, ", ".join(group.labels), findings, refusal)


def _source(frames: tuple[Frame, ...]) -> Source:
    image = frames[0].image
    numbers = tuple(frame.index + 1 for frame in frames)
    return Source(
        *(image.modality, image.sop_class_uid, image.study_uid, image.series_uid),
        tuple(frame.image.sop_instance_uid for frame in frames),
        numbers if any(frame.image.pixels.frames > 1 for frame in frames) else (),
    )


def _mixed_numbers(frames: tuple[Frame, ...]) -> str | None:
    """Why the numbers of these slices do not belong in one volume."""
    kinds = sorted({frame.rescale.kind or "none" for frame in frames})
    if len(kinds) > 1:
        return f"its slices have different Rescale Types ({', '.join(kinds)}): they are not in one unit"
    for what, sentence in (
        ({frame.rescale.is_stated for frame in frames}, "some of its slices have no Rescale Slope and Intercept"),
        ({frame.image.units for frame in frames}, "its slices have different Units"),
        ({frame.image.pixels.kind for frame in frames}, "some of its slices are whole numbers and some are not"),
    ):
        if len(what) > 1:
            return f"{sentence}: they are not in one unit"
    if any(max(abs(frame.rescale.slope), abs(frame.rescale.intercept)) > _LARGEST_NUMBER for frame in frames):
        return "Rescale Slope or Intercept is beyond all that can be measured"
    if any(frame.rescale.slope == 0 for frame in frames):
        return "Rescale Slope is 0 in some slices: their numbers are lost"
    return None


def _noted(frames: tuple[Frame, ...]) -> tuple[Finding, ...]:
    pixels = frames[0].image.pixels
    found = []
    if pixels.photometric == "MONOCHROME1":
        sentence = "low numbers are meant to be shown bright (MONOCHROME1); the voxels are as stored"
        found.append(Finding(FindingKind.PIXELS, sentence))
    if any(frame.image.pixels.is_lossy for frame in frames):
        found.append(Finding(FindingKind.PIXELS, "the images were compressed with loss: numbers are approximate"))
    notes = dict.fromkeys(frame.note for frame in frames if frame.note)
    return (*found, *(Finding(FindingKind.HEADER, note) for note in notes))


def _dense(frames: tuple[Frame, ...]) -> Lattice:
    positions = np.array([frame.position_mm for frame in frames])
    normal = _directions(frames)[:, 2]
    if len(frames) > 1:
        return lattice_of(positions, normal)
    return _single(frames[0], positions[0], normal)


def _single(frame: Frame, position: Vectors, normal: Vectors) -> Lattice:
    if frame.thickness_mm <= 0:
        raise CannotBuildVolume("a single slice without Slice Thickness: nobody says how thick a volume it makes")
    sentence = f"there is one slice; its thickness of {frame.thickness_mm:.4g} mm is taken for the spacing"
    finding = Finding(FindingKind.SINGLE, sentence)
    return Lattice(position, normal * frame.thickness_mm, (Slot(0, 0),), (finding,))


def _sparse(frames: tuple[Frame, ...], places: tuple[Frame, ...]) -> Lattice:
    """Of one segment, on the grid of all of them."""
    normal = _directions(frames)[:, 2]
    near = [frame for frame in places if _is_parallel(frame, frames[0])]
    found = {round(float(np.array(frame.position_mm) @ normal), 3): frame.position_mm for frame in near}
    every = np.array([found[place] for place in sorted(found)])
    if len(every) == 1:
        return _single(frames[0], every[0], normal)
    whole = lattice_of(every, normal, sparse_mm=frames[0].between_mm or frames[0].thickness_mm)
    if whole.refusal:
        return replace(whole, refusal="the frames of the segmentation do not lie at equal distances", repair=None)
    pixels = frames[0].image.pixels
    if len(whole.slots) * pixels.rows * pixels.columns > _MOST_EMPTY_VOXELS:
        raise CannotBuildVolume("the frames of the segmentation lie too far apart for one grid")
    mine = {round(float(np.array(frame.position_mm) @ normal), 3): number for number, frame in enumerate(frames)}
    order = [mine.get(place, -1) for place in sorted(found)]
    slots = tuple(Slot(order[slot.low], order[slot.low]) if slot.low >= 0 else slot for slot in whole.slots)
    return Lattice(whole.origin_mm, whole.step_mm, slots, whole.findings)


def _is_parallel(frame: Frame, other: Frame) -> bool:
    return bool(np.abs(np.subtract(frame.orientation, other.orientation)).max() <= ORIENTATION_TOLERANCE)


def _directions(frames: tuple[Frame, ...]) -> Vectors:
    """Unit vectors along a row, along a column and along the normal, at right angles, as columns."""
    mean = np.array([frame.orientation for frame in frames]).mean(axis=0)
    across = mean[:3] / np.linalg.norm(mean[:3])
    normal = np.cross(across, mean[3:])
    normal /= np.linalg.norm(normal)
    directions: Vectors = np.stack((across, np.cross(normal, across), normal), axis=1)
    return directions


def _grid(frames: tuple[Frame, ...], lattice: Lattice) -> Grid:
    pixels = frames[0].image.pixels
    directions = _directions(frames)
    between_rows, between_columns = np.array([frame.spacing_mm for frame in frames]).mean(axis=0)
    linear = np.stack((directions[:, 0] * between_columns, directions[:, 1] * between_rows, lattice.step_mm), axis=1)
    return Grid(
        (len(lattice.slots), pixels.rows, pixels.columns),
        Affine.of(linear, lattice.origin_mm),
        FrameOfReference(frames[0].image.frame_uid),
    )


def _said_otherwise(frames: tuple[Frame, ...], grid: Grid) -> tuple[Finding, ...]:
    """Where the headers and the positions tell different stories of how far slices are apart."""
    between, thick, step = frames[0].between_mm, frames[0].thickness_mm, grid.spacing_mm[2]
    if len(frames) == 1:
        return ()
    found = []
    if between > 0 and abs(step - between) > STEP_TOLERANCE * step:
        found.append(f"Spacing Between Slices says {between:.4g} mm, the positions {step:.4g} mm: the positions count")
    if 0 < thick < step / _WIDE:
        found.append(f"the slices are {thick:.4g} mm thick and {step:.4g} mm apart: most of the body lies between them")
    return tuple(Finding(FindingKind.HEADER, sentence) for sentence in found)


def _tilt(grid: Grid) -> tuple[Finding, ...]:
    if not grid.is_sheared:
        return ()
    cosine = abs(float(grid.directions[:, 2] @ grid.normal))
    degrees = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    sentence = f"the slices are stacked {degrees:.1f} degrees off their normal (gantry tilt); the grid keeps the shear"
    return (Finding(FindingKind.SHEARED, sentence),)
