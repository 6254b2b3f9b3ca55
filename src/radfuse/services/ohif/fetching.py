"""The package @ohif/app: from npm, from a file that npm made of it, or from a folder that it was unpacked into."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from radfuse.core.errors import ConfigurationError

VERSION: Final = "3.13.2"
"""The one that was tried with this version of Radfuse."""

_NAME: Final = "@ohif/app"
_SHA512: Final = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
_VERSION: Final = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}(-[0-9A-Za-z.]{1,40})?\Z")
_NPM_S: Final = 1800
_MOST_FILES: Final = 20_000
_MOST_BYTES: Final = 2 << 30
"""Unpacked: what is larger is not that package."""


def unpacked(source: Path | None, version: str, scratch: Path) -> Path:
    """The package's own folder: ``source`` where that is one already, else something new in ``scratch``.

    Raises ConfigurationError, with what to do.
    """
    if source is None:
        return _untarred(_from_npm(version, scratch), scratch)
    if source.is_dir():
        inner = source / "package"
        return inner if (inner / "package.json").is_file() else source
    if not source.is_file():
        raise ConfigurationError("--from", f"there is no file or folder {source}")
    return _untarred(source, scratch)


def version_of(package: Path) -> str:
    """The version that a package says it has. Raises ConfigurationError for what is not OHIF's package."""
    try:
        facts = json.loads((package / "package.json").read_bytes())
        name, version = facts["name"], facts["version"]
    except (OSError, ValueError, KeyError, TypeError):
        name = version = ""
    if name != _NAME or not isinstance(version, str) or not _VERSION.match(version):
        reason = f"{package} is not the package {_NAME}, with package.json, LICENSE and the folder dist in it"
        raise ConfigurationError("--from", reason)
    for needed in ("LICENSE", "dist/index.html"):
        if not (package / needed).is_file():
            raise ConfigurationError("--from", f"{package} has no {needed}: fetch the package {_NAME} again")
    return version


def _from_npm(version: str, scratch: Path) -> Path:
    if not _VERSION.match(version):
        raise ConfigurationError("--version", f"{version!r} is no version such as {VERSION}")
    npm = shutil.which("npm")
    if npm is None:
        other = f"run 'npm pack {_NAME}@{version}' on a machine that has it, and give its file with --from"
        raise ConfigurationError("npm", f"it fetches {_NAME} and is not installed: install Node.js, or {other}")
    command = [npm, "pack", "--silent", "--ignore-scripts", f"{_NAME}@{version}"]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=scratch, capture_output=True, text=True, timeout=_NPM_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigurationError("npm", f"it did not fetch {_NAME} within {_NPM_S // 60} minutes; try again") from error
    made = sorted(scratch.glob("*.tgz"))
    if done.returncode or len(made) != 1:
        said = " ".join(done.stderr.split())[-300:]
        raise ConfigurationError("npm", f"it could not fetch {_NAME}@{version}: {said or 'it did not say why'}")
    if version == VERSION and _digest(made[0]) != _SHA512:
        raise ConfigurationError(
            "npm", f"what it fetched is not {_NAME} {version} as it was published; nothing is kept"
        )
    return made[0]


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return base64.b64encode(hashlib.file_digest(opened, "sha512").digest()).decode("ascii")


def _untarred(archive: Path, scratch: Path) -> Path:
    into = scratch / "unpacked"
    try:
        with tarfile.open(archive, "r:*") as files:
            members = [each for each in files if each.isfile()]
            if len(members) > _MOST_FILES or sum(each.size for each in members) > _MOST_BYTES:
                raise ConfigurationError("--from", f"{archive.name} holds more than the package {_NAME}")
            # "data": nothing outside of the folder, no links that lead out, no devices, no rights of others.
            files.extractall(into, members=members, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, tarfile.TarError) and error.errno is not None:
            raise
        raise ConfigurationError("--from", f"{archive.name} is no package as 'npm pack' makes it") from error
    return into / "package"
