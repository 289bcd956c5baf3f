# Each target creates the environment it needs; only Python 3.11 or newer and make must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTS ?= tests
# The tests start hundreds of Python processes, which need not compile the program each time.
unexport PYTHONDONTWRITEBYTECODE
# Three processes, as tests wait now and then; each with whole test files, so that what a file shares is made once.
PYTEST := -m pytest --numprocesses 3 --dist loadfile
# Tests of minutes: a process that is done takes over tests of another.
PYTEST_LONG := -m pytest --numprocesses 3 --dist worksteal

.PHONY: help demo test test-long test-postgres coverage lint mutants soak bench clean system-packages

help:
	@echo "make demo             the main job on sample data, against the local sandbox"
	@echo "make test             the tests (those that need Chromium or LibreOffice are skipped if these are missing)"
	@echo "make test TESTS=tests/runs   those of one package"
	@echo "make test-long        the longer tests: kills, load, fuzzing"
	@echo "make test-postgres    the tests of runs, quota, nights and page with the store in PostgreSQL"
	@echo "make system-packages  install Chromium, LibreOffice and PostgreSQL for the tests (Debian, as root)"
	@echo "make coverage         make test, with the share of lines and branches it runs; fails under 95 %"
	@echo "make lint             ruff, mypy, import-linter"
	@echo "make mutants          breaks the program in samples of places and names what no test noticed (30 minutes)"
	@echo "make soak             two hours of quota time, compressed to ten minutes, with kills and faults, on both stores"
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
ifdef COVERAGE
	$(BIN)/coverage erase
	$(BIN)/coverage run $(PYTEST) -m "not long" $(TESTS)
	$(BIN)/python -m tests.coverage_files
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
else
	$(BIN)/python $(PYTEST) -m "not long" $(TESTS)
endif

test-long: $(READY)
	@sh tests/install_system_packages.sh --list
	$(BIN)/python $(PYTEST_LONG) -m long $(TESTS)

# All tests of runs, quota, nights and page that are not long, once more with the store in PostgreSQL.
test-postgres: $(READY)
	@sh tests/install_system_packages.sh --list
	TESTS_STORE=postgres $(BIN)/python $(PYTEST) -m "not long" tests/runs tests/nightly tests/web tests/python_api \
		tests/sellercloud/test_rate_limit.py tests/cli/test_probing.py

# All tests that are not long, in all the processes that they start; `.ci/run` does the same.
coverage:
	@$(MAKE) test COVERAGE=yes

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

mutants: $(READY)
	$(BIN)/python -m tests.mutants

soak: $(READY)
	$(BIN)/python -m tests.soak

bench: $(READY)
	$(BIN)/python -m benchmarks

system-packages:
	@sh tests/install_system_packages.sh

clean:
	rm -rf $(VENV) demo
