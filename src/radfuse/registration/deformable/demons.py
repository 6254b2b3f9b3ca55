"""SimpleITK's diffeomorphic demons as a deformable engine: images of one modality, whose brightness is the same."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from radfuse.core.errors import CannotRegister
from radfuse.registration.deformable.choosing import relation
from radfuse.registration.deformable.judging import moved_by
from radfuse.registration.deformable.outside import Watch, as_image, field_of, reduced, simpleitk
from radfuse.registration.deformable.pair import Deformation, Image, Pair, Progress
from radfuse.registration.deformable.recipe import DeformableRecipe, Likeness
from radfuse.registration.metric_steps import Steps

_FALLS: Final = "squared difference"


def deform(
    pair: Pair,
    recipe: DeformableRecipe,
    likeness: Likeness,
    progress: Progress | None = None,
    follow: Steps | None = None,
) -> Deformation:
    """As ``engine.deform``; the metric is the squared correlation of the images. Weights only count in that.

    Raises CannotRegister for images of different modalities.
    """
    if likeness is not Likeness.CORRELATION:
        raise CannotRegister("demons compare brightness: the images are of different modalities")
    sitk = simpleitk()
    fixed, moving = (as_image(image, pair) for image in pair.scaled)
    field: Any = None
    steps: list[int] = []
    watch = Watch(progress, len(recipe.iterations), follow, _FALLS)
    for coarseness, most in zip(recipe.coarseness, recipe.iterations, strict=True):
        small = [reduced(image, coarseness) for image in (fixed, moving)]
        method = sitk.DiffeomorphicDemonsRegistrationFilter()
        method.SetNumberOfThreads(1)  # more threads add up in another order: other bits
        method.SetNumberOfIterations(most)
        method.SmoothDisplacementFieldOn()
        method.SetStandardDeviations(recipe.stiffness / 2)
        with watch.over(method, method.Abort, method.GetElapsedIterations, most, method.GetMetric):
            start = None if field is None else sitk.Resample(field, small[0])
            field = method.Execute(*small) if start is None else method.Execute(*small, start)
        steps.append(int(method.GetElapsedIterations()))
    vectors = field_of(sitk.Resample(field, fixed))
    return Deformation(vectors, _metric(pair, np.zeros_like(vectors)), _metric(pair, vectors), tuple(steps))


def _metric(pair: Pair, field: Image) -> float:
    return relation(*moved_by(pair, field)).linear
