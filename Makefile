# Everything runs in a virtual environment of its own: `make demo` and `make test` are all you need.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
WORKERS ?= 4
FUZZ_CASES ?= 20000
CHAOS_SECONDS ?= 180
SOAK_SECONDS ?= 900

.PHONY: demo test check dev bench fuzz soak services clean
.DEFAULT_GOAL := demo

demo: dev  ## the main job, live on the screen, no servers needed
	$(BIN)/fig demo

test: dev services  ## every test, in parallel
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

check: dev  ## format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	MYPYPATH=$(VENV)/src $(BIN)/mypy -p stranglerfig
	cd examples/helpdesk/legacy && ../../../$(BIN)/mypy --strict .
	cd $(VENV)/src && ../bin/lint-imports --config $(CURDIR)/pyproject.toml

bench: dev  ## each performance goal, one after the other
	@missed=0; for program in benchmarks/*.py; do \
	  echo "== $$program"; $(BIN)/python $$program || missed=1; done; exit $$missed

fuzz: dev  ## spoilt inputs for everything that reads what others wrote; FUZZ_CASES of them
	$(BIN)/python fuzz/run.py --cases $(FUZZ_CASES) --jobs $(WORKERS)

soak: dev services  ## bridges killed at random for minutes, and one watched for growth for 15
	$(BIN)/python tests/acceptance/chaos/run.py --seconds $(CHAOS_SECONDS)
	$(BIN)/python tests/acceptance/chaos/run.py --seconds $(CHAOS_SECONDS) --legacy mariadb
	$(BIN)/python tests/acceptance/chaos/soak.py --seconds $(SOAK_SECONDS)

services:  ## the database servers that tests start for themselves: PostgreSQL and MariaDB
	@missing=; as=; \
	ls /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres 2>/dev/null | grep -q . || missing="$$missing postgresql"; \
	[ -x /usr/sbin/mariadbd ] || command -v mariadbd >/dev/null || missing="$$missing mariadb-server"; \
	if [ -z "$$missing" ]; then echo "PostgreSQL and MariaDB are installed; tests start servers of their own"; exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "there is no apt-get here; install by hand:$$missing" >&2; exit 1; fi; \
	if [ "$$(id -u)" != 0 ]; then as=sudo; \
	  command -v sudo >/dev/null || { echo "we are not root and there is no sudo; install by hand:$$missing" >&2; exit 1; }; fi; \
	echo "installing with apt-get:$$missing"; \
	$$as apt-get update -q && \
	$$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing

dev: $(VENV)/.stamp  ## the virtual environment, with everything to work on this project

$(VENV)/.stamp: pyproject.toml
	$(PYTHON) -m venv $(VENV) || ( apt-get update -q && apt-get install -y -q python3-venv && $(PYTHON) -m venv $(VENV) )
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=24' 'setuptools>=77'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all,dev]'
	mkdir -p $(VENV)/src && ln -sfn "$(CURDIR)" $(VENV)/src/stranglerfig
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
