"""Radfuse's HTTP door alone: ``python -m benchmarks.dicomweb_server FOLDER PORT``."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from radfuse.archive import Archive, ArchiveSettings
from radfuse.dicom import Transcoder
from radfuse.web import WebSurroundings, create_app


def main(folder: str, port: str) -> None:
    """Serve until SIGTERM."""
    with Archive(ArchiveSettings(Path(folder))) as archive, Transcoder() as transcoder:
        app = create_app(WebSurroundings(archive, transcoder, "BENCH"))
        uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
