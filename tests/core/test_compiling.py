"""Compiled functions compute the same; where their code cannot be kept, they are compiled anew."""

from __future__ import annotations

from collections.abc import Callable

from radfuse.core.compiling import compiled


def twice(number: int) -> int:
    return 2 * number


def test_a_compiled_function_computes_what_it_says() -> None:
    assert compiled(twice)(21) == 42


def test_a_function_without_a_file_is_compiled_too() -> None:
    names: dict[str, Callable[[int], int]] = {}
    exec(compile("def thrice(number):\n    return 3 * number\n", "<no file>", "exec"), names)  # noqa: S102
    assert compiled(names["thrice"])(14) == 42
