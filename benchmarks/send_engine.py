"""Radfuse's job worker in a process of its own, which sends one study to sink after sink.

``python -m benchmarks.send_engine DATA STUDY`` says "ready", reads ports, one a line, sends the study as
a durable job to the sink at each, and answers with a line of seconds and its peak MiB. A line
"PORT tls" means over TLS, with the certificate in the data folder.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.memory import peak_rss_mib
from benchmarks.peers import CALLING_AE, HOST, SINK_AE
from radfuse.archive import Archive, ArchiveSettings
from radfuse.dicom import Transcoder
from radfuse.jobs import JobContext, Jobs, JobState, JobWorker
from radfuse.services.associating import Caller
from radfuse.services.certificates import TlsFolder
from radfuse.services.context_lists import ContextLists
from radfuse.services.peers import Peer, Peers
from radfuse.services.send import objects_of_studies
from radfuse.services.send_job import SEND, SendSurroundings, run_send, submit_send
from radfuse.wire import Limits
from radfuse.wire.tls import TlsIdentity

_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
_POLL_S = 0.02


def main() -> None:
    """Serve ports from standard input until its end."""
    data, study_uid = Path(sys.argv[1]), sys.argv[2]
    jobs, peers, lists = Jobs(data), Peers(data), ContextLists(data)
    made = TlsFolder.of(data)
    caller = Caller(CALLING_AE, Limits(), TlsIdentity(made.certificate(), made.key(), made.authority))
    with Archive(ArchiveSettings(data)) as archive, Transcoder() as transcoder:
        surroundings = SendSurroundings(lambda _name: archive, peers, lists, lambda _peer, _title: caller, transcoder)

        def kind(context: JobContext) -> None:
            run_send(context, surroundings)

        worker = JobWorker(jobs, {SEND: kind}, "benchmark")
        thread = threading.Thread(target=worker.run)
        thread.start()
        print("ready", flush=True)
        for line in sys.stdin:
            port, *words = line.split()
            peers.add(replace(Peer.parse(f"{SINK_AE}@{HOST}:{port}"), name=SINK_AE, tls="tls" in words))
            print(_send(jobs, peers, archive, study_uid), flush=True)
        worker.stop()
        thread.join()


def _send(jobs: Jobs, peers: Peers, archive: Archive, study_uid: str) -> str:
    """Seconds to find the objects, make the job and do it, without the time that it waits for its turn."""
    begin = time.perf_counter()
    number = submit_send(jobs, peers.by_name(SINK_AE), objects_of_studies(archive, [study_uid]))
    seconds = time.perf_counter() - begin
    while (job := jobs.get(number)).state in _UNFINISHED:
        time.sleep(_POLL_S)
    if job.state is not JobState.DONE or job.started_s is None or job.finished_s is None:
        return f"0 {job.message}"
    return f"{seconds + job.finished_s - job.started_s} {peak_rss_mib(os.getpid())}"


if __name__ == "__main__":
    main()
