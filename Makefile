# Every target sets up what it needs; `make` alone says what there is.
.DEFAULT_GOAL := help
.PHONY: help demo test test-containers image lint type bench bench-compare chaos docs reference requirements clean

# The Python that .venv is made of: PYTHON3=/usr/bin/python3, say. See docs/performance.md.
PYTHON3 ?= python3
PYTHON := .venv/bin/python
STAMP := .venv/sagaline.stamp
SOURCES := sagaline schemas gateway_service order_service inventory_service payment_service \
	notification_service saga_orchestrator tests bench deploy

help: ## Print the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(STAMP): requirements/dev.txt deploy/bootstrap.py
	@$(PYTHON3) deploy/bootstrap.py

demo: $(STAMP) ## Start everything, place orders of every outcome, check the books, stop
	@./sagactl demo

test: $(STAMP) ## Run the whole suite, on a real Kafka and a real PostgreSQL
	@$(PYTHON) -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder

test-containers: $(STAMP) ## Run the end-to-end suite in containers: the servers; then all of it
	@if $(PYTHON) -m sagaline.testing.containers; then \
		$(PYTHON) -m pytest -rs tests/containers/servers tests/end_to_end \
			--sagaline-environment testcontainers && \
		$(PYTHON) -m pytest -rs tests/end_to_end tests/containers/compose \
			--sagaline-environment compose; \
	else echo 'make test-containers: everything is skipped.'; fi

lint: $(STAMP) ## Check style, names and who imports whom
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@.venv/bin/lint-imports
	@! git ls-files | grep -E '(^|/)(utils?|helpers?|common|misc)(\.py|/)' \
		|| { echo 'a function without a home shows a missing noun: name it'; exit 1; }

type: $(STAMP) ## Check types, strictly
	@$(PYTHON) -m mypy $(wildcard $(SOURCES))
	@cd examples/two_services && ../../$(PYTHON) -m mypy --config-file ../../pyproject.toml .

bench: $(STAMP) ## Measure each row on its own platform; ROWS=a,b RUNS=n SECONDS=s RECORD=1
	@$(PYTHON) -m bench $(if $(ROWS),--rows $(ROWS)) $(if $(RUNS),--runs $(RUNS)) \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(if $(RECORD),--record)

bench-compare: $(STAMP) ## Compare two recorded results, each a file or a revision: A=... B=...
	@$(PYTHON) -m bench.compare $(A) $(B)

chaos: $(STAMP) ## Kill and stop every part among 500 running orders; SEED=n repeats a run
	@$(PYTHON) -m pytest tests/chaos/test_any_moment.py tests/chaos/test_rolling.py -s --long-drill \
		$(if $(SEED),--sagaline-seed $(SEED))

image: ## Build the services' image; print its size and how soon a service in it answers
	@$(PYTHON3) deploy/image/measure.py

docs: $(STAMP) ## Check that the pages' links lead somewhere
	@$(PYTHON) deploy/check_links.py

reference: $(STAMP) ## Make docs/reference and dashboards from what they are about
	@$(PYTHON) -m sagaline.cli.reference
	@$(PYTHON) -m deploy.http_reference
	@$(PYTHON) -m deploy.dashboards

requirements: $(STAMP) ## Pin the newest versions that requirements/*.in allow
	@$(PYTHON) -m venv .venv/pins && .venv/pins/bin/pip install --quiet pip-tools
	@cd requirements && for name in service runtime dev; do \
		../.venv/pins/bin/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
		--output-file $$name.txt $$name.in; done

clean: ## Remove what was built here; the user's cache of downloads stays
	rm -rf .venv .sagaline .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache dist
