# Two commands do everything on a fresh machine: make demo, make test.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --quiet

.PHONY: env demo test test-slow check lock

# What the commands run and demo need.
env: .venv/installed

.venv/installed: requirements.lock
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed, this is %d.%d; try make PYTHON=python3.12" % v[:2])'
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements.lock
	touch $@

# What tests and training need as well.
.venv/installed-dev: .venv/installed requirements-dev.lock
	$(INSTALL) -r requirements-dev.lock
	touch $@

demo: .venv/installed
	$(BIN)/python run_pipeline.py demo

test: .venv/installed-dev check
	$(BIN)/python -m pytest -m "not slow" --numprocesses logical --dist loadgroup --no-loadscope-reorder

# What takes long: streams, clusters and processes that are killed, hundreds of damaged files.
test-slow: .venv/installed-dev
	$(BIN)/python -m pytest -m slow

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Pins dependencies for every platform, the same versions in both files; needs the package uv.
lock:
	$(LOCK) --extra dev --extra mtcnn --extra train --output-file requirements-dev.lock
	$(LOCK) --constraint requirements-dev.lock --output-file requirements.lock
