"""The command line: commands for people and scripts, each calls the app or one service."""

from radfuse.cli.program import main

__all__ = ["main"]
