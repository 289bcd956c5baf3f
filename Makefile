# Each target creates the environment it needs; only Python 3.11 or newer and make must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Two processes, each with whole test files, so that what a file shares is made once.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

.PHONY: help demo test test-long coverage lint bench clean system-packages

help:
	@echo "make demo             the main job on sample data, against the local sandbox"
	@echo "make test             the tests (those that need Chromium or LibreOffice are skipped if these are missing)"
	@echo "make test-long        the longer tests: kills, load, fuzzing"
	@echo "make system-packages  install Chromium and LibreOffice for the tests (Debian, as root)"
	@echo "make coverage         the tests, with the share of lines they run; fails under 90 %"
	@echo "make lint             ruff, mypy, import-linter"
	@echo "make bench            the benchmarks; writes docs/performance.md"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("bulkupdate needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.11 …") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY)
	@rm -rf demo
	@$(BIN)/bulkupdate demo

test: $(READY)
	@sh tests/install_system_packages.sh --list
	$(PYTEST) -m "not long"

test-long: $(READY)
	@sh tests/install_system_packages.sh --list
	$(PYTEST) -m long

# Measuring takes nearly as long again as the tests themselves.
coverage: $(READY)
	$(PYTEST) -m "not long" --cov --cov-report=term --cov-fail-under=90

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m benchmarks

system-packages:
	@sh tests/install_system_packages.sh

clean:
	rm -rf $(VENV) demo
