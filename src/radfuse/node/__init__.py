"""The DIMSE door: association events become use cases, errors become status codes."""

from radfuse.node.acceptance import AcceptancePolicy
from radfuse.node.server import NodeServer, NodeSettings

__all__ = ["AcceptancePolicy", "NodeServer", "NodeSettings"]
