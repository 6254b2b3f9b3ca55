"""The transcoder's child process: one JSON request a line in, one JSON answer a line out.

Run as ``python -m radfuse.dicom.codecs.child``. A request names ``source``, ``target``,
``destination``, ``seconds``, ``memory_bytes``, the limits and perhaps ``derived_uid`` and ``blanking``; an
answer is ``{}`` or ``{"refused": reason}``.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, Final

from radfuse.dicom.blanking import Blanking
from radfuse.dicom.codecs.base import Limits
from radfuse.dicom.codecs.job import transcode_file
from radfuse.dicom.codecs.refused import Refused

_GRACE_SECONDS: Final = 5.0
"""The parent kills at the deadline; this is for the case that the parent is gone."""


def answer(request: dict[str, Any]) -> dict[str, str]:
    """Do one job; whatever goes wrong becomes a reason without patient data."""
    memory_bytes = int(request["memory_bytes"])
    limits = Limits(int(request["frame_bytes"]), int(request["object_bytes"]))
    try:
        allow_memory(memory_bytes)
        transcode_file(
            Path(request["source"]),
            str(request["target"]),
            Path(request["destination"]),
            limits,
            lambda need_bytes: allow_memory(memory_bytes + need_bytes),
            str(request.get("derived_uid", "")),
            Blanking.of_request(request.get("blanking")),
        )
    except Refused as error:
        return {"refused": error.reason}
    except MemoryError:
        return {"refused": "there is not enough memory"}
    except OSError as error:
        return {"refused": error.strerror or "a file cannot be read or written"}
    except Exception as error:
        return {"refused": f"unexpected {type(error).__name__} in the codec process"}
    return {}


def allow_memory(more_bytes: int) -> None:
    """Let the process grow by ``more_bytes`` from what it held when it started its first job."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _held_at_start() + more_bytes
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


def _held_at_start(known: list[int] = []) -> int:  # noqa: B006 - the cache is meant
    if not known:
        known.append(int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize())
    return known[0]


def main() -> None:
    """Answer requests until standard input ends."""
    # Codecs print; what they print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, float(request["seconds"]) + _GRACE_SECONDS)
        reply = answer(request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
