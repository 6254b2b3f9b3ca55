"""A few files in the form of OHIF's published package: what Radfuse changes and leaves out of it, without its 50 MB."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

INLINE = b'window.PUBLIC_URL="/"'
CHUNK = b'var __webpack_require__ = {};\n__webpack_require__.p = "/";\nvar p = "/dicom-web";\n' + b"// padding\n" * 200
FILES = {
    "LICENSE": b"MIT License",
    "dist/index.html": b'<!doctype html><meta content="/assets/tile.png"><script>' + INLINE + b"</script>"
    b'<link rel="icon" href="/assets/favicon.ico"><script src="/app-config.js"></script>'
    b'<script defer src="/app.bundle.0f6159c501addfe9.js"></script><a href="//elsewhere">x</a>',
    "dist/app.bundle.0f6159c501addfe9.js": CHUNK,
    "dist/app.bundle.0f6159c501addfe9.js.map": b"{}",
    "dist/app.bundle.css": b"@font-face{src:url(/a34f9d1faa5f3315.woff2)}a{background:url(data:x)}",
    "dist/a34f9d1faa5f3315.woff2": b"font",
    "dist/0ddf166f7a343eda.wasm": b"\0asm" + b"\0" * 2000,
    "dist/manifest.json": b'{"icons": [{"src": "/assets/icon.png"}]}',
    "dist/assets/favicon.ico": b"icon",
    "dist/app-config.js": b"window.config = {dataSources: 'elsewhere'};",
    "dist/sw.js": b"importScripts('https://elsewhere');",
    "dist/ort/ort.js": b"large",
    "dist/.hidden": b"hidden",
}


def write_package(folder: Path, changes: Mapping[str, bytes | None] = MappingProxyType({})) -> Path:
    """The package as a folder; ``changes`` replace files, None leaves one out."""
    facts = {"name": "@ohif/app", "version": "3.13.2", "license": "MIT"}
    files = {"package.json": json.dumps(facts).encode()} | FILES | dict(changes)
    for name, content in files.items():
        if content is not None:
            path = folder / "package" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder / "package"


def write_archive(folder: Path, package: Path) -> Path:
    """The same as npm packs it."""
    path = folder / "ohif-app.tgz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(package, "package")
    return path
