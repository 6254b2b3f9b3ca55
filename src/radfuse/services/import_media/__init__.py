"""Importing media: folders, files, zip files, images of discs and file-sets, each object through ``ingest``."""

from radfuse.services.import_media.importing import import_files, import_paths, import_stream, import_zip
from radfuse.services.import_media.journal import ImportJournal
from radfuse.services.import_media.model import (
    DEFAULT_LIMITS,
    Imported,
    ImportLimits,
    ImportReport,
    Verdict,
)
from radfuse.services.import_media.walking import FileCount, files_below
from radfuse.services.import_media.zips import BadZip, is_zip

__all__ = [
    "DEFAULT_LIMITS",
    "BadZip",
    "FileCount",
    "ImportJournal",
    "ImportLimits",
    "ImportReport",
    "Imported",
    "Verdict",
    "files_below",
    "import_files",
    "import_paths",
    "import_stream",
    "import_zip",
    "is_zip",
]
