# Everything a developer runs. Each target but clean makes the environment first;
# when that is up to date, doing so costs nothing.
#
#   make test ARGS="tests/test_tidy.py -x"    some tests, without the coverage report
#   make bench ARGS="--only tell --rounds 5"  one benchmark

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
EXTRAS := report,binance,bybit,ccxt,hyperliquid,ib,keyring
PACKAGES := holdfast_runtime,holdfast_domain,holdfast_actors,holdfast_adapters,holdfast
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PIP_INSTALL := $(PIP) install -c constraints.txt

# Beside the build, so that measured child processes leave nothing in the tree.
export COVERAGE_FILE := $(CURDIR)/build/coverage/data

.PHONY: setup demo test check format bench soak clean
.DEFAULT_GOAL := setup

setup: $(STAMP)

# The pip that comes with Python 3.11 knows no dependency groups, hence pip first.
# The build back end is one of the pins, so nothing is built in isolation.
$(STAMP): pyproject.toml constraints.txt
	@echo "setup: $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) pip
	@$(PIP_INSTALL) hatchling editables
	@$(PIP_INSTALL) --no-build-isolation --group dev -e '.[$(EXTRAS)]'
	@touch $@

demo: setup
	@$(BIN)/holdfast demo $(ARGS)

# Coverage starts before pytest does: our own pytest plugin imports the packages.
test: setup
ifeq ($(strip $(ARGS)),)
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(BIN)/coverage run -m pytest -q -n auto --dist worksteal
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report --skip-covered --skip-empty --fail-under=90
else
	@$(BIN)/python -m pytest $(ARGS)
endif

check: setup
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@rm -rf build/wheel
	@$(BIN)/python -m build --wheel --no-isolation --outdir build/wheel . >/dev/null
	@$(BIN)/check-wheel-contents --toplevel $(PACKAGES) build/wheel

format: setup
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

bench: setup
	@$(BIN)/python tests/benchmarks/run.py $(ARGS)

# A hundred thousand histories take about an hour on two cores.
soak: setup
	@$(BIN)/python -m pytest -q -m soak $(ARGS)
	@HOLDFAST_SAMPLE=all $(BIN)/python -m pytest -q -n auto --dist worksteal
	@$(BIN)/holdfast sim --seeds 100000 --jobs 2

# Leaves the environment, which is only ever rebuilt by hand: rm -rf .venv
clean:
	@rm -rf build dist .bench .coverage .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache
	@find runtime actors adapters tests examples -name __pycache__ -prune -exec rm -rf {} +
