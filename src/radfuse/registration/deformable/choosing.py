"""Which comparison suits two images: told by their joint histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.registration.deformable.pair import Image
from radfuse.registration.deformable.recipe import Likeness

_BINS: Final = 32
_LINEAR: Final = 0.8

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Relation:
    """How the values of two images go together."""

    linear: float
    """Squared correlation: what a straight line explains, 0..1."""
    functional: float
    """Correlation ratio, the larger of both directions: what any function explains, 0..1."""
    mutual_information: float
    """In nats."""

    @property
    def likeness(self) -> Likeness:
        """Correlation where a line explains nearly all that any function does: within a modality."""
        return Likeness.CORRELATION if self.linear > _LINEAR * self.functional else Likeness.DESCRIPTORS


def relation(one: Image, other: Image, weight: Image | None) -> Relation:
    """Of two images with values of 0..1, where ``weight`` is more than 0."""
    if weight is not None:
        one, other = one[weight > 0], other[weight > 0]
    bins = [np.minimum((image * _BINS).astype(np.int32), _BINS - 1).ravel() for image in (one, other)]
    joint = np.bincount(bins[0] * _BINS + bins[1], minlength=_BINS * _BINS).reshape(_BINS, _BINS)
    share = joint / max(1, joint.sum())
    return Relation(_linear(share), max(_functional(share), _functional(share.T)), _information(share))


def _moments(share: Numbers) -> tuple[float, float]:
    """Mean and variance of the bin numbers of a histogram."""
    at = np.arange(_BINS)
    mean = float(share @ at)
    return mean, float(share @ (at - mean) ** 2)


def _linear(share: Numbers) -> float:
    (mean_a, var_a), (mean_b, var_b) = _moments(share.sum(axis=1)), _moments(share.sum(axis=0))
    at = np.arange(_BINS)
    covariance = float((at - mean_a) @ share @ (at - mean_b))
    return covariance**2 / (var_a * var_b) if var_a * var_b > 0 else 0.0


def _functional(share: Numbers) -> float:
    """How much of the variance of the second image the values of the first explain."""
    of_each, (mean, variance) = share.sum(axis=1), _moments(share.sum(axis=0))
    means = share @ np.arange(_BINS) / np.where(of_each > 0, of_each, 1)
    return float(of_each @ (means - mean) ** 2) / variance if variance > 0 else 0.0


def _information(share: Numbers) -> float:
    apart = np.outer(share.sum(axis=1), share.sum(axis=0))
    some = share > 0
    return float(np.sum(share[some] * np.log(share[some] / apart[some])))
