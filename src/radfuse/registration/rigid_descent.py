"""The fine search: SimpleITK descends Mattes mutual information from a start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, Points
from radfuse.registration.rigid_climb import Found, Screen
from radfuse.registration.rigid_images import Ready, is_rather_sampled
from radfuse.registration.rigid_recipe import Kind, RigidRecipe
from radfuse.registration.rigid_toolkit import simpleitk


class Descent:
    """Two images of one level, and what is needed to descend between them: from the better sampled one."""

    def __init__(self, fixed: Ready, moving: Ready, recipe: RigidRecipe) -> None:
        """Make the images."""
        self._recipe = recipe
        self._is_turned = is_rather_sampled(moving, fixed)
        if self._is_turned:
            fixed, moving = moving, fixed
        self.screen = Screen(fixed, moving, recipe.seed, recipe.samples)
        # Lengths in units of the body's radius: a step of a turn, of a scale and of a shift then move alike.
        unit_mm = self._unit_mm = self.screen.radius_mm
        self._fixed, self._moving, self._mask = fixed.image(unit_mm), moving.image(unit_mm), fixed.mask_image(unit_mm)
        self._step = float(np.cbrt(fixed.grid.voxel_volume_mm3)) / unit_mm
        self._share = min(1.0, recipe.samples / fixed.voxels.size)

    def run(self, start: Affine, tell: Callable[[float], None] | None = None) -> Found | None:
        """The end of the way from ``start``; None where the images lost each other. ``tell``: the falling metric."""
        method = self._method()
        transform = self._transform(start.inverse() if self._is_turned else start)
        method.SetInitialTransform(transform, inPlace=True)
        if tell is not None:
            method.AddCommand(simpleitk().sitkIterationEvent, lambda: tell(method.GetMetricValue()))
        try:
            method.Execute(self._fixed, self._moving)
        except RuntimeError as error:  # it has no kinds of errors
            if "map outside" in str(error):
                return None
            raise
        found = self.screen.look(self._affine(transform).matrix, self._recipe.least_overlap)
        if found.score > 0 and self._is_turned:
            return replace(found, matrix=found.transform.inverse().matrix)
        return found if found.score > 0 else None

    def _method(self) -> Any:
        sitk = simpleitk()
        method = sitk.ImageRegistrationMethod()
        # More pieces of work are added up in another order: other bits. One thread alone is not enough.
        method.SetNumberOfThreads(1)
        method.SetNumberOfWorkUnits(1)
        method.SetMetricAsMattesMutualInformation(self._recipe.bins)
        if self._share < 1:
            method.SetMetricSamplingStrategy(sitk.ImageRegistrationMethod.RANDOM)
            method.SetMetricSamplingPercentage(self._share, self._recipe.seed)
        if self._mask is not None:
            method.SetMetricFixedMask(self._mask)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=self._step,
            minStep=0.01 * self._step,
            numberOfIterations=self._recipe.iterations,
            relaxationFactor=0.6,
            gradientMagnitudeTolerance=1e-8,
        )
        return method

    def _transform(self, start: Affine) -> Any:
        sitk = simpleitk()
        centre: Points = self.screen.middle_mm
        is_rigid = self._recipe.kind is Kind.RIGID
        transform = sitk.Euler3DTransform() if is_rigid else sitk.AffineTransform(3)
        transform.SetCenter((centre / self._unit_mm).tolist())
        transform.SetMatrix((nearest_rotation(start.linear) if is_rigid else start.linear).ravel().tolist())
        transform.SetTranslation(((start.apply(centre) - centre) / self._unit_mm).tolist())
        return transform

    def _affine(self, transform: Any) -> Affine:
        ends = np.vstack((np.zeros(3), np.eye(3)))
        moved = np.array([transform.TransformPoint(point) for point in ends.tolist()])
        return Affine.of((moved[1:] - moved[0]).T, moved[0] * self._unit_mm)


def nearest_rotation(linear: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The rotation that is nearest to a matrix."""
    left, _, right = np.linalg.svd(linear)
    turned: npt.NDArray[np.float64] = left @ np.diag((1.0, 1.0, float(np.sign(np.linalg.det(left @ right))))) @ right
    return turned
