"""Options and arguments that several commands share, and what they stand for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.core.errors import ConfigurationError, RadfuseError
from radfuse.core.levels import Level

if TYPE_CHECKING:
    from radfuse.app import Settings


class LevelName(StrEnum):
    """A level as it is typed."""

    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"
    IMAGE = "image"

    @property
    def level(self) -> Level:
        """The level itself."""
        return Level[self.name]


class ModelName(StrEnum):
    """An information model as it is typed."""

    STUDY = "study"
    PATIENT = "patient"


Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", envvar="RADFUSE_DATA", show_default=False, help="The data folder (./radfuse-data)."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write the answer as JSON.")]
From = Annotated[
    str | None, typer.Option("--from", metavar="AET", help="Our AE title for this command, not that of the settings.")
]
Database = Annotated[
    str | None,
    typer.Option("--database", metavar="NAME", help="The database of the settings to work on, not the default one."),
]
AtPeer = Annotated[
    str, typer.Option("--at", metavar="PEER", help="The peer to ask: a configured name or AET@HOST:PORT.")
]
AtLevel = Annotated[LevelName, typer.Option("--level", help="What to look for: patient, study, series or image.")]
Model = Annotated[
    ModelName | None,
    typer.Option("--model", help="Information model: study root, or patient root (which level patient needs)."),
]
Keys = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE",
        show_default=False,
        help="What to match: a DICOM keyword or gggg,eeee and a value; a KEY alone is shown in the answer.",
    ),
]
PeerName = Annotated[str, typer.Argument(metavar="PEER", help="A configured name or AET@HOST:PORT.")]


@contextlib.contextmanager
def wrong_use() -> Iterator[None]:
    """Errors inside come from what was typed: exit code 2."""
    try:
        yield
    except RadfuseError as error:
        raise typer.BadParameter(str(error)) from error


def settings_of(data: Path | None) -> Settings:
    """The settings of the data folder."""
    from radfuse.app import load_settings

    return load_settings(data)


def settings_with(data: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings of the data folder, overridden by options in the form of environment variables."""
    plain = settings_of(data)
    if not environment:
        return plain
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        with wrong_use():
            return settings_of(data)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def database_named(settings: Settings, name: str | None) -> str:
    """The name of a database that the settings know; another one is wrong use."""
    known = databases_of(settings)
    if name is None:
        return known[0]
    if name not in known:
        raise typer.BadParameter(f"no database {name!r}; the settings know {', '.join(known)}")
    return name


def databases_of(settings: Settings) -> list[str]:
    """The names of all databases, the default one first."""
    return list(dict.fromkeys(settings.database_names().values()))


def existing_data_folder(settings: Settings) -> Settings:
    """The same settings; ConfigurationError when their data folder is not there."""
    if not settings.data.is_dir():
        reason = "there is no such data folder; name one with --data, or make one with 'radfuse import' or 'serve'"
        raise ConfigurationError(str(settings.data), reason)
    return settings
