"""Rooms see only each other's faces; every face is small and said in one sentence.

That a room imports only from floors below it is import-linter's to hold (pyproject.toml), and that
a face is sorted is ruff's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src" / "radfuse"
ROOMS = sorted(path.name for path in SOURCES.iterdir() if (path / "__init__.py").is_file())
BY_MODULE = ("core", "services")
"""Rooms without a face: words and use cases, whose modules are imported one by one."""

USE_CASE_FACES = sorted((SOURCES / "services").glob("*/__init__.py"))
"""A use case of several files is a package with a face of its own."""

MAX_FACE_NAMES = 15


def imports(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every import of a Radfuse module: its dotted name, and the names taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names if alias.name.split(".")[0] == "radfuse")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "radfuse":
            yield node.module or "", tuple(alias.name for alias in node.names)


def face_of(room: str) -> list[str] | None:
    """The names in a room's ``__all__``, or None when it has none."""
    tree = ast.parse((SOURCES / room / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id == "__all__" and node.value:
                return list(ast.literal_eval(node.value))
    return None


def trespasses(room: str, tree: ast.Module, faces: dict[str, list[str]]) -> Iterator[str]:
    """What a module of ``room`` takes from other rooms past their faces, a sentence each."""
    for module, names in imports(tree):
        _, _, inside = module.partition(".")
        other, _, deeper = inside.partition(".")
        if not other:
            yield from (f"take {name} from its room's face" for name in names if name != "__version__")
        elif other == room or other not in faces:
            continue
        elif other in BY_MODULE:
            shown, _, hidden = deeper.partition(".")
            if hidden:
                yield f"{module} is inside another room; import radfuse.{other}.{shown}"
        elif deeper:
            if deeper in faces[other]:  # a face may show whole modules
                continue
            yield f"{module} is inside another room; import radfuse.{other}"
        else:
            yield from (f"{name} is not in the face of {other}" for name in names if name not in faces[other])


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_takes_from_another_only_what_its_face_shows(room: str) -> None:
    faces = {other: face_of(other) or [] for other in ROOMS}
    found = [
        f"{path.relative_to(SOURCES)}: {sentence}"
        for path in sorted((SOURCES / room).rglob("*.py"))
        for sentence in trespasses(room, ast.parse(path.read_text(encoding="utf-8")), faces)
    ]
    assert found == []


@pytest.mark.parametrize("room", [*ROOMS, *(f"services/{path.parent.name}" for path in USE_CASE_FACES)])
def test_a_face_is_one_sentence_and_at_most_15_names(room: str) -> None:
    face = face_of(room)
    assert face is not None, "__init__.py has no __all__"
    assert len(face) == len(set(face)) <= MAX_FACE_NAMES
    sentence = ast.get_docstring(ast.parse((SOURCES / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert sentence.endswith("."), "__init__.py has no docstring sentence"
    assert "\n\n" not in sentence


@pytest.mark.parametrize("room", ROOMS)
def test_every_relative_import_is_written_out(room: str) -> None:
    for path in (SOURCES / room).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level], path


def test_every_folder_of_sources_is_a_room() -> None:
    folders = {path.name for path in SOURCES.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(ROOMS)


@pytest.mark.parametrize(
    ("source", "sentences"),
    [
        ("from radfuse.wire import Server", []),
        ("from radfuse.core.errors import WireError", []),
        ("from radfuse.node.handlers import Handler", []),
        ("import radfuse.wire", []),
        ("from radfuse import __version__", []),
        ("from radfuse.services.ingest import ingest", []),
        ("from radfuse.services import ingest", []),
        ("from radfuse.services.job.inside import secret", ["radfuse.services.job.inside is inside another room; "
                                                            "import radfuse.services.job"]),
        ("from radfuse.wire import pdu", ["pdu is not in the face of wire"]),
        ("from radfuse.wire.pdu import Pdu", ["radfuse.wire.pdu is inside another room; import radfuse.wire"]),
        ("import radfuse.wire.pdu", ["radfuse.wire.pdu is inside another room; import radfuse.wire"]),
        ("from radfuse import wire", ["take wire from its room's face"]),
        ("def f():\n    from radfuse.wire.pdu import Pdu", ["radfuse.wire.pdu is inside another room; "
                                                           "import radfuse.wire"]),
    ],
)  # fmt: skip
def test_a_trespass_is_seen_and_a_proper_import_is_not(source: str, sentences: list[str]) -> None:
    faces = {"wire": ["Server"], "node": [], "core": [], "services": []}
    assert list(trespasses("node", ast.parse(source), faces)) == sentences
