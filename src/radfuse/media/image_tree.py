"""A folder as it goes into a disc image: checked names, sizes and times, no links."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from radfuse.core.errors import CannotMakeImage

_NAME: Final = re.compile(r"[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?")
"""File names of ISO 9660 level 1 (ECMA-119 section 10.1); every other file system can hold them too."""


@dataclass(slots=True, eq=False)
class Leaf:
    """One file."""

    name: str
    path: str
    size_bytes: int
    modified_s: float


@dataclass(slots=True, eq=False)
class Branch:
    """One folder; ``names`` from the root down."""

    names: tuple[str, ...]
    modified_s: float
    branches: list[Branch] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)

    def walk(self) -> Iterator[Branch]:
        """This folder and all below it, parents first."""
        waiting = [self]
        while waiting:
            branch = waiting.pop(0)
            yield branch
            waiting += branch.branches


def tree_of(folder: Path, most_levels: int) -> Branch:
    """The folder with all that it holds, by name; a path has up to ``most_levels`` names.

    Raises CannotMakeImage, OSError.
    """
    root = Branch((), folder.stat().st_mtime)
    waiting = [(root, os.fspath(folder))]
    while waiting:
        branch, path = waiting.pop()
        with os.scandir(path) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        if found and len(branch.names) >= most_levels:
            raise CannotMakeImage(f"files lie deeper than {most_levels} levels: make the folder flatter")
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                child = Branch((*branch.names, entry.name), entry.stat().st_mtime)
                _check_folder(child)
                branch.branches.append(child)
                waiting.append((child, entry.path))
                continue
            if not entry.is_file(follow_symlinks=False):
                raise CannotMakeImage(f"{entry.name} is neither a file nor a folder: take it out of the folder")
            if not _NAME.fullmatch(entry.name):
                raise CannotMakeImage(_wrong_name(entry.name))
            facts = entry.stat()
            branch.leaves.append(Leaf(entry.name, entry.path, facts.st_size, facts.st_mtime))
    return root


def _check_folder(branch: Branch) -> None:
    if not _NAME.fullmatch(branch.names[-1]) or "." in branch.names[-1]:
        raise CannotMakeImage(_wrong_name(branch.names[-1]))


def _wrong_name(name: str) -> str:
    return f"{name!r} is no name for every medium: use up to 8 characters out of A-Z, 0-9 and _, and 3 behind a dot"
