"""Logs: one clear line for people on standard error, one JSON record a line in the log folder."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path
from typing import Final

import structlog

_FILE_BYTES: Final = 20 << 20
_FILES: Final = 10
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROLS_IN_A_TRACEBACK: Final = {code: text for code, text in _CONTROLS.items() if chr(code) not in "\n\t"}


def configure_logs(folder: Path | None, process: str) -> None:
    """Send all records to standard error and, given a folder, to ``folder/PROCESS.jsonl``.

    Records hold facts as fields and no patient data. Control characters that a peer smuggled
    into a fact are escaped by both renderers.
    """
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(
        _formatter(
            [*shared, structlog.processors.format_exc_info, _escape_controls],
            structlog.dev.ConsoleRenderer(
                colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
            ),
        )
    )
    handlers: list[logging.Handler] = [console]
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(
            folder / f"{process}.jsonl", maxBytes=_FILE_BYTES, backupCount=_FILES, delay=True
        )
        file.setFormatter(
            _formatter([*shared, structlog.processors.format_exc_info], structlog.processors.JSONRenderer())
        )
        handlers.append(file)
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)


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
