"""Deformable registration of two volumes from a rigid or affine start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Chain, Grid
from radfuse.registration.deform_grid import Focus, field_of, pair_on, working_grid
from radfuse.registration.deformable.pair import Deformation, Pair, Progress
from radfuse.registration.deformable.recipe import DeformableRecipe, Engine, Likeness
from radfuse.registration.metric_steps import Steps
from radfuse.registration.model import Method, Registration
from radfuse.volume import Volume

if TYPE_CHECKING:
    from radfuse.registration.deformable.judging import Judgement

_LEAST_SLICES: Final = 4
_SHARE_OF_ENGINE: Final = 0.75
"""Of the time; the rest goes into judging what it found."""


@dataclass(frozen=True, eq=False)
class DeformableResult:
    """A deformable registration, or its start where that was better, and what speaks for it.

    The transform is the field, then the start. The facts are those of the deformation that was found,
    kept or not; its Jacobian is that of the field alone, 1 where volumes stay.
    """

    registration: Registration
    likeness: Likeness
    metric_before: float
    metric_after: float
    """Of the engine on the finest level; larger is better."""
    judgement: Judgement
    steps: tuple[int, ...]
    """Taken on each level, coarse to fine."""
    working_grid: Grid
    """Where the images were compared."""

    @property
    def fell_back(self) -> str:
        """Why the start was kept, as a sentence; empty when it was not."""
        return self.registration.fell_back


def register_deformable(
    fixed: Volume,
    moving: Volume,
    start: Affine | None = None,
    recipe: DeformableRecipe = DeformableRecipe(),  # noqa: B008 a frozen value
    focus: Focus = Focus(),  # noqa: B008 a frozen value
    progress: Progress | None = None,
    steps: Steps | None = None,
) -> DeformableResult:
    """Deform the moving images onto the fixed ones.

    ``start`` maps points of the fixed frame of reference to the moving one; without it both must be
    the same. ``progress`` is told the share that is done, and may raise to stop; ``steps`` the
    metric as it falls. The same input gives the same bits, whatever the number
    of processors. Raises FramesDiffer, CannotRegister.
    """
    if start is None:
        fixed.grid.frame.require_same(moving.grid.frame, "the fixed and the moving images")
        start = Affine.identity()
    for name, volume in (("fixed", fixed), ("moving", moving)):
        _check(name, volume)
    return _registered((fixed, moving), start, recipe, focus, (progress, steps))


def _registered(
    volumes: tuple[Volume, Volume],
    start: Affine,
    recipe: DeformableRecipe,
    focus: Focus,
    told: tuple[Progress | None, Steps | None],
) -> DeformableResult:
    from radfuse.registration.deformable.choosing import relation
    from radfuse.registration.deformable.judging import judge

    fixed, moving = volumes
    grid = working_grid(fixed, moving, start, focus, recipe)
    pair = pair_on(grid, fixed, moving, start, focus)
    likeness = recipe.likeness or relation(*pair.scaled, pair.counting()).likeness
    tell, steps = told[0] or (lambda _share: None), told[1]
    found = _engine(recipe.engine)(pair, recipe, likeness, lambda share: tell(_SHARE_OF_ENGINE * share), steps)
    facts = judge(
        pair,
        recipe,
        likeness,
        found,
        lambda share: tell(_SHARE_OF_ENGINE + (1 - _SHARE_OF_ENGINE) * share),
    )
    objection = facts.objection(found)
    chain = (start,) if objection else (field_of(grid, found.field_mm), start)
    registration = Registration(
        fixed.grid.frame,
        moving.grid.frame,
        Chain(chain),
        Method.DEFORMABLE,
        MappingProxyType(_parameters(recipe, likeness, grid)),
        objection,
    )
    return DeformableResult(registration, likeness, found.metric_before, found.metric_after, facts, found.steps, grid)


def _engine(name: Engine) -> Callable[[Pair, DeformableRecipe, Likeness, Progress, Steps | None], Deformation]:
    """Each is a file with the same function. A recipe may also name it by its word."""
    if name == Engine.DEMONS:
        from radfuse.registration.deformable import demons

        return demons.deform
    if name == Engine.BSPLINE:
        from radfuse.registration.deformable import bspline

        return bspline.deform
    if name == Engine.GREEDY:
        from radfuse.registration.deformable import greedy

        return greedy.deform
    from radfuse.registration.deformable import engine

    return engine.deform


def _parameters(recipe: DeformableRecipe, likeness: Likeness, grid: Grid) -> dict[str, str]:
    """Every parameter as text: those that the images decided as they were decided."""
    texts = {field.name: _text(getattr(recipe, field.name)) for field in fields(recipe)}
    texts["likeness"] = likeness.value
    texts["damping"] = _text(recipe.damping_for(likeness))
    texts["spacing_mm"] = _text(tuple(round(mm, 4) for mm in grid.spacing_mm))
    return texts


def _text(value: object) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, tuple) else str(value)


def warm_up() -> None:
    """Have the kernels compiled and kept, so that the first registration does not wait for it."""
    from radfuse.registration.deformable.engine import deform

    image = np.random.default_rng(1).random((16, 16, 16), dtype=np.float32)
    weight = np.ones_like(image)
    for likeness in Likeness:
        deform(Pair(image, image, np.ones(3), weight, weight), DeformableRecipe(iterations=(1, 1, 1)), likeness)


def _check(name: str, volume: Volume) -> None:
    if volume.grid.shape[0] < _LEAST_SLICES:
        raise CannotRegister(f"the {name} images are {volume.grid.shape[0]} slices; a volume is needed")
    if not np.isfinite(volume.voxels).all():
        raise CannotRegister(f"the {name} images have voxels that are no finite numbers")
    if volume.voxels.min() == volume.voxels.max():
        raise CannotRegister(f"the {name} images show nothing: all voxels are the same")
