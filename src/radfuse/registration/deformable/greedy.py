"""picsl-greedy as a deformable engine, for any two modalities, where a person has installed it.

It needs the package picsl-greedy (the extra "greedy"), whose wheel is built of sources under the GPL: nothing
else imports it, and no other engine needs it.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
from typing import Any, Final

import numpy as np

from radfuse.core.errors import CannotRegister
from radfuse.registration.deformable.choosing import relation
from radfuse.registration.deformable.judging import moved_by
from radfuse.registration.deformable.outside import as_image, field_of
from radfuse.registration.deformable.pair import Deformation, Image, Pair, Progress, product
from radfuse.registration.deformable.recipe import DeformableRecipe, Likeness
from radfuse.registration.metric_steps import Steps

_MODULE: Final = "picsl_greedy"
_STEP: Final = 0.5
"""Of a voxel, as its authors set it."""
_LEAST_SIDE: Final = 4


def is_there() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec(_MODULE) is not None


def deform(
    pair: Pair,
    recipe: DeformableRecipe,
    likeness: Likeness,
    progress: Progress | None = None,
    _follow: Steps | None = None,
) -> Deformation:
    """As ``engine.deform``, by squared correlation in windows or, across modalities, by mutual information.

    It cannot be stopped while it works. Raises CannotRegister where the package is not installed, for levels
    that do not halve the voxels or have too few of them, and where it fails.
    """
    _check(pair, recipe)
    tell = progress or (lambda _share: None)
    tell(0.0)
    vectors = _found(pair, recipe, likeness)
    tell(1.0)
    before, after = (_metric(pair, field, likeness) for field in (np.zeros_like(vectors), vectors))
    return Deformation(vectors, before, after, recipe.iterations)


def _check(pair: Pair, recipe: DeformableRecipe) -> None:
    if not is_there():
        raise CannotRegister("the engine greedy is not installed; pip install 'radfuse[greedy]' installs it")
    if recipe.coarseness != tuple(2**level for level in reversed(range(len(recipe.coarseness)))):
        raise CannotRegister("the engine greedy halves the voxels from level to level, down to 1")
    if min(pair.fixed.shape) < _LEAST_SIDE * recipe.coarseness[0]:
        raise CannotRegister("the images have too few voxels for the levels of the engine greedy; take fewer levels")


def _found(pair: Pair, recipe: DeformableRecipe, likeness: Likeness) -> Image:
    given: dict[str, Any] = dict(zip(("fixed", "moving"), (as_image(each, pair) for each in pair.scaled), strict=True))
    windows = "x".join([str(recipe.window_radius)] * 3)
    words = [
        "-d 3 -V 0 -i fixed moving -o warp",
        # Its noise is drawn anew each time; its sums depend on the threads; its fields are rounded to tenths of voxels.
        "-noise 0 -threads 1 -wp 0",
        f"-m {'NMI' if likeness is Likeness.DESCRIPTORS else f'NCC {windows}'} -e {_STEP}",
        f"-s {recipe.step_smoothing}vox {recipe.stiffness / 2}vox -n {'x'.join(map(str, recipe.iterations))}",
    ]
    for option, weight in (("gm", product(pair.fixed_weight, pair.focus)), ("mm", pair.moving_weight)):
        if weight is not None:
            given[option] = as_image(weight > 0.5, pair)
            words.append(f"-{option} {option}")
    engine: Any = importlib.import_module(_MODULE).Greedy3D()
    try:
        engine.execute(" ".join(words), io.StringIO(), io.StringIO(), warp=None, **given)
    except Exception as error:  # it raises whatever its C++ threw
        raise CannotRegister("the engine greedy gave up: too little of the images lies on each other") from error
    return field_of(engine["warp"])


def _metric(pair: Pair, field: Image, likeness: Likeness) -> float:
    found = relation(*moved_by(pair, field))
    return found.mutual_information if likeness is Likeness.DESCRIPTORS else found.linear
