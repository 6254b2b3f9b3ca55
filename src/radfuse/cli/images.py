"""What the commands on images share: naming a series or files, a unit, repairs; and files that may be written."""

from __future__ import annotations

import contextlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from radfuse.cli.options import database_named, existing_data_folder, settings_of, wrong_use
from radfuse.core.errors import ConfigurationError
from radfuse.core.uids import is_valid_uid

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.archive import Archive
    from radfuse.volume import Unit

_SHORT_UNITS: Final = {"suvlbm": "SUVlbm(Janmahasatian)"}
"""What may be typed instead of the whole name: lean body mass by the formula of Janmahasatian."""


class RepairName(StrEnum):
    """A repair as it is typed."""

    GAPS = "gaps"
    VARIABLE = "variable"


StackNumber = Annotated[
    int | None, typer.Option("--stack", metavar="N", min=1, help="Which volume, where the images make several.")
]
Units = Annotated[
    str | None,
    typer.Option(
        "--units",
        metavar="UNIT",
        help="HU, SUVbw, SUVlbm (which is SUVlbm(Janmahasatian)), SUVlbm(James), SUVlbm(Morgan), SUVbsa, SUVibw, "
        "Bq/ml, Gy or stored; by default what the images are in.",
    ),
]
Repairs = Annotated[
    list[RepairName] | None,
    typer.Option("--repair", help="May be repaired: gaps (missing slices), variable (distances). Repeatable."),
]


def is_uid(words: list[str]) -> bool:
    """One word that is a UID, and no file of that name."""
    return len(words) == 1 and is_valid_uid(words[0]) and not Path(words[0]).exists()


def series_or_paths(words: list[str]) -> str | list[Path]:
    """The UID of a series of the archive, or files and folders."""
    return words[0] if is_uid(words) else [Path(word) for word in words]


def unit_named(name: str | None) -> Unit | None:
    """The unit that was typed; wrong use when there is none of that name."""
    from radfuse.volume import Unit

    if name is None:
        return None
    typed = _SHORT_UNITS.get(name.lower(), name).lower()
    for unit in Unit:
        if unit.value.lower() == typed:
            return unit
    raise typer.BadParameter(f"no unit {name!r}; there are {', '.join(Unit)}")


def repairs_named(names: list[RepairName] | None) -> frozenset[Any]:
    """The repairs that were allowed."""
    from radfuse.volume import Repair

    return frozenset(Repair(name.value) for name in names or ())


def require_new_image_file(to: Path) -> None:
    """Wrong use for a file that is no NIfTI or NRRD by its name, exists, or has no folder."""
    from radfuse.volume.image_files import SUFFIXES, is_image_file

    with wrong_use():
        if not is_image_file(to):
            raise ConfigurationError("--to", f"the name must end with {', '.join(SUFFIXES)}")
    require_new_file("--to", to)


def require_new_file(option: str, to: Path) -> None:
    """Wrong use for a file that exists, or has no folder: nothing is overwritten."""
    with wrong_use():
        if to.exists():
            raise ConfigurationError(option, f"{to} exists already")
        if not to.absolute().parent.is_dir():
            raise ConfigurationError(option, f"there is no folder {to.parent}")


def numbers_typed(text: str, *counts: int) -> list[float]:
    """Numbers with commas between them; wrong use when there are not as many as one of ``counts``."""
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in counts:
        needed = " or ".join(map(str, counts))
        raise typer.BadParameter(f"{text!r} is not {needed} numbers with commas between them")
    return numbers


def opened_archive(data: Path | None, database: str | None, opened: contextlib.ExitStack) -> tuple[Archive, Settings]:
    """The archive of a data folder, until ``opened`` closes, and its settings."""
    from radfuse.app import open_archive

    settings = existing_data_folder(settings_of(data))
    return opened.enter_context(open_archive(settings, database_named(settings, database))), settings
