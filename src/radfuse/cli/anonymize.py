"""The command that anonymizes: files, or studies and series of the own archive, into a folder, a database or a peer."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from radfuse.cli.anonymize_options import (
    AsMedia,
    Clean,
    Cleaned,
    Into,
    KeyFile,
    KeyName,
    Paths,
    PixelRules,
    PixelsAreClean,
    PresetName,
    Processes,
    ReadText,
    ReplaceDocuments,
    ReportFile,
    Retain,
    SeriesUIDs,
    Studies,
    ToFolder,
    ToPeer,
    VaultFile,
)
from radfuse.cli.asking import peer_named
from radfuse.cli.cancelling import ctrl_c_cancels
from radfuse.cli.console import progress, say, warn, write_object
from radfuse.cli.contexts import context_list_named
from radfuse.cli.failures import talking_to
from radfuse.cli.following import follow
from radfuse.cli.jobs import advice, facts, instance_facts, sentence
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Database, Json, database_named, existing_data_folder, settings_of, wrong_use

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.archive import Archive, StoredObject
    from radfuse.deid import PixelPolicy, ProjectKey, Report
    from radfuse.jobs import Jobs, NewJob
    from radfuse.services.anonymize import Outcome, OutputFolder, Recipe, Summary, Verdict
    from radfuse.services.peers import Peer
    from radfuse.services.storage_scu import Route

_MAX_SHOWN: Final = 50
_MOST_PROCESSES: Final = 8
_NOTED_AT_ONCE: Final = 100
_REPORTS: Final = (".html", ".md", ".json")


@dataclass(frozen=True)
class AnonymizeOptions:
    """What can be typed."""

    paths: Paths = None
    study: Studies = None
    series: SeriesUIDs = None
    to: ToFolder = None
    dicomdir: AsMedia = False
    to_peer: ToPeer = None
    into: Into = None
    key_file: KeyFile = None
    key: KeyName = None
    retain: Retain = None
    clean: Clean = None
    preset: PresetName = None
    pixel_rules: PixelRules = None
    pixels_are_clean: PixelsAreClean = False
    read_text: ReadText = False
    replace_documents: ReplaceDocuments = False
    report: ReportFile = None
    vault: VaultFile = None
    processes: Processes = None
    database: Database = None
    data: Data = None
    as_json: Json = False

    @property
    def settings(self) -> Settings:
        """Those of the data folder. Files anonymized into a folder under a key of their own do without."""
        return settings_of(self.data)

    @property
    def names(self) -> list[str]:
        """The names of the options of the profile."""
        return [each.value for each in (*(self.retain or ()), *(self.clean or ()))]

    @property
    def preset_name(self) -> str:
        """The preset's name, or nothing."""
        return self.preset.value if self.preset else ""

    @property
    def only_here(self) -> bool:
        """Whether something was typed that a job cannot do."""
        files = (self.key_file, self.vault, self.report, self.pixel_rules, self.processes)
        return any(files) or self.pixels_are_clean or self.read_text or self.replace_documents


@taking(AnonymizeOptions)
def anonymize(options: AnonymizeOptions) -> None:
    """Anonymize DICOM objects by the Basic Profile of PS3.15 with the options that are named.

    The originals are never changed. What cannot be made safe is refused with the reason, the others
    go on, and the exit code is 1. Objects of the own archive go to a peer or into a database as a
    durable job.
    """
    _check(options)
    if options.paths is None and options.to is None:
        _as_job(options)
        return
    with contextlib.ExitStack() as stack:
        recipe = _recipe(options)
        summary = _summary(options, recipe, _outcomes(options, recipe, stack))
    if options.dicomdir:
        from radfuse.services.anonymize_media import write_anonymized_directory

        write_anonymized_directory(_folder(options))
    _say(summary, options)
    if summary.refused:
        raise typer.Exit(1)


def _check(options: AnonymizeOptions) -> None:
    """Say what does not go together: wrong use."""
    if bool(options.paths) == bool(options.study or options.series):
        raise typer.BadParameter("give either PATH, or --study UID and --series UID")
    if [options.to, options.to_peer, options.into].count(None) != 2:
        raise typer.BadParameter("say where they go: one of --to, --to-peer and --into")
    if options.dicomdir and options.to is None:
        raise typer.BadParameter("only a folder gets a DICOMDIR: give --to", param_hint="--dicomdir")
    if options.key_file and options.key:
        raise typer.BadParameter("give --key or --key-file, not both")
    is_job = options.paths is None and options.to is None
    if is_job and options.only_here:
        raise typer.BadParameter(
            "to a peer or a database the own archive goes as a job, which knows only --key, --retain, --clean, --preset"
        )
    if options.report and options.report.suffix.lower() not in _REPORTS:
        raise typer.BadParameter(f"its name must end with one of {', '.join(_REPORTS)}", param_hint="--report")
    for path in options.paths or ():
        if options.to is not None and options.to.resolve().is_relative_to(path.resolve()):
            raise typer.BadParameter(f"--to lies within {path}, and would be anonymized again", param_hint="--to")


# --- here and now ----------------------------------------------------------------------------


def _outcomes(options: AnonymizeOptions, recipe: Recipe, stack: contextlib.ExitStack) -> Iterator[Outcome]:
    """What becomes of each object, while it happens."""
    from radfuse.services.anonymize import anonymize_files, sources_of
    from radfuse.services.import_media import files_below

    if options.paths:
        files = files_below(options.paths)
        sources, total = sources_of(files), len(files)
    else:
        from radfuse.services.anonymize_stored import stored_source

        archive, objects = _picked(options, stack)
        sources, total = (stored_source(archive, stored) for stored in objects), len(objects)
    processes = options.processes or min(os.cpu_count() or 1, _MOST_PROCESSES)
    if options.to is not None:
        outcomes = anonymize_files(sources, _folder(options), recipe, min(processes, total))
    else:
        from radfuse.services.anonymize_deliver import anonymize_and_deliver, into_archive, to_peer

        if options.into is not None:
            deliver = into_archive(_archive(options.settings, options.into, stack))
        else:
            deliver = to_peer(stack.enter_context(_route(options)))
        outcomes = anonymize_and_deliver(sources, recipe, processes, deliver)
    advance = stack.enter_context(progress("Anonymizing", total, "objects"))
    is_ended = stack.enter_context(ctrl_c_cancels(""))
    for done, outcome in enumerate(outcomes, 1):
        advance(done, max(done, total))
        yield outcome
        if is_ended():
            raise KeyboardInterrupt


def _pixels(options: AnonymizeOptions) -> PixelPolicy:
    """What is known of pixels; where faces are when they are to be blanked."""
    from radfuse.deid import PixelPolicy, load_rules

    with wrong_use():
        rules = load_rules(options.pixel_rules) if options.pixel_rules else ()
    policy = PixelPolicy(rules, options.pixels_are_clean, options.read_text)
    if Cleaned.FACES not in (options.clean or ()) or not options.paths:
        return policy
    from radfuse.services.anonymize_faces import plan_faces
    from radfuse.services.import_media import files_below

    plan = plan_faces(files_below(options.paths))
    return replace(policy, faces=plan.boxes, lost_faces=plan.refused)


def _folder(options: AnonymizeOptions) -> OutputFolder:
    """Where files go, made when it is not there."""
    from radfuse.services.anonymize import OutputFolder

    folder = options.to or Path()
    folder.mkdir(parents=True, exist_ok=True)
    return OutputFolder(folder.resolve(), as_media=options.dicomdir)


def _recipe(options: AnonymizeOptions) -> Recipe:
    from radfuse.deid import Documents
    from radfuse.services.anonymize import Recipe, profile_of

    with wrong_use():
        profile = profile_of(options.names, options.preset_name)
    return Recipe(
        profile,
        _key(options),
        _pixels(options),
        Documents(options.replace_documents),
        keeps_originals=options.vault is not None,
        keeps_counts=options.report is not None,
    )


def _summary(options: AnonymizeOptions, recipe: Recipe, outcomes: Iterator[Outcome]) -> Summary:
    """All of them, with report and vault written where they were asked for."""
    from radfuse.deid import Report, Vault
    from radfuse.services.anonymize import Summary, report_outcome

    summary, report = Summary(), Report(recipe.profile)
    with contextlib.ExitStack() as stack:
        vault = stack.enter_context(Vault(options.vault)) if options.vault else None
        while some := list(islice(outcomes, _NOTED_AT_ONCE)):
            if vault is not None:
                vault.note(original for outcome in some for original in outcome.originals)
            for outcome in some:
                summary.add(outcome)
                report_outcome(report, outcome)
    if options.report is not None:
        report.finish()
        _write_report(report, options.report)
    return summary


def _write_report(report: Report, file: Path) -> None:
    suffix = file.suffix.lower()
    if suffix == ".json":
        text = json.dumps(report.as_json(), indent=2) + "\n"
    else:
        text = report.as_markdown() if suffix == ".md" else report.as_html()
    file.write_text(text, encoding="utf-8")


def _key(options: AnonymizeOptions) -> ProjectKey:
    from radfuse.deid import ProjectKey
    from radfuse.services.project_keys import Keys, key_of_file

    if options.key_file is not None:
        with wrong_use():
            return key_of_file(options.key_file)
    if options.key is not None:
        with wrong_use():
            return Keys(options.settings.data).get(options.key)
    warn("no key was named: this run's is forgotten at its end, and nobody can make the same pseudonyms again")
    return ProjectKey.new()


def _picked(options: AnonymizeOptions, stack: contextlib.ExitStack) -> tuple[Archive, list[StoredObject]]:
    """The objects of the own archive that are named; it stays open as long as ``stack``."""
    from radfuse.services import send as sending

    archive = _archive(options.settings, options.database, stack)
    with wrong_use():
        found = sending.objects_of_studies(archive, options.study or ())
        found += sending.objects_of_series(archive, options.series or ())
    return archive, list({stored.sop_instance_uid: stored for stored in found}.values())


def _archive(settings: Settings, database: str | None, stack: contextlib.ExitStack) -> Archive:
    from radfuse.app import open_archive

    return stack.enter_context(open_archive(settings, database_named(settings, database)))


@contextlib.contextmanager
def _route(options: AnonymizeOptions) -> Iterator[Route]:
    """The way to the peer; what goes wrong with it is said in a sentence."""
    from radfuse.app import our_caller
    from radfuse.dicom import Transcoder
    from radfuse.services.send_job import check_may_send
    from radfuse.services.storage_scu import Route

    settings, peer = options.settings, _peer(options)
    with wrong_use():
        check_may_send(peer)
    us = our_caller(settings, peer)
    with Transcoder() as transcoder, talking_to(peer, us.ae_title):
        yield Route(peer, us, context_list_named(settings, peer.context_list), transcoder)


def _peer(options: AnonymizeOptions) -> Peer:
    return peer_named(options.settings, options.to_peer or "")


# --- as a job --------------------------------------------------------------------------------


def _as_job(options: AnonymizeOptions) -> None:
    from radfuse.app import open_jobs

    settings = existing_data_folder(options.settings)
    with contextlib.ExitStack() as stack:
        jobs = stack.enter_context(contextlib.closing(open_jobs(settings)))
        _, objects = _picked(options, stack)
        job_id = jobs.submit(_new_job(options, jobs, objects))
        job = follow(settings, jobs, job_id, "Anonymizing")
        rows = [instance_facts(item, job) for item in jobs.items(job_id, limit=None)]
    if options.as_json:
        write_object(facts(job) | {"Instances": rows})
    else:
        for row in [row for row in rows if row["State"] == "failed"][:_MAX_SHOWN]:
            warn(f"refused: {row['SOPInstanceUID']}: {row['Reason']}")
        say(f"{job.counts.sent + job.counts.warned} anonymized, {job.counts.failed} refused")
    if job.state != "done":
        warn(f"job {job_id} is {job.state.value}: {sentence(job.message)} {advice(job, True)}")
        raise typer.Exit(1)


def _new_job(options: AnonymizeOptions, jobs: Jobs, objects: list[StoredObject]) -> NewJob:
    from radfuse.services.anonymize_job import Treatments, new_anonymization
    from radfuse.services.project_keys import DEFAULT_KEY, Keys

    settings = options.settings
    how = Treatments(options.names, options.preset_name, options.key or DEFAULT_KEY)
    with wrong_use():
        Keys(settings.data).get(how.key)
        to = database_named(settings, options.into) if options.into is not None else _peer(options)
        return new_anonymization(jobs, objects, how, to, database=database_named(settings, options.database))


# --- what came of it -------------------------------------------------------------------------


def _say(summary: Summary, options: AnonymizeOptions) -> None:
    if options.as_json:
        write_object(_row(summary))
        return
    for outcome in summary.refused[:_MAX_SHOWN]:
        warn(f"refused: {outcome.name}: {outcome.reason}")
    if len(summary.refused) > _MAX_SHOWN:
        warn(f"and {len(summary.refused) - _MAX_SHOWN} more; --json lists them all")
    for text, count in _warnings(summary).items():
        warn(f"{count} objects: {text}" if count > 1 else text)
    parts = [f"{count} {verdict.value}" for verdict, count in summary.counts.items() if count]
    say(", ".join(parts) if parts else "There was nothing to anonymize.")


def _warnings(summary: Summary) -> dict[str, int]:
    """How often each warning was given."""
    counts: dict[str, int] = {}
    for outcome in summary.warned:
        for text in outcome.warnings:
            counts[text] = counts.get(text, 0) + 1
    return counts


def _row(summary: Summary) -> dict[str, object]:
    counts = {_named(verdict): count for verdict, count in summary.counts.items()}
    refused = [{"File": outcome.name, "Reason": outcome.reason} for outcome in summary.refused]
    return {**counts, "RefusedFiles": refused, "Warnings": _warnings(summary)}


def _named(verdict: Verdict) -> str:
    return verdict.name.title().replace("_", "")
