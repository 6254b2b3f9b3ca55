"""A new folder that appears whole under its name, or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from radfuse.core.errors import AlreadyThere, InUse, OutOfSpace

DIRECTORY: Final = "DICOMDIR"
_OURS: Final = re.compile(r"(DICOM|DICOMDIR|README\.TXT|INDEX\.HTM|SHA256\.TXT|VOLUME[0-9]+|\.[A-Z0-9.]+\.part)\Z")
"""What an export that was killed leaves in its part: nothing else is ever removed."""
_TAKEN: Final = frozenset((errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR))
_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT))
_IN_MOUNT: Final = ".radfuse.part"
_BEING_WRITTEN: Final = "another export is writing it; try again when it has ended"


@contextlib.contextmanager
def new_folder(to: Path) -> Iterator[Path]:
    """A folder to write into, which becomes ``to`` in one step at the end; gone after an error.

    What is written must be durable then (``VolumeSync``).

    ``to`` may be an empty folder, or the root of a mounted medium: that one keeps what it holds, and the
    DICOMDIR comes last, so that there is no file-set before it is whole. Raises AlreadyThere for what is
    there, InUse while somebody else writes it, OutOfSpace, OSError.
    """
    to = Path(os.path.abspath(to))
    is_mount = to.is_dir() and os.path.ismount(to)
    _require_free(to, is_mount)
    part = to / _IN_MOUNT if is_mount else to.with_name(f".{to.name}.part")
    with full_as_error(), _locked(to, part):
        try:
            yield part
            if is_mount:
                _move_into(part, to)
            else:
                _rename(part, to)
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def full_as_error() -> Iterator[None]:
    """Raises OutOfSpace for the operating system's word for it."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutOfSpace("the medium") from error
        raise


@contextlib.contextmanager
def folder_lock(folder: Path, name: Path) -> Iterator[None]:
    """Hold a folder that is there. Raises InUse, which says ``name``, when somebody else does, or it has just gone."""
    try:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise InUse(str(name), _BEING_WRITTEN) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(str(name), _BEING_WRITTEN) from error
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EINVAL):
                raise  # otherwise a file system that knows no locks
        if not _is_still(file, folder):
            raise InUse(str(name), _BEING_WRITTEN)
        yield
    finally:
        os.close(file)


def _is_still(file: int, folder: Path) -> bool:
    """Whether what was locked has its name yet: whoever held it before may have renamed or removed it."""
    try:
        return os.path.samestat(os.fstat(file), os.stat(folder))
    except FileNotFoundError:
        return False


def require_no_link(path: Path) -> None:
    """Raises AlreadyThere for a link: what is written or removed by its name would be somewhere else."""
    if path.is_symlink():
        raise AlreadyThere(str(path))


class VolumeSync:
    """Makes everything durable that was written to the volume of a folder since this was made, names too.

    One call for all files costs one commit of the file system instead of one for each: several times faster.
    """

    def __init__(self, folder: Path) -> None:
        """Watch the volume: the operating system tells of errors since now."""
        self._file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> VolumeSync:
        """Use as a context manager."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Stop watching."""
        os.close(self._file)

    def __call__(self) -> None:
        """Wait until it is on stable storage. Raises OSError for what could not be written."""
        if ctypes.CDLL(None, use_errno=True).syncfs(self._file) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))


def sync(path: Path | str) -> None:
    """Make a folder's names or a file's bytes durable."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _require_free(to: Path, is_mount: bool) -> None:
    if is_mount:
        if os.path.lexists(to / DIRECTORY) or os.path.lexists(to / "DICOM"):
            raise AlreadyThere(f"a file-set in {to}")
        for name in filter(_OURS.match, os.listdir(to)):
            if name != _IN_MOUNT:
                raise AlreadyThere(f"{name} in {to}")
    elif to.is_symlink() or (to.exists() and (not to.is_dir() or any(to.iterdir()))):
        raise AlreadyThere(str(to))


@contextlib.contextmanager
def _locked(to: Path, part: Path) -> Iterator[None]:
    """The part, new and empty, for this process alone. One that a killed process left behind is emptied."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        part.mkdir()
    require_no_link(part)
    with folder_lock(part, to):
        _require_free(to, part.parent == to)  # somebody may have ended just now
        left = sorted(part.iterdir())
        if not all(_OURS.match(each.name) for each in left):
            raise AlreadyThere(str(part))
        for each in left:
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
        yield


def _rename(part: Path, to: Path) -> None:
    try:
        part.rename(to)  # an empty folder gives way, nothing else does
    except OSError as error:
        if error.errno in _TAKEN:
            raise AlreadyThere(str(to)) from error
        raise
    sync(to.parent)


def _move_into(part: Path, to: Path) -> None:
    """Move everything, the DICOMDIR last; what was moved goes again when something is in its place."""
    moved: list[Path] = []
    try:
        for each in sorted(part.iterdir(), key=lambda path: path.name == DIRECTORY):
            if each.name == DIRECTORY:
                sync(to)
            if os.path.lexists(to / each.name):
                raise AlreadyThere(f"{each.name} in {to}")
            each.rename(to / each.name)
            moved.append(to / each.name)
        sync(to)
    except BaseException:
        for each in reversed(moved):
            shutil.rmtree(each, ignore_errors=True) if each.is_dir() else each.unlink(missing_ok=True)
        raise
