"""File-sets as one file each: zip files, and images of discs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from radfuse.core.errors import AlreadyThere
from radfuse.services.export_media.placing import folder_lock, full_as_error, require_no_link, sync

_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)
_CHUNK_BYTES: Final = 1 << 20
_FILE_MODE: Final = 0o100644 << 16
_LINKS: Final = (".1", ".2")
_OURS: Final = re.compile(r"(file|set|\.[12]|\.[0-9a-f]{16}\.part)\Z")
"""What a process that was killed leaves where it worked, an unfinished disc image too: nothing else is ever removed."""


def write_zip(folder: Path, to: Path, tell: Callable[[int], None]) -> None:
    """All files below a folder as a zip file, not compressed: images hardly get smaller.

    ``tell``: how many bytes were written, again and again.
    """
    done = 0
    with zipfile.ZipFile(to, "w", zipfile.ZIP_STORED) as file:
        for path in files_of(folder):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _NO_DATE)
            info.external_attr = _FILE_MODE
            with path.open("rb") as source, file.open(info, "w", force_zip64=True) as target:
                while chunk := source.read(_CHUNK_BYTES):
                    target.write(chunk)
                    done += len(chunk)
                    tell(done)


@contextlib.contextmanager
def new_file(to: Path) -> Iterator[tuple[Path, Path]]:
    """A path to write a file at, which becomes ``to`` at the end, durably, and a path for a folder to work in.

    Both are gone after an error; what a killed process left gives way. Raises AlreadyThere, InUse while somebody
    else writes it, OutOfSpace.
    """
    to = Path(os.path.abspath(to))
    to.parent.mkdir(parents=True, exist_ok=True)
    held = to.with_name(f".{to.name}.part")
    part, work = held / "file", held / "set"
    if not os.path.lexists(to):
        with contextlib.suppress(FileExistsError):
            held.mkdir()
    if os.path.lexists(to):
        raise AlreadyThere(str(to))
    require_no_link(held)
    with full_as_error(), folder_lock(held, to):
        _empty(held)
        try:
            yield part, work
            sync(part)
            _name(part, to)
        finally:
            _empty(held)
            held.rmdir()


def _name(part: Path, to: Path) -> None:
    """Give the file its name, which nothing else has."""
    try:
        if _has_links(part.parent):
            os.link(part, to)
        else:
            part.rename(to)
    except FileExistsError as error:
        raise AlreadyThere(str(to)) from error
    sync(to.parent)


def _empty(held: Path) -> None:
    """Remove what an export leaves. Raises AlreadyThere, and removes nothing, where there is something else."""
    left = list(held.iterdir())
    if not all(_OURS.match(each.name) for each in left):
        raise AlreadyThere(str(held))
    for each in left:
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink(missing_ok=True)


def files_of(folder: Path) -> Iterator[Path]:
    """Every file below a folder, by name."""
    for path, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(path, name) for name in sorted(names))


def _has_links(folder: Path) -> bool:
    """Whether a file of this volume can have two names: then none is ever replaced, whoever is faster."""
    one, other = (folder / name for name in _LINKS)
    try:
        one.touch()
        os.link(one, other)
    except OSError:
        return False
    finally:
        one.unlink(missing_ok=True)
        other.unlink(missing_ok=True)
    return True
