# Two commands matter: `make demo` and `make test`. Both install what they need into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Two processes, a file to each at a time, in the order of the folders: the long files are not left for the end.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: install demo test lint lock clean

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) docker/check_machine.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	-$(BIN)/python -m graph.engine.prepare # the engine's files, ahead of its first start; offline, that fetches them
	@touch $(STAMP)

demo: install
	$(BIN)/dumbbell demo

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The whole suite on the Neo4j that new homes get, then what speaks Cypher on the long-term line.
test: install lint
	$(PYTEST)
	DUMBBELL_TEST_NEO4J=5.26 $(PYTEST) tests/cypher tests/graph tests/matching/test_answers.py \
		--ignore tests/graph/calls --ignore tests/graph/engine

lock: install
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
