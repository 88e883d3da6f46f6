# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   make demo    compile and run the example on three simulated boards
#   make test    lint, then all tests
#   make help    the rest

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find CMakeLists.txt include lib tools python pyproject.toml \
             -type f -not -name '*.pyc' -not -path '*/__pycache__/*')
CXX_SOURCES := $(shell find include lib tools python/bindings examples test/python/pmsis -name '*.h' -o -name '*.cpp' -o -name '*.c')
DIGITS := examples/digits

.PHONY: demo test setup lint format check-quick docs clean help
.DELETE_ON_ERROR:

demo: setup ## Compile the digits example and run it on three simulated boards
	$(BIN)/tinyformer eval $(DIGITS)/digits.onnx --target stm32l4 --target stm32h7 --target gap9 \
	  --calibration $(DIGITS)/calibration.npz --data $(DIGITS)/test.npz

test: setup lint docs ## Lint, build the reference, run all tests
	$(BIN)/lit -sv test
	$(BIN)/python -m pytest -n auto

setup: $(VENV)/.installed ## Install everything into .venv

# The build requirements are installed once and kept, so that a rebuild compiles only what changed.
$(VENV)/.requirements: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "cannot make a virtual environment: on Debian, apt-get install python3-venv python3-dev" >&2; rm -rf $(VENV); exit 1; }
	$(BIN)/python -c "import tomllib; f = tomllib.load(open('pyproject.toml', 'rb')); \
	  print(*f['build-system']['requires'], *f['project']['dependencies'], \
	        *f['project']['optional-dependencies']['dev'], sep='\n')" > $@.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $@.txt
	touch $@

$(VENV)/.installed: $(VENV)/.requirements $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --config-settings=build-dir=build/wheel .
	touch $@

lint: $(VENV)/.requirements ## Formatting, style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CXX_SOURCES)

format: $(VENV)/.requirements ## Format all sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CXX_SOURCES)

check-quick: setup ## The tests that take a minute
	$(BIN)/lit -sv test
	$(BIN)/python -m pytest -m "not slow"

docs: setup ## Generate docs/reference/{dialect,armdsp,xpulp,passes}.md
	$(BIN)/python docs/generate.py

clean: ## Remove everything that was built
	rm -rf $(VENV) build docs/reference

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16
