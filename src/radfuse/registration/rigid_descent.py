"""The fine search: SimpleITK descends Mattes mutual information from a start."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, Points
from radfuse.registration.rigid_climb import Found, Screen
from radfuse.registration.rigid_images import Ready
from radfuse.registration.rigid_recipe import Kind, RigidRecipe


class Descent:
    """Two images of one level, and what is needed to descend between them."""

    def __init__(self, fixed: Ready, moving: Ready, recipe: RigidRecipe) -> None:
        """Make the images."""
        self._recipe = recipe
        self._fixed, self._moving, self._mask = fixed.image(), moving.image(), fixed.mask_image()
        self._step_mm = float(np.cbrt(fixed.grid.voxel_volume_mm3))
        self._share = min(1.0, recipe.samples / fixed.voxels.size)
        self.screen = Screen(fixed, moving, recipe.seed, recipe.samples)

    def run(self, start: Affine) -> Found | None:
        """The end of the way from ``start``; None where the images lost each other."""
        method = self._method()
        transform = self._transform(start)
        method.SetInitialTransform(transform, inPlace=True)
        try:
            method.Execute(self._fixed, self._moving)
        except RuntimeError:  # too few samples lie within the moving image
            return None
        found = self.screen.look(_affine_of(transform), self._recipe.least_overlap)
        return found if found.score > 0 else None

    def _method(self) -> Any:
        import SimpleITK as sitk

        method: Any = sitk.ImageRegistrationMethod()
        method.SetNumberOfThreads(1)  # more threads add up in another order: other bits
        method.SetMetricAsMattesMutualInformation(self._recipe.bins)
        if self._share < 1:
            method.SetMetricSamplingStrategy(sitk.ImageRegistrationMethod.RANDOM)
            method.SetMetricSamplingPercentage(self._share, self._recipe.seed)
        if self._mask is not None:
            method.SetMetricFixedMask(self._mask)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=self._step_mm,
            minStep=0.01 * self._step_mm,
            numberOfIterations=self._recipe.iterations,
            relaxationFactor=0.6,
            gradientMagnitudeTolerance=1e-8,
        )
        method.SetOptimizerScalesFromPhysicalShift()
        return method

    def _transform(self, start: Affine) -> Any:
        import SimpleITK as sitk

        centre: Points = self.screen.middle_mm
        is_rigid = self._recipe.kind is Kind.RIGID
        transform: Any = sitk.Euler3DTransform() if is_rigid else sitk.AffineTransform(3)
        transform.SetCenter(centre.tolist())
        transform.SetMatrix((nearest_rotation(start.linear) if is_rigid else start.linear).ravel().tolist())
        transform.SetTranslation((start.apply(centre) - centre).tolist())
        return transform


def nearest_rotation(linear: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The rotation that is nearest to a matrix."""
    left, _, right = np.linalg.svd(linear)
    turned: npt.NDArray[np.float64] = left @ np.diag((1.0, 1.0, float(np.sign(np.linalg.det(left @ right))))) @ right
    return turned


def _affine_of(transform: Any) -> Affine:
    moved = np.array([transform.TransformPoint(point) for point in np.vstack((np.zeros(3), np.eye(3))).tolist()])
    return Affine.of((moved[1:] - moved[0]).T, moved[0])
