# Every target makes its own virtual environment first, so each works as the first command on a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check docs bench bench-serving bench-drift clean

demo: $(VENV)/.ready  ## a breast-cancer project from nothing to a gated champion that answers
	$(BIN)/python examples/demo.py

test: $(VENV)/.ready  ## the whole test suite; what it cannot find it skips, saying what to install
	$(BIN)/python -m pytest -n auto --dist loadgroup

check: $(VENV)/.ready  ## format, lint, types, import contracts: exactly what CI runs
	$(BIN)/ruff format --check src tests benchmarks examples docs
	$(BIN)/ruff check src tests benchmarks examples docs
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.ready  ## write the generated reference pages anew
	$(BIN)/python docs/generate.py

bench: $(VENV)/.ready  ## every benchmark, each a ratio against a peer in an environment of its own
	$(BIN)/python benchmarks/run.py

bench-serving: $(VENV)/.ready  ## trilho serve beside six other servers, the cost of its features, a soak, swaps; 45 min
	$(BIN)/python benchmarks/serving/run.py --markdown docs/guides/serving-speed.md

bench-drift: $(VENV)/.ready  ## false alarms and moves found by trilho, Evidently, NannyML on the same windows; 60 min
	$(BIN)/python benchmarks/drift_verdicts/run.py --markdown docs/guides/monitoring.md

clean:  ## remove what the other targets made
	rm -rf $(VENV) .bench demo .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[all]" --group dev
	touch $@
