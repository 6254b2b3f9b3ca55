"""A pynetdicom receiver that writes what arrives to files, undecoded: its fastest honest use."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]


def main() -> None:
    """``python -m benchmarks.pynetdicom_receiver PORT FOLDER``: serve until terminated."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    numbers = count()

    def on_store(event: evt.Event) -> int:
        (folder / f"{next(numbers):08d}.dcm").write_bytes(event.encoded_dataset())
        return 0x0000

    entity = AE("BENCH")
    entity.supported_contexts = AllStoragePresentationContexts
    entity.add_supported_context(Verification)
    entity.start_server(("127.0.0.1", port), block=True, evt_handlers=[(evt.EVT_C_STORE, on_store)])


if __name__ == "__main__":
    main()
