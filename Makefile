# One command each; `make` alone lists them. Comments after ## are the help text.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# A home that can be written to, for pip, npm and Chromium, also where there is none.
ifneq ($(shell [ -n "$$HOME" ] && [ -w "$$HOME" ] && echo writable),writable)
export HOME := $(CURDIR)/.cache/home
$(shell mkdir -p $(HOME))
endif
PY := .venv/bin/python
PYTEST ?= $(PY) -m pytest -n 2 --dist loadscope

.PHONY: help demo test test-all check lint format bench bench-soak setup clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.runtime  ## three hubs and two households on this machine; CAMERA=rtsp://... adds a real camera
	@exec .venv/bin/village-hub demo $(foreach url,$(CAMERA),--camera '$(url)')

test: setup  ## everything .ci/run runs: sets up what it needs, then `make check`
	@$(MAKE) check

test-all: setup  ## the same and the slow tests
	@$(MAKE) check MARKS='slow or not slow'

setup: .venv/.dev  ## what the tests need: Debian packages, .venv, interop clients
	@.ci/setup apt test
	@.ci/setup npm

check: MARKS ?= not slow
check: .venv/.dev  ## format, lint and types, then pytest, whose summary comes last
	@status=0; $(MAKE) lint || status=1; $(PYTEST) -m '$(MARKS)' || status=1; exit $$status

lint: .venv/.dev  ## ruff format --check, ruff check, mypy
	@status=0; set -x; \
	.venv/bin/ruff format --check . || status=1; \
	.venv/bin/ruff check . || status=1; \
	.venv/bin/mypy || status=1; \
	exit $$status

format: .venv/.dev  ## let ruff rewrite what it can
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

bench: .venv/.dev  ## every question of bench/README.md against its peer (needs root once, for packages)
	@.ci/setup apt bench
	@$(PY) -m bench

bench-soak: .venv/.dev  ## 40,000 joins and leaves: what is left behind
	@$(PY) -m bench.soak --cycles 40000

clean:  ## remove what make made
	@rm -rf .venv .cache .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

# Stamps: a second run finds nothing to do until pyproject.toml changes.
.venv/.runtime: pyproject.toml .ci/setup
	@.ci/setup venv runtime
.venv/.dev: pyproject.toml .ci/setup
	@.ci/setup venv dev
