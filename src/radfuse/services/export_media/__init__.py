"""Export to media: a plan first, then file-sets with a DICOMDIR, whole or not at all, and their update."""

from radfuse.services.export_media.asking import MediaAsk
from radfuse.services.export_media.exporting import export_media, export_packed, written_before
from radfuse.services.export_media.model import MediaPlan, MediaReport
from radfuse.services.export_media.planning import plan_export
from radfuse.services.export_media.updating import add_to_set

__all__ = [
    "MediaAsk",
    "MediaPlan",
    "MediaReport",
    "add_to_set",
    "export_media",
    "export_packed",
    "plan_export",
    "written_before",
]
