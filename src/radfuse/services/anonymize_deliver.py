"""Anonymized files that do not stay files: made in a scratch folder, given away some at a time, and gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from radfuse.archive import Archive
from radfuse.services.anonymize import Outcome, OutputFolder, Recipe, Source, Verdict, anonymize_files
from radfuse.services.import_media import Verdict as ImportVerdict
from radfuse.services.import_media import import_files
from radfuse.services.send import file_object, send_files
from radfuse.services.storage_scu import Route

_AT_ONCE: Final = 200
Deliver = Callable[[Sequence[Path]], Mapping[Path, Outcome]]
"""Gives files away; only verdict and reason of what it answers count, and what it does not name has arrived."""


def anonymize_and_deliver(
    sources: Iterable[Source], recipe: Recipe, processes: int, deliver: Deliver, scratch: Path | None = None
) -> Iterator[Outcome]:
    """As ``anonymize_files``, but nothing stays on disk; ``scratch``: where it is meanwhile.

    Also raises what ``deliver`` raises.
    """
    with tempfile.TemporaryDirectory(prefix="radfuse-anonymize-", dir=scratch) as name:
        folder = OutputFolder(Path(name), durable=False)
        made: dict[Path, Outcome] = {}
        for outcome in anonymize_files(sources, folder, recipe, processes):
            if outcome.verdict is not Verdict.ANONYMIZED:
                yield outcome
                continue
            made[folder.folder / outcome.path] = outcome
            if len(made) >= _AT_ONCE:
                yield from _delivered(made, deliver)
                made.clear()
        yield from _delivered(made, deliver)


def _delivered(made: Mapping[Path, Outcome], deliver: Deliver) -> Iterator[Outcome]:
    answers = deliver(list(made)) if made else {}
    for path, outcome in made.items():
        path.unlink(missing_ok=True)
        answer = answers.get(path)
        verdict, reason = (answer.verdict, answer.reason) if answer else (outcome.verdict, outcome.reason)
        yield replace(outcome, path="", verdict=verdict, reason=reason)


def into_archive(archive: Archive) -> Deliver:
    """Keeps files in an archive."""
    verdicts = {ImportVerdict.STORED: Verdict.ANONYMIZED, ImportVerdict.REPLACED: Verdict.ANONYMIZED}
    there = (ImportVerdict.ALREADY_KEPT, ImportVerdict.FIRST_KEPT)

    def deliver(files: Sequence[Path]) -> Mapping[Path, Outcome]:
        answers = {}
        for each in import_files(archive, files):
            verdict = verdicts.get(each.verdict, Verdict.ALREADY_THERE if each.verdict in there else Verdict.REFUSED)
            answers[Path(each.name)] = Outcome(each.name, verdict, reason=each.reason)
        return answers

    return deliver


def to_peer(route: Route) -> Deliver:
    """Sends files. What it returns raises the WireError of an association that cannot be made."""

    def deliver(files: Sequence[Path]) -> Mapping[Path, Outcome]:
        failed = {}
        for sent in send_files([file_object(path) for path in files], route):
            if sent.path is not None and not sent.is_sent:
                why = str(sent.error) if sent.error else sent.comment or f"status {sent.status or 0:04X}"
                failed[sent.path] = Outcome(str(sent.path), Verdict.REFUSED, reason=f"not sent: {why}")
        return failed

    return deliver
