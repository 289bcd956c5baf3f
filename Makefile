# Each target sets up what it needs; nothing has to be installed by hand but Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test test-long coverage lint bench clean system-packages

help:
	@echo "make demo       the main job on sample data, against the local sandbox"
	@echo "make test       the tests"
	@echo "make test-long  the longer kill and load tests"
	@echo "make coverage   the tests, with the share of lines they run; fails under 90 %"
	@echo "make lint       ruff, mypy, import-linter"
	@echo "make bench      the benchmarks; writes docs/performance.md"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("bulkupdate needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.11 …") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY)
	@$(BIN)/bulkupdate demo

test: $(READY) system-packages
	$(BIN)/python -m pytest -m "not long"

test-long: $(READY) system-packages
	$(BIN)/python -m pytest -m long

# Measuring takes nearly as long again as the tests themselves.
coverage: $(READY) system-packages
	$(BIN)/python -m pytest -m "not long" --cov --cov-report=term --cov-fail-under=90

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m benchmarks

# Chromium for the page's tests and LibreOffice for the sheets' tests, where apt can bring them.
system-packages:
	@sh tests/install_system_packages.sh

clean:
	rm -rf $(VENV) demo
