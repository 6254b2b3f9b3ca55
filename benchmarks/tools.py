"""DCMTK's command-line requestors as the same hand for all contestants."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import BenchmarkError
from benchmarks.peers import CALLED_AE, CALLING_AE, HOST, SINK_AE, environment

_LONGEST_S = 900


def require(program: str) -> None:
    """Say what to install when a requestor is not there."""
    if shutil.which(program) is None:
        raise BenchmarkError(f"{program} is not installed (Debian package dcmtk)")


def timed(commands: Sequence[Sequence[str]], nodelay: bool = True) -> float:
    """Run all at once; seconds from the first start to the last end. A failure of one fails all."""
    begin = time.perf_counter()
    running = [
        subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(nodelay), text=True
        )
        for command in commands
    ]
    try:
        complaints = [process.communicate(timeout=_LONGEST_S)[1].strip() for process in running]
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"{commands[0][0]} did not end within {_LONGEST_S} s") from None
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()
    elapsed_s = time.perf_counter() - begin
    for process, complaint in zip(running, complaints, strict=True):
        if process.returncode or "E: " in complaint:
            last = complaint.splitlines()[-1:] or ["nothing said"]
            raise BenchmarkError(f"{commands[0][0]} ended with {process.returncode}: {last[0]}")
    return elapsed_s


def storescu(port: int, what: Sequence[Path], nodelay: bool) -> float:
    """Send each of the folders (or files) in its own association, all at once; seconds."""
    head = ["storescu", "-aec", CALLED_AE, "-aet", CALLING_AE, HOST, str(port)]
    return timed([[*head, *(["+sd", "+r"] if path.is_dir() else []), str(path)] for path in what], nodelay)


def movescu(port: int, study_uid: str) -> float:
    """Have one study moved to the sink; seconds until the final response."""
    head = ["movescu", "-S", "-aec", CALLED_AE, "-aet", CALLING_AE, "-aem", SINK_AE]
    return timed([[*head, *_study(study_uid), HOST, str(port)]])


def getscu(port: int, study_uid: str) -> float:
    """Get one study with DCMTK's getscu, which throws it away; seconds until the final response."""
    head = ["getscu", "-S", "--ignore", "-aec", CALLED_AE, "-aet", CALLING_AE]
    return timed([[*head, *_study(study_uid), HOST, str(port)]])


def _study(study_uid: str) -> list[str]:
    return ["-k", "0008,0052=STUDY", "-k", f"0020,000D={study_uid}"]
