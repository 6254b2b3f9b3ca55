"""Every setting with what is said of it in the code: the one reader, for the pages and for the documentation."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings


@dataclass(frozen=True, slots=True)
class SettingEntry:
    """One field of the settings, or of a section of them."""

    path: tuple[str, ...]
    variable: str
    """The environment variable that overrides it."""
    field: FieldInfo
    expression: ast.expr | None
    """Its default, as it is written."""
    description: str

    @property
    def key(self) -> str:
        """As in ``radfuse.toml``."""
        return ".".join(self.path)


@functools.cache
def setting_entries(model: type[BaseSettings]) -> tuple[SettingEntry, ...]:
    """Every setting of ``model``, those of its sections too, in the order of the code."""
    prefix = str(model.model_config.get("env_prefix") or "")
    delimiter = str(model.model_config.get("env_nested_delimiter") or "__")

    def below(part: type[BaseModel], path: tuple[str, ...]) -> Iterator[SettingEntry]:
        written = _annotated_assignments(part)
        for name, field in part.model_fields.items():
            here = (*path, field.alias or name)
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from below(field.annotation, here)
                continue
            expression, docstring = written.get(name, (None, ""))
            variable = (prefix + delimiter.join(here)).upper()
            description = " ".join((field.description or docstring).split())
            yield SettingEntry(here, variable, field, expression, description)

    return tuple(below(model, ()))


def _annotated_assignments(model: type) -> dict[str, tuple[ast.expr | None, str]]:
    """Field name -> the expression of its default and the string that stands below it."""
    class_node = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    body = class_node.body if isinstance(class_node, ast.ClassDef) else []
    found: dict[str, tuple[ast.expr | None, str]] = {}
    for node, following in pairwise([*body, ast.Pass()]):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            value = following.value if isinstance(following, ast.Expr) else None
            text = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
            found[node.target.id] = (node.value, text)
    return found
