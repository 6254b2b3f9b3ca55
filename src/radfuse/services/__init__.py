"""Use cases, one file each, called by every door (DICOM node, command line, web)."""

from radfuse.services import (
    access,
    databases,
    demo,
    import_media,
    ingest,
    peers,
    query_peer,
    retrieve,
    search,
    send,
    transfer,
)

__all__ = [
    "access",
    "databases",
    "demo",
    "import_media",
    "ingest",
    "peers",
    "query_peer",
    "retrieve",
    "search",
    "send",
    "transfer",
]
