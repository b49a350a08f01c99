# `make` alone tells what there is. Everything runs in .venv, which is made by itself and
# renewed only when requirements.lock or pyproject.toml has changed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
UV ?= uv
MARKET ?= king-county
SEED ?= 1
FAULTS ?= 200
EVENTS ?= 1000000
VARIANT ?= both
QUICK ?=

VENV := .venv
RUN := $(VENV)/bin/python
LOCKED := $(VENV)/.locked
READY := $(VENV)/.ready

.PHONY: help bench demo story test chaos nightly check lock clean

help:
	@echo "make demo [MARKET=king-county|hdb]   the whole system on this machine, about 3 minutes"
	@echo "make story [VARIANT=both|price-shock|unit-error|none SEED=N]   a market changes: noticed, decided,"
	@echo "                                     retrained or not, about 10 minutes"
	@echo "make test                            all checks and all tests, as in CI"
	@echo "make chaos [SEED=1 FAULTS=200 EVENTS=1000000]   the promises under faults, about 25 minutes"
	@echo "make nightly                         test, chaos with the day for a seed, story: about 50 minutes"
	@echo "make bench [QUICK=1]                  ours beside its peers: speed, processor time, memory; 17 minutes (3)"
	@echo "make check                           lint, format, types and imports only"
	@echo "make lock                            requirements.lock anew from pyproject.toml (needs uv)"
	@echo "make clean                           remove .venv and caches; var/ stays"
	@echo
	@echo "PYTHON=/path/to/python3.11 names the interpreter that .venv is made with."

# Before anything is installed for it.
one_of = $(if $(filter $($1),$2),,$(error $1=$($1): choose one of: $2))
number = $(if $(shell [[ '$($1)' =~ ^[0-9]+$$ && '$($1)' -ge $2 ]] && echo yes),,$(error \
    $1=$($1): a whole number from $2 is needed))
ifneq ($(filter demo,$(MAKECMDGOALS)),)
$(call one_of,MARKET,king-county hdb)
endif
ifneq ($(filter story,$(MAKECMDGOALS)),)
$(call one_of,MARKET,king-county)
$(call one_of,VARIANT,both price-shock unit-error none)
endif
ifneq ($(filter chaos story,$(MAKECMDGOALS)),)
$(call number,SEED,0)
endif
ifneq ($(filter chaos,$(MAKECMDGOALS)),)
$(call number,FAULTS,1)
$(call number,EVENTS,1)
endif

demo: $(READY)
	@exec $(RUN) -m demo --market $(MARKET)

# The seed of the story is its own, unless one is named here.
story: $(READY)
	@exec $(RUN) -m demo.story --market $(MARKET) --variant $(VARIANT) \
	    $(if $(filter command,$(firstword $(origin SEED))),--seed $(SEED))

test: $(READY)
	@exec $(RUN) -m tests.check

chaos: $(READY)
	@exec $(RUN) -m tests.chaos --seed $(SEED) --faults $(FAULTS) --events $(EVENTS)

# What is too long for each push. Another night has another seed, and the chaos tells which.
nightly:
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory chaos SEED=$$(($$(date +%s) / 86400))
	@$(MAKE) --no-print-directory story

bench: $(READY)
	@exec $(RUN) -m bench all $(if $(QUICK),--quick)

check: $(READY)
	@exec $(RUN) -m tests.check --static

# --no-deps: the lock is complete, and pip refuses hashes beside the extras of evidently.
$(LOCKED): requirements.lock
	@version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || version=none; \
	if [ "$$version" != 3.11 ]; then \
	    echo "Python 3.11 is needed; PYTHON=$(PYTHON) is $$version." >&2; \
	    echo "Install it, or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; \
	    exit 1; \
	fi
	@echo "Setting up $(VENV) from requirements.lock (2 to 6 minutes the first time)"
	@[ -x $(RUN) ] || $(PYTHON) -m venv $(VENV) || { \
	    echo "$(PYTHON) cannot make virtual environments; on Debian: apt install python3.11-venv" >&2; \
	    rm -rf $(VENV); exit 1; }
	@$(RUN) -m pip install --no-deps --require-hashes --no-input --disable-pip-version-check \
	    -r requirements.lock | awk -v all="$$(grep -c == requirements.lock)" ' \
	        /^(Collecting|Requirement already satisfied)/ { if (++n % 20 == 0 || n == all) print "  " n " of " all " packages" } \
	        /^Installing/ { print "  installing" } { fflush() }'
	@touch $@

# setuptools comes from the lock too: nothing unpinned is fetched to build.
$(READY): $(LOCKED) pyproject.toml
	@$(RUN) -m pip install --quiet --no-deps --no-build-isolation --no-input \
	    --disable-pip-version-check -e .
	@touch $@

lock:
	@command -v $(UV) >/dev/null || { echo "uv is needed: pip install uv, or UV=/path/to/uv" >&2; exit 1; }
	$(UV) pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url \
	    --no-header --python-version 3.11 -o requirements.lock

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	    .import_linter_cache .coverage .coverage.* htmlcov
	@echo "var/ (broker data, models, archive) is yours: remove it by hand when you mean it"
