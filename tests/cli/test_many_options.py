"""A command whose parameters are the fields of a dataclass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from radfuse.cli.many_options import taking


@dataclass(frozen=True)
class Typed:
    """What can be typed."""

    name: Annotated[str, typer.Argument(help="Who.")]
    words: Annotated[list[str] | None, typer.Option("--word", help="What.")] = None
    loud: Annotated[bool, typer.Option("--loud", help="How.")] = False


def command_line(seen: list[Typed]) -> typer.Typer:
    app = typer.Typer()

    @app.command()
    @taking(Typed)
    def speak(typed: Typed) -> None:
        """Say it."""
        seen.append(typed)

    return app


def test_what_is_typed_comes_as_one_value() -> None:
    seen: list[Typed] = []
    app = command_line(seen)
    assert CliRunner().invoke(app, ["Ann", "--word", "a", "--word", "b", "--loud"]).exit_code == 0
    assert CliRunner().invoke(app, ["Bob"]).exit_code == 0
    assert seen == [Typed("Ann", ["a", "b"], True), Typed("Bob")]


def test_what_must_be_typed_is_asked_for_and_the_help_is_that_of_the_fields() -> None:
    app = command_line([])
    assert CliRunner().invoke(app, []).exit_code == 2
    text = CliRunner().invoke(app, ["--help"]).output
    assert "Say it." in text
    assert "--loud" in text
    assert "How." in text
