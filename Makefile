# Each target first sets up what it needs, in .venv: `make run` installs what running needs only.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin

.PHONY: run test test-unit test-all test-containers test-pythons pictures chaos docs bench bench-rivals lint checkov lock clean

# Setting it up would empty the environment of another checkout.
ifneq ($(shell test -L .venv && echo link),)
$(error .venv is a symbolic link, and make would change the environment that it leads to; remove it: rm .venv)
endif

run: .venv/run-installed
	@exec $(BIN)/python run.py --port $(PORT) $(if $(filter command,$(origin HOST)),--host $(HOST)) $(if $(MODEL),--model '$(MODEL)')

test: .venv/dev-installed
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(TESTS)

# No process, no network: these are the tests to run after each change.
test-unit: .venv/dev-installed
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not process" $(or $(TESTS),tests/structure tests/unit)

# Everything: the slow tests too, more examples of each property, containers, and every Python on this machine.
test-all: .venv/dev-installed
	@$(BIN)/python -m pytest -n 2 --dist loadfile --hypothesis-profile long --timeout 1800
	@$(MAKE) --no-print-directory test-containers test-pythons

# Builds the images and runs the compose stack: needs a Docker engine.
test-containers: .venv/dev-installed
	@$(BIN)/python -m pytest $(or $(TESTS),tests/containers)

# The unit tests with each Python that is installed, or with those of PYTHONS, each in an environment of its own.
test-pythons: .venv/dev-installed
	@$(BIN)/python -m tests.pythons $(PYTHONS)

# Takes the pictures in README and the documents again.
pictures: .venv/dev-installed
	@PICTURES=keep $(BIN)/python -m pytest -q tests/browser/test_pictures.py

# Faults by the dozen under a real service, and a table of what callers lost by them. 1 if a promise was broken.
SEEDS ?= 3
SECONDS ?= 45
chaos: .venv/dev-installed
	@$(BIN)/python -m tests.chaos --seeds $(SEEDS) --seconds $(SECONDS)

# The guide that web serves under /guide. A warning is an error: a link that leads nowhere, say.
docs: .venv/dev-installed
	@$(BIN)/sphinx-build -q -W --keep-going -E -b html -d build/guide -c docs/site docs web/guide/site

bench: .venv/dev-installed
	@$(BIN)/python -m benchmarks $(BENCH)

# The rivals that need packages of their own, in an environment of their own: 1.2 GB.
bench-rivals: .venv/dev-installed
	@$(PYTHON) -m venv --clear .venv/rivals
	@.venv/rivals/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --requirement requirements/rivals.txt

lint: .venv/dev-installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tests.structure.lua
	@$(BIN)/hadolint Dockerfile

# In an environment of its own, since it pins what we use too, and weighs 300 MB.
checkov: .venv/dev-installed
	@$(BIN)/uv tool run --quiet --from checkov==3.3.30 checkov --config-file ecs/checkov.yaml

# What each stage downloads; `pip download` measures it.
RUN_MB := 140
DEV_MB := 200

# Made anew when what is pinned for running changes.
.venv/run-installed: requirements/run.txt client/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Paygrade needs Python 3.11 to 3.13; name one: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' \
	  || { echo "Python has no venv: apt-get install python3-venv" >&2; exit 2; }
	@echo "Installing up to $$(grep -c == $<) packages, about $(RUN_MB) MB, into .venv (once)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python requirements/install.py $<
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable ./client
	@touch $@

# Added to what running needs. If packages were removed from the list, `make clean` removes them here.
.venv/dev-installed: requirements/dev.txt .venv/run-installed
	@echo "Installing tests and tools: up to $$(grep -vxFf requirements/run.txt $< | grep -c ==) packages," \
	  "about $(DEV_MB) MB, into .venv (once)"
	@$(BIN)/python requirements/install.py $<
	@touch $@

# Pin what pyproject.toml asks for: versions and hashes for every Python from 3.11 on. Markers tell what differs.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml
NOT_FOR_WORKERS := scipy click-didyoumean click-plugins click-repl prompt-toolkit wcwidth
lock: .venv/dev-installed
	@$(LOCK) $(UPGRADE) --extra dev --output-file requirements/dev.txt
	@for extra in run ecs web train docs otel; do \
	  $(LOCK) --extra $$extra --constraint requirements/dev.txt --output-file requirements/$$extra.txt || exit 1; done
# Images of workers lack what only XGBoost's Python layer and Celery's commands import; `pip install --no-deps` takes such
# lists.
	@for extra in predictions worker; do \
	  $(LOCK) --extra $$extra --constraint requirements/dev.txt --output-file requirements/$$extra.txt \
	    $(addprefix --no-emit-package ,$(NOT_FOR_WORKERS)) || exit 1; done
	@$(subst pyproject.toml,requirements/rivals.in,$(LOCK)) $(UPGRADE) --override requirements/rivals-overrides.txt \
	  --output-file requirements/rivals.txt

clean:
	rm -rf .venv .data build web/guide/site .mypy_cache .ruff_cache .pytest_cache .hypothesis
