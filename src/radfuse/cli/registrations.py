"""The commands of ``radfuse registrations``: which are kept, what one says, how to get from one series to another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radfuse.cli.carrying import carry
from radfuse.cli.console import say, warn, write_array, write_object, write_table
from radfuse.cli.images import opened_archive
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Database, Json, wrong_use
from radfuse.core.uids import checked_uid

if TYPE_CHECKING:
    from radfuse.archive.queries import SeriesPlace
    from radfuse.geometry import Chain
    from radfuse.services.registrations import KeptRegistration, NotRegistered, RegistrationPath, Step

app = typer.Typer(no_args_is_help=True, help="Registrations in the archive: list, show, find a path, carry along it.")

Study = Annotated[
    str | None,
    typer.Option("--study", metavar="UID", help="Those that are in this study, or join a frame of reference of it."),
]


@app.command("list")
def list_registrations(
    study: Study = None, database: Database = None, data: Data = None, as_json: Json = False
) -> None:
    """List the registration objects of the archive, each with its grade and what it joins."""
    from radfuse.services import registrations

    with wrong_use():
        wanted = None if study is None else checked_uid(study, "Study Instance UID")
    with contextlib.ExitStack() as opened:
        archive = opened_archive(data, database, opened)[0]
        if wanted is None:
            kept = registrations.kept_registrations(archive)
        else:
            kept = registrations.registrations_of_study(archive, wanted)
    if as_json:
        write_array(map(_facts, kept))
        return
    write_table(row for each in kept for row in _rows(each))
    for each in kept:
        for sentence in each.findings:
            warn(f"{each.sop_instance_uid}: {sentence}")


@app.command("show")
def show_registration(
    wanted: Annotated[str, typer.Argument(metavar="UID", help="The SOP Instance UID of a registration object.")],
    database: Database = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one registration: what it joins, how it came about, its grade, its matrices and fields.

    Exit code 1 when it cannot be used.
    """
    from radfuse.services import registrations

    with wrong_use():
        uid = checked_uid(wanted, "SOP Instance UID")
    with contextlib.ExitStack() as opened:
        archive = opened_archive(data, database, opened)[0]
        kept, transforms = registrations.registration_in_detail(archive, uid)
    if as_json:
        facts = _facts(kept)
        for link, transform in zip(facts["Links"], transforms, strict=True):
            link["Matrix"] = _matrix(transform)
        write_object(facts)
    else:
        write_table({"Fact": name, "Value": value} for name, value in _words(kept) if value)
        for link, transform in zip(kept.links, transforms, strict=True):
            say(f"from {link.fixed} to {link.moving}{f', {link.method}' if link.method else ''}:")
            for line in _lines(transform):
                say(f"  {line}")
        for sentence in kept.findings:
            warn(sentence)
    if not kept.links:
        raise typer.Exit(1)


@dataclass(frozen=True)
class PathOptions:
    """What can be typed."""

    fixed: Annotated[str, typer.Argument(metavar="FIXED", help="The Series Instance UID of the fixed series.")]
    moving: Annotated[str, typer.Argument(metavar="MOVING", help="The Series Instance UID of the moving series.")]
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="UID", help="Use this registration alone; may be given several times."),
    ] = None
    allow_failed: Annotated[
        bool, typer.Option("--allow-failed", help="Use registrations too that failed their report card.")
    ] = False
    allow_other_patient: Annotated[
        bool, typer.Option("--allow-other-patient", help="Also between series of two patients.")
    ] = False
    database: Database = None
    data: Data = None
    as_json: Json = False


@app.command("path")
@taking(PathOptions)
def find_path(options: PathOptions) -> None:
    """Show how to get from one series to another: the best path through the registrations of the archive.

    Exit code 1 when they are not registered.
    """
    from radfuse.services.registrations import NotRegistered, Wish, path

    with wrong_use():
        fixed, moving = (checked_uid(uid, "Series Instance UID") for uid in (options.fixed, options.moving))
        only = frozenset(checked_uid(uid, "SOP Instance UID") for uid in options.only or ())
    with contextlib.ExitStack() as opened:
        archive = opened_archive(options.data, options.database, opened)[0]
        answer = path(archive, fixed, moving, Wish(options.allow_failed, options.allow_other_patient, only))
    if options.as_json:
        write_object(_answer(answer))
    else:
        _say(answer)
    if isinstance(answer, NotRegistered):
        raise typer.Exit(1)


app.command("carry")(carry)


# --- one registration ------------------------------------------------------------------------


def _facts(kept: KeptRegistration) -> dict[str, Any]:
    return {
        "SOPInstanceUID": kept.sop_instance_uid,
        "SOPClassUID": kept.stored.sop_class_uid,
        "StudyInstanceUID": kept.study_instance_uid,
        "SeriesInstanceUID": kept.series_instance_uid,
        "FrameOfReferenceUID": kept.fixed,
        "ContentLabel": kept.label,
        "ContentDescription": kept.description,
        "ContentCreatorName": kept.creator,
        "ContentDateTime": kept.date,
        "Equipment": list(kept.equipment),
        "Grade": kept.grading.grade.value,
        "GradeReason": kept.grading.reason,
        "ReportCard": kept.grading.report,
        "Links": [
            {
                "Fixed": link.fixed,
                "Moving": link.moving,
                "Deformable": link.is_deformable,
                "Method": link.method,
                "Series": None if link.series is None else sorted(link.series),
            }
            for link in kept.links
        ],
        "Findings": list(kept.findings),
    }


def _rows(kept: KeptRegistration) -> Iterator[dict[str, object]]:
    """A row for each link; one for an object without any."""
    about = {"SOPInstanceUID": kept.sop_instance_uid, "Date": kept.date, "Label": kept.label}
    about["Grade"] = kept.grading.grade.value
    for link in kept.links:
        kind = "deformable" if link.is_deformable else "matrix"
        yield {**about, "Kind": kind, "Fixed": link.fixed, "Moving": link.moving}
    if not kept.links:
        yield {**about, "Kind": "not used", "Fixed": kept.fixed, "Moving": ""}


def _words(kept: KeptRegistration) -> Iterator[tuple[str, str]]:
    yield "Object", kept.sop_instance_uid
    yield "Label", kept.label
    yield "Description", kept.description
    yield "Made", kept.date
    yield "By", kept.creator
    yield "With", ", ".join(kept.equipment)
    yield "Fixed frame", kept.fixed
    yield "Grade", ", ".join(filter(None, (kept.grading.grade.value, kept.grading.reason)))
    yield "Report card", kept.grading.report


def _matrix(transform: Chain) -> list[float] | None:
    """The 16 numbers by rows, from the fixed to the moving frame; None for a deformation."""
    return [float(one) for one in transform.affine().matrix.ravel()] if transform.is_affine else None


def _lines(transform: Chain) -> Iterator[str]:
    from radfuse.geometry import Affine, DisplacementField

    for step in transform.steps:
        if isinstance(step, Affine):
            yield from (" ".join(f"{one:12.6f}" for one in row) for row in step.matrix[:3])
        elif isinstance(step, DisplacementField):
            size = " x ".join(str(one) for one in reversed(step.grid.shape))
            spacing = " x ".join(f"{one:g}" for one in step.grid.spacing_mm)
            yield f"a displacement field of {size} points, {spacing} mm apart"


# --- a path ----------------------------------------------------------------------------------


def _answer(answer: RegistrationPath | NotRegistered) -> dict[str, Any]:
    from radfuse.services.registrations import RegistrationPath

    facts: dict[str, Any] = {"Fixed": _place(answer.fixed), "Moving": _place(answer.moving)}
    if not isinstance(answer, RegistrationPath):
        return {**facts, "Registered": False, "Reason": answer.sentence, "Warnings": list(answer.warnings)}
    return {
        **facts,
        "Registered": True,
        "Reason": answer.reason,
        "Grade": answer.grade.value,
        "Deformable": answer.is_deformable,
        "OtherPatient": answer.is_other_patient,
        "Steps": [_step(step) for step in answer.steps],
        "Matrix": _matrix(answer.chain),
        "Contradictions": [
            {"DifferenceMm": round(other.difference_mm, 3), "Steps": [_step(step) for step in other.steps]}
            for other in answer.contradictions
        ],
        "Warnings": list(answer.warnings),
    }


def _place(series: SeriesPlace) -> dict[str, str]:
    return {
        "SeriesInstanceUID": series.series_instance_uid,
        "StudyInstanceUID": series.study_instance_uid,
        "Modality": series.modality,
        "FrameOfReferenceUID": series.frame_of_reference_uid,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "Registration": step.link.registration,
        "Direction": "forward" if step.is_forward else "backward",
        "From": step.start,
        "To": step.end,
        "Deformable": step.link.is_deformable,
        "Grade": step.link.grade.value,
    }


def _say(answer: RegistrationPath | NotRegistered) -> None:
    from radfuse.services.registrations import RegistrationPath

    if not isinstance(answer, RegistrationPath):
        warn(answer.sentence)
    else:
        say(f"{answer.fixed.modality} and {answer.moving.modality}: {answer.reason}")
        write_table({name: str(value) for name, value in _step(step).items()} for step in answer.steps)
        if answer.steps and not answer.is_deformable:
            say("From points of the fixed frame of reference to the moving one, mm:")
            for line in _lines(answer.chain):
                say(f"  {line}")
        for other in answer.contradictions:
            warn(other.sentence)
    for sentence in answer.warnings:
        warn(sentence)
