"""DICOM objects of what somebody made in the workstation: regions, numbers, lines, views, pictures."""

from radfuse.services.workspace_objects.captures import bookmark_picture
from radfuse.services.workspace_objects.images import Images
from radfuse.services.workspace_objects.model import (
    Look,
    SavedBookmark,
    SavedLine,
    SavedRegion,
    Scene,
    SegmentOfRegion,
)
from radfuse.services.workspace_objects.report import report_of
from radfuse.services.workspace_objects.segmentations import MadeSegmentation, segmentation_of
from radfuse.services.workspace_objects.states import bookmark_state, fused_state

__all__ = [
    "Images",
    "Look",
    "MadeSegmentation",
    "SavedBookmark",
    "SavedLine",
    "SavedRegion",
    "Scene",
    "SegmentOfRegion",
    "bookmark_picture",
    "bookmark_state",
    "fused_state",
    "report_of",
    "segmentation_of",
]
