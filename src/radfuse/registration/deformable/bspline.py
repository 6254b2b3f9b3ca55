"""SimpleITK's B-spline with mutual information as a deformable engine, for any two modalities."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from radfuse.registration.deformable.choosing import relation
from radfuse.registration.deformable.judging import moved_by
from radfuse.registration.deformable.outside import Watch, as_image, field_of, reduced, simpleitk
from radfuse.registration.deformable.pair import Deformation, Image, Pair, Progress, product
from radfuse.registration.deformable.recipe import DeformableRecipe, Likeness
from radfuse.registration.metric_steps import Steps

_SAMPLES: Final = 10_000
_SEED: Final = 7
_BINS: Final = 32
_FALLS: Final = "mutual information, negated"


def deform(
    pair: Pair,
    recipe: DeformableRecipe,
    _likeness: Likeness,
    progress: Progress | None = None,
    follow: Steps | None = None,
) -> Deformation:
    """As ``engine.deform``; the metric is mutual information, whatever the likeness. Raises CannotRegister."""
    sitk = simpleitk()
    images = [as_image(image, pair) for image in pair.scaled]
    sides_mm = np.array(images[0].GetSize()) * pair.spacing_mm
    mesh = np.maximum(1, np.rint(sides_mm / recipe.node_mm)).astype(int).tolist()
    transform = sitk.BSplineTransformInitializer(images[0], mesh)
    watch, steps = Watch(progress, len(recipe.iterations), follow, _FALLS), []
    for coarseness, most in zip(recipe.coarseness, recipe.iterations, strict=True):
        fixed, moving = (reduced(image, coarseness) for image in images)
        method = _method(pair, fixed, most)
        method.SetInitialTransformAsBSpline(transform, inPlace=True)
        with watch.over(method, method.StopRegistration, method.GetOptimizerIteration, most, method.GetMetricValue):
            method.Execute(fixed, moving)
        steps.append(int(method.GetOptimizerIteration()))
    grid = images[0]
    field = sitk.TransformToDisplacementField(
        transform, sitk.sitkVectorFloat32, grid.GetSize(), grid.GetOrigin(), grid.GetSpacing(), grid.GetDirection()
    )
    vectors = field_of(field)
    return Deformation(vectors, _metric(pair, np.zeros_like(vectors)), _metric(pair, vectors), tuple(steps))


def _method(pair: Pair, fixed: Any, most: int) -> Any:
    sitk = simpleitk()
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # more threads add up in another order: other bits
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(min(1.0, _SAMPLES / fixed.GetNumberOfPixels()), _SEED)
    looked_at = product(pair.fixed_weight, pair.focus)
    if looked_at is not None:
        method.SetMetricFixedMask(sitk.Cast(as_image(looked_at > 0.5, pair), sitk.sitkUInt8))
    if pair.moving_weight is not None:
        method.SetMetricMovingMask(sitk.Cast(as_image(pair.moving_weight > 0.5, pair), sitk.sitkUInt8))
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsLBFGS2(numberOfIterations=most, hessianApproximateAccuracy=5)
    return method


def _metric(pair: Pair, field: Image) -> float:
    return relation(*moved_by(pair, field)).mutual_information
