"""DICOM objects that a reader leaves behind, built and read."""

from radfuse.objects import checking, common, ko, pdf, pr, reg, rtstruct, sc, seg, series, sr

__all__ = ["checking", "common", "ko", "pdf", "pr", "reg", "rtstruct", "sc", "seg", "series", "sr"]
