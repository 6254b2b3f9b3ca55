"""DICOM objects that a reader leaves behind, built and read."""

from radfuse.objects import checking, common, elements, ko, pdf, pr, reg, rtstruct, sc, seg, series, sr, waveform

__all__ = [
    "checking",
    "common",
    "elements",
    "ko",
    "pdf",
    "pr",
    "reg",
    "rtstruct",
    "sc",
    "seg",
    "series",
    "sr",
    "waveform",
]
