"""Automatic rigid and affine registration: mutual information, many starts, coarse to fine.

SimpleITK computes the metric (Mattes) and descends; where to start, what may count as a result and
which of the results is taken is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Grid, Mask, Points
from radfuse.volume import Volume, resample

if TYPE_CHECKING:
    import SimpleITK

Progress = Callable[[float], None]

_LEAST_SLICES: Final = 4
_SMOOTH_SHARE: Final = 0.5
_SEED: Final = 7


class Kind(StrEnum):
    """What may change."""

    RIGID = "rigid"
    AFFINE = "affine"


@dataclass(frozen=True, slots=True)
class RigidRecipe:
    """Every parameter of an automatic registration."""

    kind: Kind = Kind.RIGID
    spacings_mm: tuple[float, ...] = (8.0, 4.0, 2.0)
    """Voxel sizes at which the images are compared, coarse to fine; all starts at the first only."""
    kept: tuple[int, ...] = (6, 2, 1)
    """How many of the best go on after each."""
    turns_degrees: tuple[float, ...] = (-30.0, 0.0, 30.0)
    """Rotations about each axis that are tried at the start."""
    bins: int = 32
    samples: int = 40_000
    iterations: int = 100
    least_overlap: float = 0.3
    """Share of the smaller image (or of the region) that must lie within the other."""


@dataclass(frozen=True, eq=False)
class RigidResult:
    """A transform from the fixed frame's points to the moving frame's, and what speaks for it."""

    transform: Affine
    mutual_information: float
    """Of the finest comparison, in nats: larger is better."""
    overlap: float
    starts: int
    agreeing: int
    """How many of the starts that were followed to the end of the middle level ended within 3 mm of it."""


def register_rigid(
    fixed: Volume,
    moving: Volume,
    recipe: RigidRecipe = RigidRecipe(),  # noqa: B008 a frozen value
    starts: Sequence[Affine] = (),
    region: Mask | None = None,
    progress: Progress | None = None,
) -> RigidResult:
    """The rigid or affine transform that makes the images tell most about each other.

    ``starts`` are transforms to begin from (a click gives one); none: centres and centres of mass are
    put on each other. ``region`` (of the fixed frame) limits what is compared. Deterministic.
    Raises CannotRegister.
    """
    _check(fixed, moving, region)
    search = _Search(fixed, moving, recipe, region)
    candidates = _starts(fixed, moving, starts, recipe)
    total = len(candidates) + sum(recipe.kept)
    done = 0
    ended: list[_Candidate] = []
    for level, (spacing_mm, kept) in enumerate(zip(recipe.spacings_mm, recipe.kept, strict=True)):
        compare = search.at(spacing_mm)
        ended = []
        for transform in candidates:
            ended += compare.descend(transform, coarse=level == 0)
            done += 1
            if progress:
                progress(min(1.0, done / total))
        if not ended:
            raise CannotRegister("no start led to images that overlap; give a point that both show")
        ended.sort(key=lambda each: -each.information)
        candidates = [each.transform for each in _distinct(ended, kept, fixed.grid)]
    best = ended[0]
    agreeing = sum(_apart_mm(best.transform, each.transform, fixed.grid) <= 3 for each in ended)
    return RigidResult(best.transform, best.information, best.overlap, total, agreeing)


def start_from_click(fixed_mm: Points, moving_mm: Points) -> Affine:
    """The start that puts two points, which show about the same place, on each other."""
    return Affine.of(np.eye(3), np.asarray(moving_mm, dtype=np.float64) - np.asarray(fixed_mm, dtype=np.float64))


@dataclass(frozen=True, eq=False)
class _Candidate:
    transform: Affine
    information: float
    overlap: float


def _check(fixed: Volume, moving: Volume, region: Mask | None) -> None:
    for name, volume in (("fixed", fixed), ("moving", moving)):
        if volume.grid.shape[0] < _LEAST_SLICES:
            raise CannotRegister(f"the {name} images are {volume.grid.shape[0]} slices; a volume is needed")
        if not np.isfinite(volume.voxels.sum(dtype=np.float64)):
            raise CannotRegister(f"the {name} images have voxels that are no finite numbers")
        if volume.voxels.min() == volume.voxels.max():
            raise CannotRegister(f"the {name} images show nothing: all voxels are the same")
    if region is not None:
        region.grid.frame.require_same(fixed.grid.frame, "the region and the fixed images")
        if not region.voxels:
            raise CannotRegister("the region is empty")


def _starts(fixed: Volume, moving: Volume, given: Sequence[Affine], recipe: RigidRecipe) -> list[Affine]:
    """Each start with every turn about the place that it puts together."""
    pairs: list[tuple[Points, Affine]] = []
    for start in given:
        pairs.append((_centre(fixed), start))
    if not given:
        for one, other in ((_centre(fixed), _centre(moving)), (_mass(fixed), _mass(moving))):
            pairs.append((one, start_from_click(one, other)))
    angles = np.radians(recipe.turns_degrees)
    turns = sorted(
        (_rotation(a, b, c) for a in angles for b in angles for c in angles),
        key=lambda turn: -float(np.trace(turn)),
    )
    made = []
    for place, start in pairs:
        for turn in turns:
            linear = turn @ start.linear
            made.append(Affine.of(linear, start.apply(place) - linear @ place))
    return made


def _rotation(about_x: float, about_y: float, about_z: float) -> npt.NDArray[np.float64]:
    (sx, sy, sz), (cx, cy, cz) = np.sin((about_x, about_y, about_z)), np.cos((about_x, about_y, about_z))
    turned: npt.NDArray[np.float64] = (
        np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    )
    return turned


def _centre(volume: Volume) -> Points:
    centre: Points = volume.grid.corners_mm.mean(axis=0)
    return centre


def _mass(volume: Volume) -> Points:
    """Centre of what is brighter than the middle of its range without the extremes."""
    low, high = np.percentile(volume.voxels[::2, ::2, ::2], (1, 99))
    index = np.argwhere(volume.voxels[::2, ::2, ::2] > (low + high) / 2)
    if not len(index):
        return _centre(volume)
    return volume.grid.to_patient.apply(2 * index.mean(axis=0)[::-1])


def _apart_mm(one: Affine, other: Affine, grid: Grid) -> float:
    """The largest distance between where two transforms send the corners of a box in the middle of ``grid``."""
    corners = grid.corners_mm
    middle = corners.mean(axis=0)
    box = middle + np.sign(corners - middle) * 50.0
    return float(np.linalg.norm(one.apply(box) - other.apply(box), axis=-1).max())


def _distinct(ended: Sequence[_Candidate], kept: int, grid: Grid) -> list[_Candidate]:
    """The best that are not the same one again."""
    chosen: list[_Candidate] = []
    for each in ended:
        if len(chosen) == kept:
            break
        if all(_apart_mm(each.transform, other.transform, grid) > 3 for other in chosen):
            chosen.append(each)
    return chosen


class _Search:
    """The images, brought to the voxel size of a level."""

    def __init__(self, fixed: Volume, moving: Volume, recipe: RigidRecipe, region: Mask | None) -> None:
        self._fixed, self._moving, self._recipe, self._region = fixed, moving, recipe, region

    def at(self, spacing_mm: float) -> _Comparison:
        region = None if self._region is None else _image(_cropped(self._region), spacing_mm, is_mask=True)
        fixed = self._fixed if self._region is None else _around(self._fixed, self._region, spacing_mm)
        return _Comparison(_image(fixed, spacing_mm), _image(self._moving, spacing_mm), region, self._recipe)


def _cropped(region: Mask) -> Mask:
    index = np.argwhere(region.inside)
    first, last = index.min(axis=0), index.max(axis=0)
    box = tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))
    shape = tuple(int(n) for n in last - first + 1)
    return Mask(region.grid.cropped(tuple(int(n) for n in first), shape), region.inside[box])  # type: ignore[arg-type]


def _around(volume: Volume, region: Mask, margin_mm: float) -> Volume:
    """The part of the volume that holds the region."""
    corners = volume.grid.from_patient.apply(_cropped(region).grid.corners_mm)
    margin = 2 * margin_mm / np.array(volume.grid.spacing_mm)
    size = np.array(volume.grid.shape[::-1])
    first = np.clip(np.floor(corners.min(axis=0) - margin), 0, size - 1).astype(int)
    last = np.clip(np.ceil(corners.max(axis=0) + margin), first, size - 1).astype(int)
    box = tuple(slice(a, b + 1) for a, b in zip(first[::-1], last[::-1], strict=True))
    shape = tuple(int(n) for n in (last - first + 1)[::-1])
    start = tuple(int(n) for n in first[::-1])
    return Volume(volume.voxels[box], volume.grid.cropped(start, shape), volume.unit, volume.source)  # type: ignore[arg-type]


def _image(of: Volume | Mask, spacing_mm: float, *, is_mask: bool = False) -> SimpleITK.Image:
    """As an image for SimpleITK, at right angles, smoothed and reduced to about ``spacing_mm``."""
    import SimpleITK as sitk

    grid = of.grid if not of.grid.is_sheared else resample.regular_grid(of.grid)
    if isinstance(of, Mask):
        made = of if grid is of.grid else resample.resample_mask(of, grid)
        array: npt.NDArray[Any] = made.inside.astype(np.uint8)
    else:
        array = (of if grid is of.grid else resample.resample(of, grid)).voxels.astype(np.float32)
        low, high = np.percentile(array[::2, ::2, ::2], (0.1, 99.9))
        array = np.clip(array, low, high)
    if np.linalg.det(grid.directions) < 0:  # SimpleITK wants a right-handed system
        array = array[::-1]
        last = grid.to_patient.apply((0, 0, grid.shape[0] - 1))
        grid = Grid(grid.shape, Affine.of(grid.to_patient.linear * (1, 1, -1), last), grid.frame)
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm.tolist())
    image.SetDirection(_orthonormal(grid.directions).ravel().tolist())
    factors = [max(1, int(spacing_mm / each + 0.5)) for each in grid.spacing_mm]
    if max(factors) == 1:
        return image
    if is_mask:
        return sitk.Shrink(image, factors)
    sigmas = [
        max(1e-3, _SMOOTH_SHARE * each * factor * (factor > 1))
        for each, factor in zip(grid.spacing_mm, factors, strict=True)
    ]
    return sitk.Shrink(sitk.DiscreteGaussian(image, [sigma**2 for sigma in sigmas]), factors)


def _orthonormal(directions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    left, _, right = np.linalg.svd(directions)
    turned: npt.NDArray[np.float64] = left @ right
    return turned


class _Comparison:
    """One voxel size: descends from a start, and says what came of it."""

    def __init__(
        self, fixed: SimpleITK.Image, moving: SimpleITK.Image, region: SimpleITK.Image | None, recipe: RigidRecipe
    ) -> None:
        self._fixed, self._moving, self._region, self._recipe = fixed, moving, region, recipe
        self._centre = _middle(region if region is not None else fixed)
        self._points = _some_points(fixed, region)

    def descend(self, start: Affine, *, coarse: bool) -> list[_Candidate]:
        """The end of the way from ``start``; nothing where the images lost each other."""
        import SimpleITK as sitk

        if self._overlap(start) < self._recipe.least_overlap:
            return []
        method = self._method(coarse=coarse)
        transform = self._transform(start)
        method.SetInitialTransform(transform, inPlace=True)
        try:
            method.Execute(self._fixed, self._moving)
        except RuntimeError:  # too few samples lie within the moving image
            return []
        found = _affine_of(sitk.Transform(transform))
        overlap = self._overlap(found)
        if overlap < self._recipe.least_overlap:
            return []
        return [_Candidate(found, -float(method.GetMetricValue()), overlap)]

    def _method(self, *, coarse: bool) -> SimpleITK.ImageRegistrationMethod:
        import SimpleITK as sitk

        method = sitk.ImageRegistrationMethod()
        method.SetNumberOfThreads(1)  # more threads add up in another order: other bits
        method.SetMetricAsMattesMutualInformation(self._recipe.bins)
        voxels = self._fixed.GetNumberOfPixels()
        share = min(1.0, self._recipe.samples / voxels)
        if share < 1:
            method.SetMetricSamplingStrategy(sitk.ImageRegistrationMethod.RANDOM)
            method.SetMetricSamplingPercentage(share, _SEED)
        if self._region is not None:
            method.SetMetricFixedMask(self._region)
        method.SetInterpolator(sitk.sitkLinear)
        step = float(np.mean(self._fixed.GetSpacing()))
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=2 * step if coarse else step,
            minStep=0.02 * step,
            numberOfIterations=self._recipe.iterations // 2 if coarse else self._recipe.iterations,
            relaxationFactor=0.6,
            gradientMagnitudeTolerance=1e-8,
        )
        method.SetOptimizerScalesFromPhysicalShift()
        return method

    def _transform(self, start: Affine) -> SimpleITK.Transform:
        import SimpleITK as sitk

        transform: Any = sitk.Euler3DTransform() if self._recipe.kind is Kind.RIGID else sitk.AffineTransform(3)
        linear = _orthonormal(start.linear) if self._recipe.kind is Kind.RIGID else start.linear
        transform.SetCenter(self._centre.tolist())
        transform.SetMatrix(linear.ravel().tolist())
        transform.SetTranslation((start.apply(self._centre) - self._centre).tolist())
        return transform

    def _overlap(self, transform: Affine) -> float:
        """Share of the fixed points that lie in the moving image, or of the moving image in the fixed if that is more."""
        inside = _inside(self._moving, transform.apply(self._points)).mean()
        if self._region is not None:
            return float(inside)
        back = _inside(self._fixed, transform.inverse().apply(_some_points(self._moving, None))).mean()
        return float(max(inside, back))


def _middle(image: SimpleITK.Image) -> Points:
    size = np.array(image.GetSize())
    return np.array(image.TransformContinuousIndexToPhysicalPoint(((size - 1) / 2).tolist()))


def _some_points(image: SimpleITK.Image, region: SimpleITK.Image | None) -> Points:
    import SimpleITK as sitk

    source = image if region is None else region
    size = np.array(source.GetSize())
    step = np.maximum(1, size // 12)
    index = np.stack(np.meshgrid(*(np.arange(0, n, s) for n, s in zip(size, step, strict=True)), indexing="ij"), -1)
    index = index.reshape(-1, 3)
    if region is not None:
        inside = sitk.GetArrayViewFromImage(region)[index[:, 2], index[:, 1], index[:, 0]] > 0
        index = index[inside] if inside.any() else index
    direction = np.array(source.GetDirection()).reshape(3, 3)
    points: Points = (index * source.GetSpacing()) @ direction.T + source.GetOrigin()
    return points


def _inside(image: SimpleITK.Image, points: Points) -> npt.NDArray[np.bool_]:
    direction = np.array(image.GetDirection()).reshape(3, 3)
    index = (points - image.GetOrigin()) @ direction / image.GetSpacing()
    size = np.array(image.GetSize())
    within: npt.NDArray[np.bool_] = np.all((index >= -0.5) & (index <= size - 0.5), axis=-1)
    return within


def _affine_of(transform: SimpleITK.Transform) -> Affine:
    moved = np.array([transform.TransformPoint(point) for point in np.vstack((np.zeros(3), np.eye(3))).tolist()])
    return Affine.of((moved[1:] - moved[0]).T, moved[0])
