"""What reading a stranger's file may raise: known to those who load no archive, too."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from typing import Final

UNREADABLE: Final = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # an encrypted member, or a compression that zipfile does not know
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What reading a file or a member of a zip file may raise."""
