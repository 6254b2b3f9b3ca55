"""Resampled volumes as CT, MR, PET and NM series."""

from radfuse.objects.series.build import MODALITIES, build_series

__all__ = ["MODALITIES", "build_series"]
