# make demo    install everything and serve a small generated study on this machine
# make test    install everything, the peers too, and run the tests
# make lint    ruff, mypy, import-linter, and the console's types, lints and tests (make lint-console: those alone)
# make bench   the benchmarks, beside the peers that are installed
# make docs    write the reference parts of docs/ from the code
# make screenshots   take the pictures of the console in docs/images
# make lock    bring requirements.lock up to date with pyproject.toml
# make clean   remove what the above made
#
# Nothing is installed outside .venv but Debian packages, and those only by root.

SHELL := /bin/bash
PYTHON ?= $(firstword $(shell command -v python3.11 python3))
VENV := .venv
BIN := $(VENV)/bin
PEERS ?= chromium dcmtk genisoimage libgdcm-tools orthanc p7zip-full plastimatch postgresql udftools
# Three test processes on two cores: half of the time a test waits for a service. WORKERS=0 runs the tests in one.
WORKERS ?= 3
TESTS ?=
# LONG=1 repeats the tests that draw their faults at random as often as a release should.
LONG ?=
export RADFUSE_TEST_LONG := $(LONG)
DATA ?= ./demo-data
BENCH ?= all

export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1

# What the console is built into, and from; the build itself goes by their digest (hatch_build.py).
CONSOLE := src/radfuse/web/static/.stamp
CONSOLE_SOURCES := $(shell find frontend -name node_modules -prune -o -type f -print)

.PHONY: demo test lint lint-console coverage bench docs screenshots lock install peers clean
.DEFAULT_GOAL := demo

demo: install
	$(BIN)/radfuse demo --data $(DATA)

install: $(VENV)/installed $(CONSOLE)

$(VENV)/installed: requirements.lock pyproject.toml scripts/make-venv
	@scripts/make-venv "$(PYTHON)" $(VENV)
	@touch $@

$(CONSOLE): hatch_build.py $(CONSOLE_SOURCES) | $(VENV)/installed
	@$(BIN)/python hatch_build.py

peers:
	@scripts/install-packages $(PEERS)

test: install peers
	@rm -f .coverage .coverage.*
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term $$(scripts/have-packages $(PEERS) >/dev/null || echo --cov-fail-under=0) $(TESTS)

lint: install lint-console
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-console: install
	$(BIN)/python hatch_build.py check

# After "make test": the rooms that must be covered to the last line.
coverage: install
	$(BIN)/coverage report --include='src/radfuse/core/*,src/radfuse/geometry/*' --fail-under=100

bench: install peers
	$(BIN)/python -m benchmarks $(BENCH)

docs: install
	$(BIN)/python -m scripts.reference
	$(BIN)/python -m scripts.media_tables

screenshots: install peers
	$(BIN)/python -m scripts.screenshots

lock: install
	$(BIN)/uv pip compile pyproject.toml --group dev --extra postgresql --universal --python-version 3.11 \
		--no-emit-index-url --generate-hashes --custom-compile-command "make lock" --quiet --upgrade -o requirements.lock

clean:
	rm -rf $(VENV) build dist frontend/node_modules src/radfuse/web/static demo-data .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
