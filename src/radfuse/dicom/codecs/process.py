"""The parent's side of the transcoder's child process; links no codec and holds no object."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

_LONGEST_ANSWER_BYTES: Final = 65536
_STOP_SECONDS: Final = 2.0
_PACKAGE_PARENT: Final = str(Path(__file__).resolve().parents[3])


class ChildDied(Exception):
    """The child ended before it answered; ``cause`` says how, as the end of a sentence."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class ChildProcess:
    """One running child. Not thread-safe: one job at a time. After ``ChildDied`` it is of no more use."""

    def __init__(self) -> None:
        self.jobs = 0
        self._process = subprocess.Popen(
            # -P: nothing is imported from the folder that the service happens to run in.
            [sys.executable, "-P", "-m", "radfuse.dicom.codecs.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=_environment(),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def run(self, request: dict[str, Any], deadline_s: float) -> dict[str, str]:
        """The answer to ``request``; raises ``ChildDied``, also when the deadline had to kill it."""
        self.jobs += 1
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - for the type checker: it was opened as a pipe
        try:
            stdin.write(json.dumps(request).encode("ascii") + b"\n")
            return self._answer(time.monotonic() + deadline_s, deadline_s)
        except (OSError, ValueError) as error:
            self.kill()
            raise ChildDied(self._end()) from error

    def stop(self) -> None:
        """Let an idle child end by itself, and kill it when it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self.kill()

    def terminate(self) -> None:
        """End the process under another thread's job, which then raises ``ChildDied``."""
        self._process.kill()

    def kill(self) -> None:
        """End the process now, and reap it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _answer(self, deadline: float, deadline_s: float) -> dict[str, str]:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - for the type checker: it was opened as a pipe
        poll = select.poll()
        poll.register(stdout, select.POLLIN)
        data = b""
        while not data.endswith(b"\n"):
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not poll.poll(left_s * 1000):
                self.kill()
                raise ChildDied(f"it took longer than {deadline_s:.3g} s")
            more = os.read(stdout.fileno(), _LONGEST_ANSWER_BYTES)
            data += more
            if not more or len(data) > _LONGEST_ANSWER_BYTES:
                self.kill()
                raise ChildDied(self._end())
        answer: dict[str, str] = json.loads(data)
        return answer

    def _end(self) -> str:
        code = self._process.returncode
        if code is not None and code < 0:
            return f"the codec process died of {signal.Signals(-code).name}"
        return "the codec process ended"


def _environment() -> dict[str, str]:
    """Our own, with this package found first and one thread in numerical libraries (each maps memory)."""
    path = os.pathsep.join(filter(None, (_PACKAGE_PARENT, os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
