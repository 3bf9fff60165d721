# Quartermaster: `make demo` shows it, `make test` checks it. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.installed
# Extra arguments for pytest, for example: make test ARGS="tests/erp_core -k gate"
ARGS ?=
# One worker more than a small machine has cores: some tests wait for processes of their own.
PYTEST = $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# Processes that the demo and the tests start import a thousand modules: they find their bytecode from the second start on.
unexport PYTHONDONTWRITEBYTECODE

# An environment does not survive a move of the clone or the loss of its interpreter: it is built again.
STALE := $(shell if [ -f $(STAMP) ]; then [ "$$(cat $(STAMP))" = "$$(pwd -P)" ] && [ -x $(BIN)/python ] || echo stale; fi)

.PHONY: help install demo test check style types tests format prove bench lock clean stale

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Create the environment in .venv (nothing to do the second time)
	@:

$(STAMP): requirements.lock pyproject.toml $(STALE)
	@PYTHON="$(PYTHON)" scripts/bootstrap

demo: install ## Load the demo company, train, scan, and serve the console
	@$(BIN)/quartermaster demo

test: install style ## Check style, types and walls, and run the tests
	@scripts/test-services
	@$(MAKE) --no-print-directory -j 2 types tests

check: install style types ## Check style, types and walls alone

style: install
	@echo "==> ruff" && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .

types: install
	@echo "==> mypy" && $(BIN)/mypy
	@echo "==> lint-imports" && $(BIN)/lint-imports --no-logo

tests: install
	@echo "==> pytest" && QUARTERMASTER_TEST_SIZE=small $(PYTEST) $(ARGS)

format: install ## Sort imports and format the code
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format .

prove: install ## Run the tests at full size: slow, measures what the small size cannot
	@scripts/test-services
	@QUARTERMASTER_TEST_SIZE=full $(PYTEST) --timeout 3600 $(ARGS)

bench: install ## Run the benchmarks
	@scripts/test-services bench
	@$(BIN)/python -m benchmarks $(ARGS)

lock: ## Resolve pyproject.toml into requirements.lock (UPGRADE=--upgrade for newer versions)
	@test -x $(BIN)/uv || { echo "error: run 'make install' first" >&2; exit 1; }
	@$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --extra dev $(UPGRADE) pyproject.toml --output-file requirements.lock
	@! grep -nE '://|^ *--(find-links|index|extra-index|trusted-host)' requirements.lock || \
		{ echo "error: requirements.lock names a host or an index" >&2; exit 1; }
	@echo "requirements.lock: $$(grep -c '^[a-z0-9].*==' requirements.lock) packages"

clean: ## Stop the test services and remove caches and build output; keeps .venv
	@scripts/test-services stop
	@rm -rf build dist *.egg-info .coverage .coverage.* htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . \( -path ./.venv -o -path ./.git \) -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
