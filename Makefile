# Two commands do everything on a fresh machine: make demo, make test.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: env demo test test-slow check lock

env: .venv/installed

.venv/installed: requirements.lock
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed, this is %d.%d; try make PYTHON=python3.12" % v[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

demo: env
	$(BIN)/python run_pipeline.py demo

test: env check
	$(BIN)/python -m pytest -m "not slow" --numprocesses logical --dist loadgroup --no-loadscope-reorder

# What takes long: streams, clusters and processes that are killed, hundreds of damaged files.
test-slow: env
	$(BIN)/python -m pytest -m slow

check: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Pins every dependency anew, for every platform; needs the package uv.
lock:
	uv pip compile pyproject.toml --extra dev --extra mtcnn --extra train --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --quiet --output-file requirements.lock
