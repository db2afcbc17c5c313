# What people do here, by name. Scripts do the work where it is more than a line, so that CI runs the same.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

version  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# gin's MessagePack codec is dead weight here.
build    := CGO_ENABLED=0 go build -trimpath -tags nomsgpack
shoppers ?= 5000
schedules ?= 100000
from     ?= 1
minutes  ?= 10
seeds    ?= 6
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

.PHONY: drill
drill: ## Break a system of its own for an hour and check every promise, which takes 70 minutes (seeds=6, minutes=10 of each).
	./scripts/drill --seeds $(seeds) --minutes $(minutes)

.PHONY: audit
audit: ## Prove that every number in ./seckill-data adds up.
	go run ./cmd/seckill audit

.PHONY: test
test: ## Run all tests on real servers, as CI does (pkg=./internal/redis for some).
	./scripts/test $(pkg)

.PHONY: quick
quick: ## Run all tests without the race detector: faster, and nothing is installed.
	go test $(pkg)

.PHONY: fuzz
fuzz: ## Feed every decoder with what nobody would send, two at a time for three hours (FUZZTIME=5m each; pkg=./internal/redis, only=Notice).
	./scripts/fuzz $(if $(only),--only '$(only)') $(filter-out ./...,$(pkg))

.PHONY: cover
cover: ## Show what the tests do not reach, in the browser (pkg=./internal/redis for some).
	./scripts/test -coverprofile=coverage.out -coverpkg=./... $(pkg)
	go tool cover -html=coverage.out

.PHONY: sim
sim: ## Run the use cases through schedules of faults, and see that planted mistakes are noticed (schedules=100000, from=1; ONWARD=1 to go on when a promise is broken).
	SECKILL_SIM_MANY=1 go test ./internal/sim -run '^Test(Many|Search)$$' -v -count=1 -timeout 0 -schedules $(schedules) -from $(from) -survives 20000 $(if $(UPDATE),-update) $(if $(ONWARD),-onward)

.PHONY: bench
bench: ## Measure speed against bare gin, the naive way and bare inserts (QUICK=1 for a look, SCALE=1 for the limits, ONLY=names).
	CGO_ENABLED=0 go run -trimpath -tags nomsgpack ./loadtest/bench $(if $(QUICK),--quick) $(if $(SCALE),--scale) $(if $(ONLY),--only $(ONLY))

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
