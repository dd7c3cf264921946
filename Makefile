# make demo | test | check | bench | chaos | lock.  Python 3.11+ and make are all that is needed.
PYTHON ?= python3
VENV := .venv
# two processes halve the time on two cores; PYTEST="-n 0 tests/orders" runs a part in one
PYTEST ?= -n 2 --dist loadfile
RUN := $(VENV)/bin/python
export PORT ?= 8000

.PHONY: demo test check bench chaos lock format messages clean

demo: $(VENV)/.runtime
	@$(RUN) manage.py demo

test: $(VENV)/.dev
	@$(RUN) manage.py messages --compile
	@$(RUN) -m pytest $(PYTEST)

check: $(VENV)/.dev
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy .
	@$(VENV)/bin/lint-imports
	@$(RUN) manage.py makemigrations --check --dry-run
	@$(RUN) manage.py messages --check

bench: $(VENV)/.dev
	@$(RUN) -m benchmarks

ORDERS ?= 400
KILLS ?= 30
SEED ?= 7
chaos: $(VENV)/.dev
	@$(RUN) -m chaos --orders $(ORDERS) --kills $(KILLS) --seed $(SEED) $(if $(BREAK),--break $(BREAK))

format: $(VENV)/.dev
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

messages: $(VENV)/.dev
	@$(RUN) manage.py messages

lock:
	uv pip compile --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links -q requirements/runtime.in -o requirements/runtime.lock
	uv pip compile --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links -q requirements/dev.in -o requirements/dev.lock

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.lock | $(VENV)/bin/python
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	@touch $@

$(VENV)/.dev: requirements/dev.lock | $(VENV)/bin/python
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) .data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
