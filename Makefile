# make demo    install everything and serve a small generated study on this machine
# make test    install everything, the peers too, and run the tests
# make lint    ruff, mypy and import-linter
# make bench   the benchmarks, beside the peers that are installed
# make docs    write the reference parts of docs/ from the code
# make lock    bring requirements.lock up to date with pyproject.toml
# make clean   remove what the above made
#
# Nothing is installed outside .venv but Debian packages, and those only by root.

SHELL := /bin/bash
PYTHON ?= $(firstword $(shell command -v python3.11 python3))
VENV := .venv
BIN := $(VENV)/bin
PEERS ?= dcmtk orthanc postgresql
# Two test processes: the machines this is built for have two cores. WORKERS=0 runs the tests in one.
WORKERS ?= 2
TESTS ?=
DATA ?= ./demo-data
BENCH ?= all

export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1

.PHONY: demo test lint coverage bench docs lock install peers clean
.DEFAULT_GOAL := demo

demo: install
	$(BIN)/radfuse demo --data $(DATA)

install: $(VENV)/installed

$(VENV)/installed: requirements.lock pyproject.toml scripts/make-venv
	@scripts/make-venv "$(PYTHON)" $(VENV)
	@touch $@

peers:
	@scripts/install-packages $(PEERS)

test: install peers
	@rm -f .coverage .coverage.*
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term $$(scripts/have-packages $(PEERS) >/dev/null || echo --cov-fail-under=0) $(TESTS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# After "make test": the rooms that must be covered to the last line.
coverage: install
	$(BIN)/coverage report --include='src/radfuse/core/*' --fail-under=100

bench: install peers
	$(BIN)/python -m benchmarks $(BENCH)

docs: install
	$(BIN)/python -m scripts.reference

lock: install
	$(BIN)/uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 \
		--no-emit-index-url --generate-hashes --custom-compile-command "make lock" --quiet --upgrade -o requirements.lock

clean:
	rm -rf $(VENV) build dist demo-data .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
