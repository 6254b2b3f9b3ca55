"""The budgets: a module, a class, a function and a parameter list have an upper size."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src" / "radfuse"
MODULES = sorted(SOURCES.rglob("*.py"))

MAX_MODULE_LINES = 400
MAX_CLASS_LINES = 250
MAX_FUNCTION_CODE_LINES = 40
MAX_PARAMETERS = 7

_NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def code_lines(source: str) -> set[int]:
    """The numbers of the lines that hold code: no blank, comment or docstring line."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | Function):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and ast.get_docstring(node):
                lines.difference_update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def parameters(function: Function) -> int:
    """How many parameters a caller can give, ``self`` and ``cls`` left out."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    bound = 1 if names[:1] in (["self"], ["cls"]) else 0
    variable = [argument for argument in (function.args.vararg, function.args.kwarg) if argument]
    return len(names) - bound + len(function.args.kwonlyargs) + len(variable)


def breaches(source: str) -> Iterator[str]:
    """What in ``source`` is over budget, a sentence each."""
    if (length := len(source.splitlines())) > MAX_MODULE_LINES:
        yield f"module has {length} lines, at most {MAX_MODULE_LINES}"
    code = code_lines(source)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef | Function):
            continue
        span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        if isinstance(node, ast.ClassDef):
            if len(span) > MAX_CLASS_LINES:
                yield f"class {node.name} has {len(span)} lines, at most {MAX_CLASS_LINES}"
            continue
        if (length := len(code.intersection(span))) > MAX_FUNCTION_CODE_LINES:
            yield f"{node.name} has {length} code lines, at most {MAX_FUNCTION_CODE_LINES}"
        if (count := parameters(node)) > MAX_PARAMETERS:
            yield f"{node.name} has {count} parameters, at most {MAX_PARAMETERS}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_no_module_is_over_budget(module: Path) -> None:
    assert list(breaches(module.read_text(encoding="utf-8"))) == []


def test_the_sources_are_found() -> None:
    assert len(MODULES) > 5


def test_comments_blank_lines_and_docstrings_are_no_code() -> None:
    source = 'def f(a):\n    """One.\n\n    Two.\n    """\n\n    # why\n    return (\n        a\n    )\n'
    assert code_lines(source) == {1, 8, 9, 10}


def test_a_function_of_41_code_lines_is_over_budget() -> None:
    body = "    x = 1\n"
    assert list(breaches("def f():\n" + body * 39)) == []
    assert list(breaches("def f():\n" + body * 40)) == ["f has 41 code lines, at most 40"]


def test_eight_parameters_are_over_budget_but_self_is_free() -> None:
    assert list(breaches("class A:\n    def f(self, a, b, c, d, e, f, *, g): ...\n")) == []
    assert list(breaches("def f(a, b, c, d, e, f, *, g, **h): ...\n")) == ["f has 8 parameters, at most 7"]


def test_long_modules_and_classes_are_over_budget() -> None:
    assert list(breaches("x = 1\n" * 401)) == ["module has 401 lines, at most 400"]
    assert list(breaches("class A:\n" + "    x = 1\n" * 250)) == ["class A has 251 lines, at most 250"]
