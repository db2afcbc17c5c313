# What people do here, by name. Scripts do the work where it is more than a line, so that CI runs the same.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

version  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# gin's MessagePack codec is dead weight here.
build    := CGO_ENABLED=0 go build -trimpath -tags nomsgpack
shoppers ?= 5000
pkg      ?= ./...

.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Run everything in one process; the data stays in ./seckill-data.
	go run ./cmd/seckill up

.PHONY: demo
demo: ## Run it with a sale that opens in a few seconds.
	go run ./cmd/seckill up --demo

.PHONY: crowd
crowd: ## Play shoppers against `make demo`, then check every answer (shoppers=5000).
	go run ./cmd/seckill crowd --shoppers $(shoppers)

.PHONY: audit
audit: ## Prove that every number in ./seckill-data adds up.
	go run ./cmd/seckill audit

.PHONY: test
test: ## Run all tests on real servers, as CI does (pkg=./internal/redis for some).
	./scripts/test $(pkg)

.PHONY: quick
quick: ## Run all tests without the race detector: faster, and nothing is installed.
	go test $(pkg)

.PHONY: cover
cover: ## Show what the tests do not reach, in the browser (pkg=./internal/redis for some).
	./scripts/test -coverprofile=coverage.out -coverpkg=./... $(pkg)
	go tool cover -html=coverage.out

.PHONY: bench
bench: ## Measure speed against bare gin, the naive way and bare inserts (QUICK=1 for a look, ONLY=names).
	CGO_ENABLED=0 go run -trimpath -tags nomsgpack ./loadtest/bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

.PHONY: lint
lint: ## Check import rules, limits, mistakes, formatting, go.mod and generated code.
	./scripts/lint

.PHONY: fmt
fmt: ## Format the code as the linter wants it.
	./scripts/lint fmt

.PHONY: generate
generate: ## Write the wire types anew from api/openapi.yaml.
	go generate ./...

.PHONY: docs
docs: ## Write docs/settings.md and seckill.example.yaml anew from the configuration's structs.
	go test ./internal/app -run TestDocs -update

.PHONY: build
build: ## Build one static binary, bin/seckill.
	$(build) -ldflags '-s -w -X main.version=$(version)' -o bin/seckill ./cmd/seckill

.PHONY: ci
ci: ## Do what continuous integration does.
	bash .ci/run

.PHONY: clean
clean: ## Remove what was built or measured; data and the pinned linter stay.
	rm -rf bin/seckill dist coverage.* loadtest/results
