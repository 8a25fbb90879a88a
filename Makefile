# The commands of this project. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run test mutants check format bench lock messages
SHELL := /bin/bash

# A supported Python, or one plain line that says what to do.
python = $$(sh tools/find-python)
venv = .venv/bin

help: ## list the commands
	@echo "make 命令 (commands):"
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: ## start the marketplace on this machine (启动平台)
	@python=$(python) && exec "$$python" tools/run.py

test: ## run all tests; TESTS=tests/unit narrows them (运行全部测试)
	@python=$(python) && exec "$$python" tools/test.py $(TESTS)

mutants: ## take each permission away and see the matrix notice; MUTANTS=needs narrows them (权限变异)
	@python=$(python) && "$$python" tools/setup.py --dev
	@$(venv)/python -m tests.integration.authz.mutants "$(MUTANTS)"

check: ## format, lint, types, import contracts, templates and assets (静态检查)
	@python=$(python) && "$$python" tools/setup.py --dev
	$(venv)/ruff format --check
	$(venv)/ruff check
	$(venv)/mypy
	$(venv)/lint-imports
	$(venv)/python -m pytest -q tests/house

format: ## rewrite the code in the house format (格式化)
	@python=$(python) && "$$python" tools/setup.py --dev
	$(venv)/ruff format
	$(venv)/ruff check --fix

messages: ## renew the catalogue of translations and list what is missing (更新译文目录)
	@python=$(python) && "$$python" tools/setup.py --dev
	@$(venv)/python tools/messages.py

bench: ## measure and record, judging nothing (性能测量)
	@python=$(python) && "$$python" tools/setup.py --dev
	$(venv)/python -m benchmarks

lock: ## pin the newest fitting versions with hashes (锁定依赖)
	@python=$(python) && "$$python" tools/setup.py --dev
	@bash tools/lock.sh
