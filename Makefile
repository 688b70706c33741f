# Two commands to know: `make demo` and `make test`. Both set up what they need, and are quick the second time.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# jsii (under the CDK) would otherwise take the first node of the machine, of whatever age.
export JSII_NODE := $(CURDIR)/$(BIN)/node
# Nothing is written into HOME, which may be read-only.
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/build/jsii
export CDK_HOME := $(CURDIR)/build/cdk-home
# A .venv knows its place and its Python: one that was moved, copied, left unfinished or whose Python went is made anew.
SET_UP := $(shell $(BIN)/python -c '' 2>/dev/null && cat $(READY) 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-frameworks test-clients check format protos lock synth layers sam-local bench bench-publish bench-growth bench-servers clean
ifneq ($(SET_UP),$(CURDIR))
.PHONY: $(READY)
endif

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## .venv, node and the CDK command line

$(READY): requirements/dev.txt pyproject.toml package.json package-lock.json
	@echo "setting up .venv, node and the CDK: a minute or two, once"
	@test "$(SET_UP)" = "$(CURDIR)" || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON): expected Python 3.11 or newer; name another, as in: make $(MAKECMDGOALS) PYTHON=python3.13"; exit 1; }
	@test "$(SET_UP)" = "$(CURDIR)" || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/npm ci --cache build/npm --loglevel=error --no-audit --no-fund --no-update-notifier >/dev/null
	@echo "$(CURDIR)" > $@

demo: setup ## deploy the stack to the local twin, publish real models, predict over HTTP, keep serving (PORT=8080; ONCE=1: stop after)
	@$(BIN)/python -m examples.demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

test: setup ## the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile

# One environment per framework, of the packages that requirements/frameworks/<name>.txt pins.
FRAMEWORKS ?= sklearn boosting torch tensorflow mlflow huggingface

test-frameworks: setup $(FRAMEWORKS:%=build/frameworks/%/.ready) ## every framework's models through the gate (FRAMEWORKS="torch": only some)
	@rm -f build/frameworks/results.jsonl
	@for name in $(FRAMEWORKS); do \
		PYTHONPATH=$(CURDIR) build/frameworks/$$name/bin/python -m pytest -q tests/frameworks/test_$$name*.py \
			--results build/frameworks/results.jsonl || exit 1; \
	done
	@$(BIN)/python -m tests.frameworks.table build/frameworks/results.jsonl

# torch comes first, with pip, which takes a wheel for processors alone where there is one: its hash is not the registry's.
build/frameworks/%/.ready: requirements/frameworks/%.txt | setup
	@$(BIN)/python -m venv --clear $(@D)
	@torch=$$(grep -hx 'torch==.*' requirements/frameworks/$*.in); \
		test -z "$$torch" || $(@D)/bin/python -m pip install --quiet --disable-pip-version-check $$torch
	@$(BIN)/uv pip install --quiet --python $(@D)/bin/python --no-deps --require-hashes -r $<
	@touch $@

# One environment per client library, of the packages that requirements/clients/<name>.txt pins: nothing of ours is in it.
CLIENTS ?= triton tensorflow-serving mlflow kserve schemathesis

test-clients: setup $(CLIENTS:%=build/clients/%/.ready) ## real clients, unmodified, against a server (CLIENTS="triton": only some)
	@for name in $(CLIENTS); do \
		PYTHONPATH=$(CURDIR) build/clients/$$name/bin/python -m pytest -q tests/clients/test_$$(echo $$name | tr - _)*.py \
			--server-python $(CURDIR)/$(BIN)/python || exit 1; \
	done

build/clients/%/.ready: requirements/clients/%.txt | setup
	@$(BIN)/python -m venv --clear $(@D)
	@$(BIN)/uv pip install --quiet --python $(@D)/bin/python --no-deps --require-hashes -r $<
	@touch $@

check: setup ## format, lint, types, import direction
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/unit/test_import_direction.py tests/unit/test_repository.py

format: setup ## rewrite the sources as `make check` wants them
	@$(BIN)/ruff format --quiet
	@$(BIN)/ruff check --quiet --fix

protos: setup ## make the message modules of handlers/server/grpc/protos anew from its .proto files
	@$(BIN)/python -m tests.build.protos

lock: setup ## make the hash-pinned requirement files anew
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --upgrade -o requirements/dev.txt
	@$(BIN)/uv pip compile pyproject.toml --extra serve --extra grpc --excludes requirements/serve-excludes.txt --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --upgrade -o requirements/serve.txt
	@$(BIN)/python -m layers.lock
	@for name in $(FRAMEWORKS); do \
		$(BIN)/uv pip compile requirements/frameworks/$$name.in --excludes requirements/frameworks/excludes.txt --universal \
			--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --upgrade \
			-o requirements/frameworks/$$name.txt || exit 1; \
	done
	@for name in $(PEERS); do \
		$(BIN)/uv pip compile requirements/benchmarks/$$name.in --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-header --quiet --upgrade -o requirements/benchmarks/$$name.txt || exit 1; \
	done
	@for name in $(CLIENTS); do \
		$(BIN)/uv pip compile requirements/clients/$$name.in --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-header --quiet --upgrade -o requirements/clients/$$name.txt || exit 1; \
	done

synth: setup ## the template as it goes to AWS, into cdk.out, checked by the CDK's own validator
	@cdk synth --quiet --no-notices

layers: setup ## build the Lambda layers, print bytes per package
	@$(BIN)/python -m layers build inference
	@$(BIN)/python -m layers build control

sam-local: setup ## the same stack under `sam local start-api` (needs Docker or podman: docs/sam-local.md)
	@$(BIN)/python -m local.sam

bench: setup ## cold and warm against the floor and a tutorial's handler; writes benchmarks/results/
	@$(BIN)/python -m benchmarks

bench-publish: setup ## what the gate writes against the default ONNX file: load, first answer, warm, memory
	@$(BIN)/python -m benchmarks.publish

bench-growth: setup ## models in the store, open sessions, rows in a request: what grows with them, and what does not
	@$(BIN)/python -m benchmarks.growth

# One environment per server that Warmstart is compared with, of the packages that requirements/benchmarks/<name>.txt pins.
PEERS := mlserver bentoml mlflow litserve

bench-servers: setup $(PEERS:%=build/benchmarks/%/.ready) ## `warmstart serve` against other servers: req/s, first answer, memory (needs wrk)
	@$(BIN)/python -m benchmarks.servers

# Compiled now, as pip does it: else each server's first start would do it.
build/benchmarks/%/.ready: requirements/benchmarks/%.txt | setup
	@$(BIN)/python -m venv --clear $(@D)
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(@D)/bin/python --no-deps --require-hashes -r $<
	@touch $@

clean: ## remove what was built (not .venv)
	@rm -rf build cdk.out .warmstart
