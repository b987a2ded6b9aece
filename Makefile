# run, test, bench, lint: each sets up all that it needs.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin

.PHONY: run test test-containers bench lint checkov lock clean

run: .venv/installed
	@exec $(BIN)/python run.py --host $(HOST) --port $(PORT)

test: .venv/installed
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(TESTS)

# Builds the images and runs the compose stack: needs a Docker engine.
test-containers: .venv/installed
	@$(BIN)/python -m pytest $(or $(TESTS),tests/containers)

bench: .venv/installed
	@$(BIN)/python -m benchmarks $(BENCH)

lint: .venv/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/hadolint Dockerfile

# In an environment of its own, since it pins what we use too, and weighs 300 MB.
checkov: .venv/installed
	@$(BIN)/uv tool run --quiet --from checkov==3.3.30 checkov --config-file ecs/checkov.yaml

# One environment for all of it, made again when what is pinned changes.
.venv/installed: requirements/dev.txt client/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Paygrade needs Python 3.11 to 3.13; name one: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' \
	  || { echo "Python has no venv: apt-get install python3-venv" >&2; exit 2; }
	@echo "Setting up .venv (once, about half a minute)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable ./client
	@touch $@

# Pin what pyproject.toml asks for: versions and hashes, the same for every Python from 3.11 on.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml
lock: .venv/installed
	@$(LOCK) $(UPGRADE) --extra dev --output-file requirements/dev.txt
	@for extra in ecs web worker train; do \
	  $(LOCK) --extra $$extra --constraint requirements/dev.txt --output-file requirements/$$extra.txt || exit 1; done

clean:
	rm -rf .venv .data .mypy_cache .ruff_cache .pytest_cache .hypothesis
