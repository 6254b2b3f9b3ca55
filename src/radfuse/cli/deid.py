"""Commands about anonymizing: judging, a preview, keys, and what a pseudonym stands for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.anonymize_options import Clean, KeyFile, PresetName, Retain
from radfuse.cli.console import progress, say, warn, write_object, write_rows, write_table
from radfuse.cli.options import Data, Json, settings_of, wrong_use

if TYPE_CHECKING:
    from radfuse.services.anonymize_verify import Judged, Judgement

app = typer.Typer(
    help="About anonymizing: verify, preview, keys, going back.", no_args_is_help=True, rich_markup_mode=None
)
key_app = typer.Typer(help="The project keys: new, list.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(key_app, name="key")

_FINDINGS: Final = ("Severity", "Element", "Finding", "File")
_MOST_FINDINGS: Final = 200
_PREVIEWED: Final = ("Element", "Became", "Before", "After")
_ORIGINALS: Final = ("Attribute", "Pseudonym", "Original")


@key_app.command("new")
def new_key(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A name in the data folder, or a file: a path with a / in it.")
    ],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a random project key that only its owner can read. There must be none of this name."""
    from radfuse.services.project_keys import Keys, new_key_file

    with wrong_use():
        path = new_key_file(Path(name)) if "/" in name else Keys(settings_of(data).data).new(name)
    if as_json:
        write_object({"File": str(path)})
    else:
        say(f"{path} is made. Whoever has it can find out a known patient's pseudonym: guard it, and keep a copy.")


@key_app.command("list")
def list_keys(data: Data = None, as_json: Json = False) -> None:
    """List the keys of the data folder."""
    from radfuse.services.project_keys import Keys

    rows = [{"Name": name} for name in Keys(settings_of(data).data).names()]
    if not write_rows(rows, ("Name",), as_json=as_json) and not as_json:
        say("There are no keys. Make one with: radfuse deid key new NAME")


@app.command("preview")
def preview_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A DICOM file.")],
    key_file: KeyFile = None,
    retain: Retain = None,
    clean: Clean = None,
    preset: PresetName = None,
    every: Annotated[bool, typer.Option("--all", help="Show what stays as it is too.")] = False,
    as_json: Json = False,
) -> None:
    """Show what would become of one object, before and after. Nothing is written; the answer names the patient."""
    from radfuse.deid import ProjectKey
    from radfuse.services.anonymize import Recipe, profile_of
    from radfuse.services.anonymize_preview import preview
    from radfuse.services.project_keys import key_of_file

    with wrong_use():
        profile = profile_of([each.value for each in (*(retain or ()), *(clean or ()))], preset.value if preset else "")
        key = key_of_file(key_file) if key_file else ProjectKey.new()
    made = preview(file.read_bytes(), Recipe(profile, key))
    rows = [
        {"Element": row.path, "Became": row.became, "Before": row.before, "After": row.after}
        for row in made.rows
        if every or row.became != "kept"
    ]
    write_rows(rows, _PREVIEWED, as_json=as_json)


@app.command()
def original(
    pseudonym: Annotated[str, typer.Argument(metavar="PSEUDONYM", help="A patient's pseudonym, or a UID.")],
    vault: Annotated[Path, typer.Option("--vault", metavar="FILE", help="The vault that 'anonymize --vault' wrote.")],
    as_json: Json = False,
) -> None:
    """Show what a pseudonym stands for. Exit code 1 when the vault does not know it."""
    from radfuse.deid import Vault

    with wrong_use():
        opened = Vault(vault, must_exist=True)
    with opened:
        rows = [
            {"Attribute": each.kind, "Pseudonym": each.pseudonym, "Original": each.original}
            for each in opened.originals_of(pseudonym)
        ]
    if not write_rows(rows, _ORIGINALS, as_json=as_json):
        if not as_json:
            say("The vault does not know it.")
        raise typer.Exit(1)


@app.command()
def verify(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Folders, DICOM files and zip files.")],
    known: Annotated[
        Path | None,
        typer.Option("--known", metavar="FILE", help="Names, numbers, dates and UIDs, one a line: none may be there."),
    ] = None,
    originals: Annotated[
        list[Path] | None,
        typer.Option(
            "--originals", metavar="DIR", help="The originals: none of their identifying values may be there."
        ),
    ] = None,
    retain: Retain = None,
    clean: Clean = None,
    preset: PresetName = None,
    as_json: Json = False,
) -> None:
    """Judge anonymized objects against the profile, whoever made them. Exit code 1 when something is wrong.

    Without --retain, --clean and --preset each object is judged by the options that it says it was made with.
    """
    from radfuse.services.anonymize import profile_of
    from radfuse.services.anonymize_verify import verify_files
    from radfuse.services.import_media import files_below

    names = [each.value for each in (*(retain or ()), *(clean or ()))]
    with wrong_use():
        profile = profile_of(names, preset.value if preset else "") if names or preset else None
    lines = known.read_text(encoding="utf-8").splitlines() if known else ()
    files = files_below(paths)
    found: list[Judged] = []
    with progress("Judging", len(files), "files") as advance:
        for judged in verify_files(files, profile, lines, files_below(originals or ())):
            found.append(judged)
            advance(len(found), max(len(found), len(files)))
    if _say_judged(found, as_json):
        raise typer.Exit(1)


def _say_judged(found: list[Judged], as_json: bool) -> bool:
    """Say it; whether something is wrong."""
    objects = [each for each in found if each.is_dicom]
    wrong = [each for each in objects if any(finding.is_wrong for finding in each.findings)]
    doubtful = [each for each in objects if each.findings and not any(finding.is_wrong for finding in each.findings)]
    rows = [_finding(finding) for each in objects for finding in each.findings]
    if as_json:
        counts = {"Judged": len(objects), "Wrong": len(wrong), "Doubtful": len(doubtful)}
        write_object({**counts, "NotDicom": len(found) - len(objects), "Findings": rows})
    else:
        write_table(rows[:_MOST_FINDINGS], _FINDINGS)
        if len(rows) > _MOST_FINDINGS:
            warn(f"and {len(rows) - _MOST_FINDINGS} more findings; --json lists them all")
        say(f"{len(objects)} objects judged: {len(wrong)} wrong, {len(doubtful)} doubtful")
    return bool(wrong)


def _finding(each: Judgement) -> dict[str, object]:
    severity = "wrong" if each.is_wrong else "doubtful"
    return {"Severity": severity, "Element": each.where, "Finding": each.what, "File": each.name}
