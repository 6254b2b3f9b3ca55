"""Writes the reference parts of docs/api.md, docs/commands.md and docs/settings.md from the code (``make docs``).

What a command or a setting does is said once, beside its code; a test holds the pages to it.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
import typer.main
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from radfuse.app.setting_table import setting_entries

DOCS = Path(__file__).resolve().parents[1] / "docs"
BEGIN, END = "<!-- reference: written by make docs -->", "<!-- end of reference -->"


def modules_of(room: str) -> Iterator[Any]:
    """Every module of a room, imported."""
    package = importlib.import_module(f"radfuse.{room}")
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


# --- commands --------------------------------------------------------------------------------


def command_tree() -> Any:
    """The root of the commands: the Typer application of the cli room that can ``serve``."""
    for module in modules_of("cli"):
        for value in vars(module).values():
            if isinstance(value, typer.Typer):
                command = typer.main.get_command(value)
                if "serve" in getattr(command, "commands", {}):
                    return command
    raise LookupError("no Typer application with a command 'serve' in radfuse.cli")


def commands() -> dict[str, Any]:
    """Every command by what is typed: ``radfuse peers add`` -> its command object."""

    def below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        children = getattr(command, "commands", {})
        if not children or getattr(command, "invoke_without_command", False):
            yield name, command
        for child in sorted(children):
            if not children[child].hidden:
                yield from below(f"{name} {child}", children[child])

    return {name: command for name, command in below("radfuse", command_tree()) if name != "radfuse"}


def options(command: Any) -> set[str]:
    """Every option a command knows, ``--help`` too."""
    return {"--help"} | {opt for param in command.params for opt in (*param.opts, *param.secondary_opts)}


def _is_option(param: Any) -> bool:
    return bool(param.opts) and str(param.opts[0]).startswith("-")


def _value_name(param: Any) -> str:
    name = str(param.metavar or param.name).upper()
    return f"{name}..." if param.nargs == -1 and not name.endswith(("...", "…")) else name


def _usage(name: str, command: Any) -> str:
    words = [name]
    for param in command.params:
        if _is_option(param):
            word = param.opts[0] if param.is_flag else f"{param.opts[0]} {_value_name(param)}"
        else:
            word = _value_name(param)
        if not param.hidden:
            words.append(word if param.required else f"[{word}]")
    return " ".join(words)


def _parameter_row(param: Any) -> str:
    if not _is_option(param):
        spelled = f"`{_value_name(param)}`"
    else:
        value = "" if param.is_flag else f" {_value_name(param)}"
        spelled = ", ".join(f"`{opt}{value}`" for opt in (*param.opts, *param.secondary_opts))
    default = param.default
    shown = "" if default in (None, False, [], ()) or callable(default) or param.required else f" (default: {default})"
    return f"| {spelled} | {_one_line(param.help or '')}{shown} |"


def commands_reference() -> str:
    """The reference part of docs/commands.md."""
    parts: list[str] = []
    for name, command in commands().items():
        text = re.sub(r"\n(?!\n)", " ", (command.help or "").replace("\f", "")).replace("\n ", "\n\n").strip()
        parts += [f"### `{name}`", "", text, "", "```text", _usage(name, command), "```", ""]
        rows = [_parameter_row(param) for param in command.params if not param.hidden and param.name != "help"]
        if rows:
            parts += ["| | |", "|---|---|", *rows, ""]
    return "\n".join(parts)


# --- settings --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """One setting: its key in radfuse.toml, its environment variable, its default and its meaning."""

    key: str
    variable: str
    default: str
    meaning: str


def settings_model() -> type[BaseSettings]:
    """The model of radfuse.toml: the one settings class of the app room that no other inherits from."""
    found = [
        value
        for module in modules_of("app")
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__.startswith("radfuse.")
    ]
    leaves = {model for model in found if not any(other is not model and issubclass(other, model) for other in found)}
    if len(leaves) != 1:
        raise LookupError(f"expected one settings model in radfuse.app, found {len(leaves)}")
    return leaves.pop()


def settings() -> Iterator[Setting]:
    """Every setting."""
    for entry in setting_entries(settings_model()):
        default = _default(entry.field, entry.expression)
        yield Setting(entry.key, entry.variable, default, _one_line(entry.description))


def _default(field: FieldInfo, expression: ast.expr | None) -> str:
    if field.default_factory is not None:
        return "made at start"
    if isinstance(field.default, Path):
        return f"`./{field.default}`"
    if isinstance(expression, ast.Call) and ast.unparse(expression.func) != "Field":
        return f"`{ast.unparse(expression)}`"  # differs from machine to machine: the value would not hold elsewhere
    if field.default is PydanticUndefined or (not field.default and field.default not in (0, False)):
        return ""
    value = getattr(field.default, "value", field.default)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def settings_reference() -> str:
    """The reference part of docs/settings.md."""
    rows = ["| key in `radfuse.toml` | environment | default | meaning |", "|---|---|---|---|"]
    for setting in settings():
        key = "only `--data`" if setting.key == "data" else f"`{setting.key}`"
        rows.append(f"| {key} | `{setting.variable}` | {setting.default} | {setting.meaning} |")
    return "\n".join([*rows, ""])


# --- API -------------------------------------------------------------------------------------


def api_description() -> dict[str, Any]:
    """The OpenAPI description as the service gives it."""
    import asyncio

    import httpx

    from radfuse.app.settings import load_settings
    from radfuse.app.web import application

    async def asked(app: Any) -> dict[str, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            answer = await client.get("/api/openapi.json")
            answer.raise_for_status()
            description: dict[str, Any] = answer.json()
            return description

    with tempfile.TemporaryDirectory() as folder, application(load_settings(Path(folder))) as app:
        return asyncio.run(asked(app))


def api_reference() -> str:
    """The reference part of docs/api.md."""
    rows = ["| request | needs | what it does |", "|---|---|---|"]
    for path, operations in api_description()["paths"].items():
        for method, operation in operations.items():
            role = operation.get("x-role") or "nothing"
            rows.append(f"| `{method.upper()} {path}` | {role} | {_one_line(operation['summary'])} |")
    return "\n".join([*rows, ""])


# --- pages -----------------------------------------------------------------------------------


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES = {"api.md": api_reference, "commands.md": commands_reference, "settings.md": settings_reference}
"""Page -> what makes its reference part."""


def written(page: str) -> str:
    """The page as it should be: its own text, and the reference made anew."""
    text = (DOCS / page).read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{PAGES[page]()}\n{END}{after}"


def main() -> None:
    """Write every page that has a reference part."""
    for page in PAGES:
        (DOCS / page).write_text(written(page), encoding="utf-8")
        sys.stdout.write(f"docs/{page}\n")


if __name__ == "__main__":
    main()
