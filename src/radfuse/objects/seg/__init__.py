"""Segmentations: regions as voxels (PS3.3 section A.51)."""

from radfuse.objects.seg.build import Content, NewSegment, build_segmentation
from radfuse.objects.seg.model import SegmentationKind, SegmentFacts
from radfuse.objects.seg.read import Segmentation, read_segmentation

__all__ = [
    "Content",
    "NewSegment",
    "SegmentFacts",
    "Segmentation",
    "SegmentationKind",
    "build_segmentation",
    "read_segmentation",
]
