# Two commands do all the set-up: `make test` and `make study`. Both first make the environment in
# .venv from the pinned versions of constraints.txt; nothing is installed twice.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help environment test lint benchmark study constraints clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --group dev --editable '.[jax]'
	@touch $@

environment: $(INSTALLED)  ## create .venv with the pinned versions

clean:  ## remove the environment and the caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache build dist
