# Everything needs Python 3.11 or newer, make, git and a POSIX shell; nothing else is assumed on PATH.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down test test-newest lint browser chaos chaos-full bench dist clean
.NOTPARALLEL:
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
# The first Python that is new enough; override with PYTHON=...
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

help:
	@echo "make demo    watch a legacy database turn into domain events: starts all, checks all, stops all"
	@echo "make up      the same, but leaves everything running and says what to try next"
	@echo "make down    stops what 'make up' left running, and forgets its data"
	@echo "make test    the whole proof: style, types, import rules, every test (under 20 minutes on 2 cores)"
	@echo "make test-newest    tests without the stack, and a small demo, on the newest Python of this machine"
	@echo "make chaos   the fault laboratory: every fault some times, a table, a last line in JSON (under 40 minutes)"
	@echo "make chaos-full     every fault as often as its table says, resumable; results in .state/chaos-full.jsonl"
	@echo "make lint    style, types and import rules alone"
	@echo "make bench   throughput against a pass-through; the last line is JSON"
	@echo "make dist    wheel and source distribution into dist/"
	@echo "make setup   the virtual environment alone (every target above does it when needed)"
	@echo "make clean   removes environment, caches and state"

setup: $(VENV)/.project

$(VENV)/.requirements: requirements/all.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: put it on PATH, or say make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned packages into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/all.txt
	@touch $@

$(VENV)/.project: $(VENV)/.requirements pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@$(BIN)/python examples/demo

up: setup
	@$(BIN)/python examples/demo --keep

down: setup
	@$(BIN)/python examples/demo --stop

lint: setup
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

# Tests of pages need a real browser.
browser: setup
	@$(BIN)/python tests/browser/install.py

test: lint browser
	$(BIN)/python -m pytest -p tests.acceptance --acceptance -n 2 --dist loadgroup --no-loadscope-reorder

test-newest: setup browser
	@$(BIN)/python tests/newest.py

chaos: setup
	@$(BIN)/python -m tests.faults.lab

chaos-full: setup
	@mkdir -p .state
	@$(BIN)/python -m tests.faults.lab --full --results .state/chaos-full.jsonl

bench: setup
	@$(BIN)/python -m benchmarks

dist: setup
	@$(BIN)/python -m hatchling build -d dist

clean:
	@test ! -x $(BIN)/python || $(BIN)/python -m gateway.cli.main stack down --wipe
	rm -rf $(VENV) $(VENV)-newest .cache .state dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
