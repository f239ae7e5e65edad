# Needs only Python 3.11 or later with venv and pip; everything else goes into .venv.
PYTHON ?= python3
# Tests wait for processes as often as they compute: one more than the two cores this is meant for.
WORKERS ?= 3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: run test test-sqlite test-postgresql lint bench

run: $(INSTALLED)
	$(BIN)/python manage.py up $(ARGS)

# Both databases: all of the suite on SQLite, then what a database can change on PostgreSQL.
# No pipe and no `-` prefix: an exit code that is not 0 ends it here.
test: test-sqlite test-postgresql

test-sqlite: $(INSTALLED)
	TASKHUB_TEST_DATABASE=sqlite $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-postgresql: $(INSTALLED)
	TASKHUB_TEST_DATABASE=postgresql $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run
	TASKHUB_HTTPS=yes $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(INSTALLED)
	$(BIN)/python -m tests.bench $(ARGS)

# Made anew when the pinned versions change. Half an environment is none: the mark comes last.
$(INSTALLED): requirements/dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@
