"""Commands about the routing rules."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import say, write_object, write_rows
from radfuse.cli.options import (
    Data,
    Json,
    database_named,
    databases_of,
    existing_data_folder,
    settings_of,
    wrong_use,
)
from radfuse.core.errors import ConfigurationError

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.services.peers import Peer
    from radfuse.services.routing import Trial
    from radfuse.services.rules import Rule, Rules

app = typer.Typer(
    help="The rules for what arrives: list, add, show, remove, enable, disable, try.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The rule's name.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A rule as TOML, or as JSON (.json).")]

_IN_A_TABLE: Final = ("Name", "Enabled", "Database", "When", "Send", "Forget")
_TRIED: Final = ("StudyDate", "StudyDescription", "ModalitiesInStudy", "Objects", "Send", "Forget", "Reason")


@contextlib.contextmanager
def _rules(settings: Settings) -> Iterator[Rules]:
    from radfuse.services.rules import Rules

    with contextlib.closing(Rules(settings.data)) as known:
        yield known


@app.command("list")
def list_rules(data: Data = None, as_json: Json = False) -> None:
    """List the rules."""
    settings = settings_of(data)
    rows: list[dict[str, object]] = []
    if settings.data.is_dir():
        with _rules(settings) as known:
            rows = [_row(rule) for rule in known.all()]
    if not write_rows(rows, _IN_A_TABLE, as_json=as_json) and not as_json:
        say("There are no rules. Add one with: radfuse rules add FILE")


@app.command()
def add(file: File, data: Data = None, as_json: Json = False) -> None:
    """Add a rule, or change the one of its name. It is for what arrives from now on."""
    from radfuse.services.rules import read_rule

    settings = existing_data_folder(settings_of(data))
    with wrong_use():
        rule = read_rule(file)
        _destinations(settings, rule)
        _check_database(settings, rule)
        _check_key(settings, rule)
    with _rules(settings) as known:
        known.add(rule)
    if as_json:
        write_object(_row(rule))
    else:
        state = "is on for what arrives from now on" if rule.enabled else "is added, but off"
        say(f"{rule.name} {state}; see what it does with 'radfuse rules try {rule.name}'")


@app.command()
def show(name: Name, data: Data = None) -> None:
    """Show a rule as JSON, in the form in which it can be added again."""
    with _rules(existing_data_folder(settings_of(data))) as known:
        write_object(known.get(name).definition)


@app.command()
def remove(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Remove a rule. What it has queued is still sent; nothing more is forgotten for it."""
    with _rules(existing_data_folder(settings_of(data))) as known:
        known.remove(name)
    _say_changed(name, "removed", as_json)


@app.command()
def enable(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Turn a rule on, for what arrives from now on."""
    _turn(settings_of(data), name, True, as_json)


@app.command()
def disable(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Turn a rule off. What arrives meanwhile is none of its business later."""
    _turn(settings_of(data), name, False, as_json)


@app.command("try")
def try_rule(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A rule's name, or a file with one.")],
    study: Annotated[
        list[str] | None,
        typer.Option("--study", metavar="UID", help="Try it on this study only; can be given again."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Try it on so many of the newest studies.")
    ] = 100,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what a rule would have done with the studies that are here. Nothing is sent or changed."""
    from radfuse.app import open_archive
    from radfuse.services.routing import try_rule as tried

    settings = existing_data_folder(settings_of(data))
    rule = _rule(settings, name)
    peers = _destinations(settings, rule)
    with wrong_use():
        _check_database(settings, rule)
    with open_archive(settings, database_named(settings, rule.database)) as archive, wrong_use():
        rows = [_trial_row(trial) for trial in tried(archive, rule, peers, study or (), limit)]
    if not write_rows(rows, _TRIED, as_json=as_json) and not as_json:
        say("There are no studies.")


def _rule(settings: Settings, name: str) -> Rule:
    """The rule in a file of this name, or else the kept one."""
    from radfuse.services.rules import read_rule

    if Path(name).is_file():
        with wrong_use():
            return read_rule(Path(name))
    with _rules(settings) as known:
        return known.get(name)


def _destinations(settings: Settings, rule: Rule) -> list[Peer]:
    from radfuse.app import open_peers
    from radfuse.services.rules import check_destinations

    with contextlib.closing(open_peers(settings)) as peers:
        return check_destinations(rule, peers.by_name)


def _check_database(settings: Settings, rule: Rule) -> None:
    known = databases_of(settings)
    if rule.database not in known:
        raise ConfigurationError("database", f"no database {rule.database!r}; the settings know {', '.join(known)}")


def _check_key(settings: Settings, rule: Rule) -> None:
    from radfuse.services.project_keys import Keys
    from radfuse.services.rules import check_key

    check_key(rule, Keys(settings.data))


def _turn(settings: Settings, name: str, on: bool, as_json: bool) -> None:
    with _rules(existing_data_folder(settings)) as known:
        known.enable(name, on)
    _say_changed(name, "on" if on else "off", as_json)


def _say_changed(name: str, what: str, as_json: bool) -> None:
    if as_json:
        write_object({"Name": name})
    else:
        say(f"{name} is {what}")


def _row(rule: Rule) -> dict[str, object]:
    return {
        "Name": rule.name,
        "Enabled": rule.enabled,
        "Database": rule.database,
        "When": rule.when.value,
        "Send": [f"{name} (anonymized)" if rule.anonymizes_for(name) else name for name in rule.destinations],
        "Forget": _forgetting(rule),
    }


def _forgetting(rule: Rule) -> str:
    if rule.forget is None:
        return "no"
    when = f"after {rule.forget.after_days:g} days" if rule.forget.after_days else "at once"
    return f"{when}, if committed" if rule.forget.committed else when


def _trial_row(trial: Trial) -> dict[str, object]:
    return {
        "StudyDate": trial.study_date,
        "StudyDescription": trial.description,
        "ModalitiesInStudy": list(trial.modalities),
        "Objects": trial.objects,
        "Send": [f"{peer}: {count}" for peer, count in trial.to_send.items()],
        "Forget": trial.forgotten,
        "Reason": trial.reason,
        "StudyInstanceUID": trial.study_instance_uid,
    }
