# `make test` and `make study` do all the set-up themselves: both first make the environment in
# .venv from the pinned versions of constraints.txt. Nothing is installed twice.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help environment test lint benchmark study saved-models constraints clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --group dev --editable '.[jax]'
	@touch $@

environment: $(INSTALLED)  ## create .venv with the pinned versions

test: $(INSTALLED)  ## run the checks and all tests, on TensorFlow and on JAX
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2
	KERAS_BACKEND=jax $(BIN)/python -m pytest -n 2 $(JAX_TESTS)

# What is written for both backends.
JAX_TESTS := tests/recurrence tests/layers tests/tracing tests/interventions/test_apply.py

lint: $(INSTALLED)  ## run the checks and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/mypy

benchmark: $(INSTALLED)  ## measure layers, tracing and exported models
	$(BIN)/python scripts/benchmarks/layers.py
	$(BIN)/python scripts/benchmarks/tracing.py
	$(BIN)/python scripts/benchmarks/export.py

STUDY := runs/she-her

study: $(INSTALLED)  ## from nothing to runs/she-her/report.html: which units hold gender?
	$(BIN)/textgate study $(STUDY)

# Trained as `make study` trains them; a run that is finished isn't trained again.
saved-models: $(INSTALLED)  ## train, export and document the models of saved_models/
	$(BIN)/textgate train $(STUDY)/lstm
	$(BIN)/textgate train $(STUDY)/gru --cell gru
	$(BIN)/python scripts/saved_models.py $(STUDY) --to saved_models

constraints: $(INSTALLED)  ## pin the newest versions that fit, for all supported Pythons
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --group dev \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade \
		pyproject.toml --output-file constraints.txt

clean:  ## remove the environment and the caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist
