"""Logs: one clear line for people on standard error, one JSON record a line in the log folder."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog

_FILE_BYTES: Final = 20 << 20
_FILES: Final = 10
_ACCESS_LOG: Final = "radfuse.access"
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROLS_IN_A_TRACEBACK: Final = {code: text for code, text in _CONTROLS.items() if chr(code) not in "\n\t"}


def configure_logs(folder: Path | None, process: str) -> None:
    """Send all records to standard error and, given a folder, to ``folder/PROCESS.jsonl``.

    Records hold facts as fields and no patient data. Control characters that a peer smuggled
    into a fact are escaped by both renderers.
    """
    console = logging.StreamHandler(sys.stderr)
    console.addFilter(_is_for_people)
    console.setFormatter(
        _formatter(
            [*_shared(), structlog.processors.format_exc_info, _escape_controls],
            structlog.dev.ConsoleRenderer(
                colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
            ),
        )
    )
    handlers: list[logging.Handler] = [console]
    if folder is not None:
        handlers.append(_file_handler(folder, process))
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    _set_levels()


@contextlib.contextmanager
def logs_to_file(folder: Path, process: str) -> Iterator[None]:
    """Send the records of the block to ``folder/PROCESS.jsonl`` alone: a person reads this process's terminal."""
    root = logging.getLogger()
    file, level = _file_handler(folder, process), root.level
    root.addHandler(file)
    _set_levels()
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(file)
        file.close()


def _set_levels() -> None:
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _is_for_people(record: logging.LogRecord) -> bool:
    """Whether a record is worth a line on a terminal: that of each web request is for the file alone."""
    return record.name != _ACCESS_LOG


def _file_handler(folder: Path, process: str) -> logging.Handler:
    folder.mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(
        folder / f"{process}.jsonl", maxBytes=_FILE_BYTES, backupCount=_FILES, delay=True
    )
    file.setFormatter(
        _formatter([*_shared(), structlog.processors.format_exc_info], structlog.processors.JSONRenderer())
    )
    return file


def _shared() -> list[structlog.types.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _escape_controls(_logger: object, _name: str, record: structlog.types.EventDict) -> structlog.types.EventDict:
    """Nothing in a record may move the cursor of a person's terminal or begin a line (JSON escapes by itself)."""
    for key, value in record.items():
        if isinstance(value, str):
            record[key] = value.translate(_CONTROLS_IN_A_TRACEBACK if key == "exception" else _CONTROLS)
    return record


def _formatter(
    before: list[structlog.types.Processor], renderer: structlog.types.Processor
) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
