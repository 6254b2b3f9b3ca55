"""Export: what was found in the workstation as objects for the archive, for peers and as files."""

from radfuse.services.exporting.files import exported_file, exports_folder, forget_old, write_files
from radfuse.services.exporting.from_json import ask_of
from radfuse.services.exporting.making import Exported, make_export
from radfuse.services.exporting.model import ExportAsk
from radfuse.services.exporting.pictures import picture_asked
from radfuse.services.exporting.planning import Planned, plan

__all__ = [
    "ExportAsk",
    "Exported",
    "Planned",
    "ask_of",
    "exported_file",
    "exports_folder",
    "forget_old",
    "make_export",
    "picture_asked",
    "plan",
    "write_files",
]
