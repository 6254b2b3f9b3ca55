"""Putting the viewer into the data folder, whole or not at all, told under which path it is served."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from radfuse.core.errors import ConfigurationError
from radfuse.services.ohif.fetching import VERSION, unpacked, version_of
from radfuse.services.ohif.installed import BASE, FILES, FOLDER, LICENSE, LIST, Installed, installed

_INDEX: Final = "index.html"
_NOT_OURS: Final = frozenset(
    (
        "app-config.js",  # the service makes it
        "_headers",
        "_redirects",
        "serve.json",
        "sw.js",  # would fetch scripts from elsewhere
        "google.js",
        "oidc-client.min.js",
        "silent-refresh.html",
    )
)
"""What the published build has for other ways of serving it."""

_LEFT_OUT: Final = ("ort",)
"""136 MB of a runtime for networks whose weights would be fetched from elsewhere."""

_TEXTS: Final = frozenset((".css", ".html", ".js", ".json", ".jsonc", ".mjs", ".svg", ".xml", ".webapp"))
_COMPRESSED: Final = _TEXTS | {".wasm"}
_PUBLIC_PATH: Final = re.compile(rb"(__webpack_require__\.p\s*=\s*)\"/\"")
_IN_PAGE: Final = re.compile(rb"((?:href|src|content)=\"|PUBLIC_URL\s*=\s*\")/(?!/)")
_IN_STYLE: Final = re.compile(rb"(url\(\s*[\"']?)/(?!/)")
_IN_LIST: Final = re.compile(rb"(\"src\"\s*:\s*\")/(?!/)")
_SCRIPT: Final = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_LEAST_BYTES: Final = 1024


def install(data: Path, source: Path | None = None, version: str = VERSION) -> Installed:
    """Install the viewer in place of one that may be there; ``source`` None: npm fetches that version.

    Raises ConfigurationError with what to do, and OSError; what was there stays then.
    """
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{FOLDER}-", dir=data) as scratch:
        package = unpacked(source, version, Path(scratch))
        found = version_of(package)
        made = Path(scratch) / "made"
        _make(package, found, made)
        _exchange(data, made, Path(scratch))
    done = installed(data)
    if done is None:
        raise ConfigurationError(FOLDER, "somebody else changed it meanwhile; install it again")
    return done


def remove(data: Path) -> bool:
    """Remove the viewer; whether there was one."""
    folder = data / FOLDER
    if not folder.exists():
        return False
    with tempfile.TemporaryDirectory(prefix=f".{FOLDER}-", dir=data) as scratch:
        folder.rename(Path(scratch) / "old")
    return True


def _exchange(data: Path, made: Path, scratch: Path) -> None:
    folder = data / FOLDER
    if folder.exists():
        folder.rename(scratch / "old")
    made.rename(folder)


def _make(package: Path, version: str, made: Path) -> None:
    dist, target = package / "dist", made / FILES
    listed: dict[str, tuple[str, bool]] = {}
    scripts: list[str] = []
    moved = 0
    for name in _names(dist):
        content = (dist / name).read_bytes()
        if name.endswith((".js", ".mjs")):
            content, found = _PUBLIC_PATH.subn(_to_base, content)
            moved += found
        elif name == _INDEX:
            content = _IN_PAGE.sub(_to_base_path, content)
            scripts = [_digest(found[1]) for found in _SCRIPT.finditer(content) if found[1].strip()]
        elif name.endswith(".css"):
            content = _IN_STYLE.sub(_to_base_path, content)
        elif name == "manifest.json":
            content = _IN_LIST.sub(_to_base_path, content)
        listed[name] = (hashlib.blake2s(content, digest_size=12).hexdigest(), _write(target / name, content))
    if not moved:
        reason = f"version {version} cannot be told that it is served under {BASE}; install {VERSION}"
        raise ConfigurationError("--version", reason)
    shutil.copyfile(package / "LICENSE", made / LICENSE)
    facts = {"version": version, "scripts": scripts, "files": listed}
    (made / LIST).write_text(json.dumps(facts), encoding="utf-8")


def _names(dist: Path) -> Iterator[str]:
    """What is served, by names relative to the build; links are not followed."""
    for path in sorted(dist.rglob("*")):
        name = path.relative_to(dist).as_posix()
        first = PurePosixPath(name).parts[0]
        if not path.is_file() or path.is_symlink() or name in _NOT_OURS or first in _LEFT_OUT:
            continue
        if not (name.endswith((".map", ".gz")) or "/." in f"/{name}"):
            yield name


def _write(path: Path, content: bytes) -> bool:
    """Write a file, and smaller beside it where that is worth it; whether it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if path.suffix not in _COMPRESSED or len(content) < _LEAST_BYTES:
        return False
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 6, mtime=0))
    return True


def _to_base(found: re.Match[bytes]) -> bytes:
    return found[1] + b'"' + BASE.encode("ascii") + b'"'


def _to_base_path(found: re.Match[bytes]) -> bytes:
    return found[1] + BASE.encode("ascii")


def _digest(script: bytes) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode('ascii')}"
