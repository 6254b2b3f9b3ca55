"""The error tree: every error is one clear line made of its fields."""

from __future__ import annotations

import dataclasses
import string
import typing

import pytest

from radfuse.core import errors
from radfuse.core.errors import RadfuseError

_EXAMPLES: dict[object, object] = {str: "1.2.3", int: 42, float: 2.5, tuple[str, ...]: ("one", "two")}


def _all_errors(base: type[RadfuseError] = RadfuseError) -> list[type[RadfuseError]]:
    found = [base]
    for child in base.__subclasses__():
        found += _all_errors(child)
    return [error for error in found if error.__module__.startswith(errors.__name__)]


def _field_types(error: type[RadfuseError]) -> dict[str, type]:
    if not dataclasses.is_dataclass(error):
        return {}
    hints = typing.get_type_hints(error)
    return {field.name: hints[field.name] for field in dataclasses.fields(error)}


def _example(error: type[RadfuseError]) -> RadfuseError:
    return error(**{name: _EXAMPLES[kind] for name, kind in _field_types(error).items()})


@pytest.mark.parametrize("error", _all_errors(), ids=lambda error: error.__name__)
def test_every_error_makes_one_line_of_its_fields(error: type[RadfuseError]) -> None:
    sentence = str(_example(error))
    assert sentence.strip()
    assert len(sentence.splitlines()) == 1
    assert "{" not in sentence


@pytest.mark.parametrize("error", _all_errors(), ids=lambda error: error.__name__)
def test_every_sentence_names_only_fields_of_its_error(error: type[RadfuseError]) -> None:
    named = {name for _, name, _, _ in string.Formatter().parse(error.template) if name}
    assert named <= set(_field_types(error))


def test_of_many_faults_the_first_are_named() -> None:
    sentence = str(errors.InvalidObject(tuple(f"fault {number}" for number in range(1, 8))))
    assert sentence.endswith("fault 4; fault 5; and 2 more")


def test_the_tree_is_one_tree() -> None:
    own = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__.startswith(errors.__name__)
    ]
    assert len(own) > 20
    assert all(issubclass(error, RadfuseError) for error in own)


def test_two_errors_with_the_same_facts_are_still_two() -> None:
    first, second = errors.InvalidQuery("no level"), errors.InvalidQuery("no level")
    assert first != second
    assert {first, second} == {second, first}


def test_a_failed_operation_shows_its_status_as_the_standard_writes_it() -> None:
    assert str(errors.OperationFailed("C-STORE", 0xA700)).startswith("C-STORE failed with status A700")
