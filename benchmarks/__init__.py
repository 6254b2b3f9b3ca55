"""Benchmarks: Radfuse and its peers side by side in one run, on the same files. Never part of the test suite."""
