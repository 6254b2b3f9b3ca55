"""The command that writes media: file-sets with a DICOMDIR as folders, disc images and zip files."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from radfuse.cli.console import progress, say, warn, write_object, write_table
from radfuse.cli.keys import as_row, level_of, question
from radfuse.cli.local import index_query
from radfuse.cli.many_options import taking
from radfuse.cli.options import (
    Data,
    Database,
    Json,
    Keys,
    LevelName,
    database_named,
    existing_data_folder,
    settings_of,
    wrong_use,
)
from radfuse.core.levels import Level

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.archive import Archive
    from radfuse.services.export_media import MediaAsk, MediaPlan, MediaReport

_MEGABYTE: Final = 1_000_000
_MAX_SHOWN: Final = 50
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?\Z", re.IGNORECASE)
_FACTORS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_INSTANCE: Final = "SOPInstanceUID"


def _size(text: str) -> int:
    found = _SIZE.match(text.strip())
    if not found:
        raise typer.BadParameter("give bytes, or a number with k, M or G: 700M")
    return int(float(found[1]) * _FACTORS[found[2].lower()])


@dataclass(frozen=True)
class ExportOptions:
    """What can be typed."""

    keys: Keys = None
    profile: Annotated[
        str,
        typer.Option("--profile", metavar="NAME", help="The application profile of PS3.11; docs/media.md lists them."),
    ] = "STD-GEN-CD"
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Write into this folder: new, empty, or a medium's root.")
    ] = None
    iso: Annotated[
        Path | None, typer.Option("--iso", metavar="FILE", help="Write a disc image; F.iso, or F-1.iso, F-2.iso, ….")
    ] = None
    zip_file: Annotated[
        Path | None, typer.Option("--zip", metavar="FILE", help="Write a zip file; several as with --iso.")
    ] = None
    update: Annotated[bool, typer.Option("--update", help="Add to the file-set in DIR, which Radfuse has written.")] = (
        False
    )
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be written, and write nothing.")] = False
    lossy: Annotated[
        bool, typer.Option("--lossy", help="Compress images with loss, where the profile is for that.")
    ] = False
    skip_refused: Annotated[
        bool, typer.Option("--skip-refused", help="Leave out what the profile refuses, instead of writing nothing.")
    ] = False
    medium_size: Annotated[
        str | None, typer.Option("--medium-size", metavar="BYTES", help="What fits on one medium: 700M, 4.7G.")
    ] = None
    file_set_id: Annotated[
        str, typer.Option("--id", metavar="ID", help="File-set ID: up to 16 of A-Z, 0-9, _ and space.")
    ] = ""
    level: Annotated[
        LevelName | None,
        typer.Option("--level", help="What KEY=VALUE names: patient, study, series or image; told from the keys."),
    ] = None
    database: Database = None
    data: Data = None
    as_json: Json = False


@taking(ExportOptions)
def export(options: ExportOptions) -> None:
    """Export studies, series or images to media: file-sets with a DICOMDIR (PS3.10, PS3.11).

    First comes the plan. What the profile forbids is converted without loss where that can be done, and
    otherwise refused before anything is written. A file-set appears whole or not at all, and nothing is
    ever overwritten. Exit code 1 when something was refused.
    """
    from radfuse.app import open_archive
    from radfuse.services.export_media import plan_export

    _check(options)
    settings = existing_data_folder(settings_of(options.data))
    database = database_named(settings, options.database)
    with open_archive(settings, database) as archive:
        ask = _ask(options, archive, database, settings)
        if ask is None:
            say("Nothing found.")
            raise typer.Exit(1)
        with wrong_use_of_profile(), progress("Planning", None, "objects") as advance:
            plan = plan_export(archive, ask, progress=advance)
        if not options.as_json:
            _say_plan(plan)
        if options.plan or (plan.refusals and not options.skip_refused) or not plan.volumes:
            _end_with_plan(plan, options)
        reports = _write(options, archive, plan, settings)
    if options.as_json:
        write_object({"plan": plan.as_json(), "reports": [report.as_json() for report in reports]})
    else:
        for report in reports:
            _say_report(report)
    if any(report.refused for report in reports):
        raise typer.Exit(1)


@contextlib.contextmanager
def wrong_use_of_profile() -> Iterator[None]:
    """A profile that is not known was typed wrongly."""
    from radfuse.core.errors import ConfigurationError

    try:
        yield
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from error


def _check(options: ExportOptions) -> None:
    if not options.keys:
        raise typer.BadParameter("say what to export, as StudyInstanceUID=… or PatientID=…; PatientID=* is everything")
    if not (options.to or options.iso or options.zip_file or options.plan):
        raise typer.BadParameter("say where to: --to DIR, --iso FILE or --zip FILE; or --plan to see what it will be")
    if options.update and (options.to is None or options.iso or options.zip_file):
        raise typer.BadParameter("--update adds to a folder: it goes with --to, and with neither --iso nor --zip")


# --- what is exported ------------------------------------------------------------------------


def _ask(options: ExportOptions, archive: Archive, database: str, settings: Settings) -> MediaAsk | None:
    from radfuse.services.export_media import MediaAsk

    chosen = _chosen(options, archive, database, settings)
    if chosen is None:
        return None
    medium_bytes = None if options.medium_size is None else _size(options.medium_size)
    with wrong_use():
        return MediaAsk(
            options.profile,
            with_loss=options.lossy,
            skip_refused=options.skip_refused,
            file_set_id=options.file_set_id,
            medium_bytes=medium_bytes,
            **chosen,
        )


def _chosen(options: ExportOptions, archive: Archive, database: str, settings: Settings) -> dict[str, Any] | None:
    """What the keys name, as MediaAsk takes it; None when that is nothing."""
    from radfuse.services import search
    from radfuse.services.selection import InstanceAddress, Selection, SeriesAddress

    level = _level(options)
    asked = question(options.keys, level)
    with wrong_use():
        query = index_query(asked.identifier, level)
    rows = [as_row(answer.elements) for answer in search.answers(archive, query, settings.ae_title)]
    if level is Level.IMAGE and not rows:
        return _objects_alone(options, archive)
    if not rows:
        return None
    uids = [tuple(str(row[key]) for key in _ADDRESS[level]) for row in rows]
    if level is Level.STUDY:
        return {"selection": Selection([study for (study,) in uids], database=database)}
    if level is Level.SERIES:
        return {"selection": Selection(series=[SeriesAddress(*each) for each in uids], database=database)}
    return {"selection": Selection(instances=[InstanceAddress(*each) for each in uids], database=database)}


_ADDRESS: Final = {
    Level.STUDY: ("StudyInstanceUID",),
    Level.SERIES: ("StudyInstanceUID", "SeriesInstanceUID"),
    Level.IMAGE: ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"),
}


def _level(options: ExportOptions) -> Level:
    """The level that was typed, or the deepest whose unique key was; else the study's."""
    try:
        level = level_of(options.keys, options.level)
    except typer.BadParameter:
        return Level.STUDY
    return max(level, Level.STUDY)  # whose keys name patients too


def _objects_alone(options: ExportOptions, archive: Archive) -> dict[str, Any] | None:
    """Objects that have no patient are found by their own UIDs only."""
    from radfuse.services.stored_objects import objects_named

    words = [word.partition("=") for word in options.keys or ()]
    uids = [uid for key, _, value in words if key.strip() == _INSTANCE for uid in value.split("\\")]
    found = objects_named(archive, uids)
    return {"objects": tuple(found)} if found else None


# --- writing ---------------------------------------------------------------------------------


def _write(options: ExportOptions, archive: Archive, plan: MediaPlan, settings: Settings) -> list[MediaReport]:
    from radfuse.dicom import Transcoder
    from radfuse.services.export_media import add_to_set, export_media, export_packed

    with (
        Transcoder(children=2) as transcoder,
        progress("Exporting", plan.size_bytes // _MEGABYTE, "MB") as advance,
    ):
        work: dict[str, Any] = {
            "progress": _in_megabytes(advance),
            "transcoder": transcoder,
            "institution": settings.media.institution,
        }
        if options.update and options.to is not None:
            return [add_to_set(archive, plan, options.to, **work)]
        reports = [export_media(archive, plan, options.to, **work)] if options.to is not None else []
        count = len(plan.volumes)
        if options.iso is not None:
            reports.append(export_packed(archive, plan, volume_files(options.iso, count), "iso", **work))
        if options.zip_file is not None:
            reports.append(export_packed(archive, plan, volume_files(options.zip_file, count), "zip", **work))
    return reports


def volume_files(file: Path, count: int) -> list[Path]:
    """The file itself, or one for each volume: F-1.iso, F-2.iso, …."""
    if count == 1:
        return [file]
    return [file.with_name(f"{file.stem}-{number}{file.suffix}") for number in range(1, count + 1)]


def _in_megabytes(advance: Callable[[int, int | None], None]) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        advance(done // _MEGABYTE, max(total, 1) // _MEGABYTE)

    return tell


# --- what people and programs see --------------------------------------------------------------


def _say_plan(plan: MediaPlan) -> None:
    facts = plan.as_json()
    size = _megabytes(plan.size_bytes)
    refused = f"; {plan.refused:,} refused" if plan.refused else ""
    counts = f"{_counted(facts['studies'], 'study', 'studies')}, {_counted(plan.objects, 'object', 'objects')}"
    say(f"{plan.ask.profile}: {counts}, about {size}{refused}")
    if len(plan.volumes) > 1:
        columns = ("Volume", "Studies", "Objects", "Size")
        rows = [
            {"Volume": each["number"], "Studies": each["studies"], "Objects": each["objects"], "Size": size_}
            for each in facts["volumes"]
            for size_ in (_megabytes(each["bytes"]),)
        ]
        write_table(rows, columns)
    for each in facts["conversions"]:
        say(f"converted: {each['objects']:,} from {each['from']} to {each['to']}")
    for sentence in plan.warnings:
        warn(sentence)
    for refusal in plan.refusals[:_MAX_SHOWN]:
        warn(f"refused: {refusal}")
    if len(plan.refusals) > _MAX_SHOWN:
        warn(f"and {len(plan.refusals) - _MAX_SHOWN} more; --json lists them all")


def _end_with_plan(plan: MediaPlan, options: ExportOptions) -> None:
    if options.as_json:
        write_object(plan.as_json())
    if options.plan:
        raise typer.Exit(1 if plan.refusals and not options.skip_refused else 0)
    if plan.volumes:
        warn("nothing was written; --skip-refused leaves out what is refused, or choose another --profile")
    else:
        warn("nothing was written: the profile refuses everything; choose another --profile")
    raise typer.Exit(1)


def _say_report(report: MediaReport) -> None:
    for volume in report.volumes:
        objects = _counted(volume.objects, "object", "objects")
        say(f"{volume.folder}: {volume.file_set_id}, {objects}, {_megabytes(volume.size_bytes)}")
        for note in volume.notes:
            warn(note)
    if report.already_there:
        say(f"{_counted(report.already_there, 'object was', 'objects were')} there already")
    if report.refused:
        for volume in report.volumes:
            for refusal in volume.refusals:
                warn(f"refused: {refusal}")
        warn(f"{_counted(report.refused, 'object was', 'objects were')} left out")


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / _MEGABYTE:,.1f} MB"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
