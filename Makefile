# stdops: `make help` lists what can be made. Needed are git, make, curl and Go 1.21 or newer (which fetches the Go
# version of go.mod by itself); no root, no C compiler. Node is needed only to change the browser app, whose build is committed.

# The compiler notes version and commit in the program, where git can tell them.
STAMP      := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo true || echo false)
TOOL       := go tool -modfile=tools/go.mod
CYCLES     ?= 100
STOPS      ?= 200
PASSES     ?= 2
HISTORIES  ?= 300
READS      ?= 200000
ORPHANS    ?= 100
CRASHES    ?= 300
STRIDE     ?= 4
RUNS       ?= 20000
SECONDS    ?= 60
SEED       ?= 0
ONE        ?= false
KILLS      ?= 200
ROUNDS     ?= 20
RESTARTS   ?= 5
CUTS       ?= 200
PARTITIONS ?= 4
STALLS     ?= 2
TAKEOVERS  ?= 3
ROLLS      ?= 10
FUZZTIME   ?= 20s
BENCHTIME  ?= 1s
# Tests that are long under the race detector and have no goroutines which others lack: of size, of many processes, of what
# decides in one goroutine, and controls, which do as the tests that they prove.
NORACE     := ^(TestCluster[A-Z].*|TestPostgres(Bench|Size|Doctor.*)|TestMemory|TestSize|TestArchive_of_very_many|TestAsAPlainUser|Test(No)?ControlGroup(OfAPlainUser)?|Test(Postgres)?Scripts|TestDecide.*|TestActionsAreWhatIsAccepted|Test(Model|ChildrenAgree|Linear|PowerLoss)Control|Test(YAML|Bundle)ComesBackTheSame)$$

# Only the race detector needs cgo; everything else is built the way that users get it.
export CGO_ENABLED := 0

.DEFAULT_GOAL := help
.PHONY: help build demo test conformance conformance-cluster crash faults chaos soak upgrade powerloss proof simulate web web-check browser screenshots bench-ui readme race lint fmt licences notices bench bench-postgres bench-large benchmarks fuzz ci clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/stdops
	go build -trimpath -buildvcs=$(STAMP) -ldflags '-s -w' -o bin/stdops ./cmd/stdops

demo: build ## build, start a server with example tasks in ./.demo and show how they stand (ctrl-c ends it)
	@exec bin/stdops demo

test: ## run all tests
	@scripts/test

conformance: build ## run the black-box cases against bin/stdops
	@scripts/conformance

conformance-cluster: ## run the black-box cases against three processes on one PostgreSQL database
	@help=$$(scripts/need postgres) || { echo "PostgreSQL is missing: $$help" >&2; exit 1; }
	go test -count=1 -timeout 10m -run '^TestCases$$' ./conformance -processes 3

crash: ## kill a server under load again and again (CYCLES=100), stop it (STOPS=200): nothing is lost; run scripts that run away (ORPHANS=100): none is left
	go test -count=1 -timeout 30m -run '^TestCrash$$' ./internal/app -cycles $(CYCLES)
	go test -count=1 -timeout 60m -run '^TestStopUnderLoad$$' ./internal/app -v -stops $(STOPS)
	go test -count=1 -timeout 30m -run 'Process$$|^TestAsAPlainUser$$' ./internal/plugin/script -orphans $(ORPHANS)

faults: ## crash a server at every named point in every kind of flow (PASSES=2), set its clock while it runs, and check that nothing is lost
	go vet -tags faults ./internal/fail ./internal/engine ./internal/service ./internal/app
	go test -count=1 -timeout 30m -tags faults -run '^(TestFaults|TestChildrenFaults|TestChildrenControl|TestCrashControl|TestEffectsControl|TestLinearWrongServer|TestClock|TestClockControl|TestVerifyOfAServerThatWasAhead)$$' ./internal/app -passes $(PASSES)

chaos: ## kill servers that share a PostgreSQL (KILLS=200), the PostgreSQL (RESTARTS=5), connections (CUTS=200); cut servers off (PARTITIONS=4), stop them (STALLS=2)
	go test -count=1 -timeout 0 -parallel 3 -v -run '^(TestCluster.*|TestVerifyDatabase)$$' ./internal/app -kills $(KILLS) -restarts $(RESTARTS) \
		-cuts $(CUTS) -partitions $(PARTITIONS) -stalls $(STALLS) -takeovers $(TAKEOVERS) -reads $(READS)
	go test -count=1 -timeout 0 -parallel 8 -v -tags faults -run '^TestCluster(Faults|.*Control|Clock|StallsWithoutAFence)$$' ./internal/app -passes $(PASSES)

soak: ## run chaos in ROUNDS=20, each with 250 kills on a database of its own, for three hours
	@for round in $$(seq $(ROUNDS)); do echo "round $$round of $(ROUNDS)"; $(MAKE) chaos KILLS=250 || exit 1; done

upgrade: ## let three servers of the version before the last migration become three of this one under load, one by one (ROLLS=10; needs the history)
	@scripts/upgrade $(ROLLS)

powerloss: ## let the power fail under a server and under the store (CRASHES=300), and its disk at every STRIDE=4th call: nothing is lost
	go test -count=1 -timeout 120m -parallel 8 -run '^TestPowerLoss' ./internal/app -v -crashes $(CRASHES)
	go test -count=1 -timeout 30m -run '^TestPowerLoss' ./internal/store -v -crashes $(CRASHES)
	go test -count=1 -timeout 30m -run '^(TestDiskFaults|TestOpenOnAFullDisk|TestCopyOfALiveStore)$$' ./internal/store -stride $(STRIDE) -copies 200

proof: ## run the long forms of the tests of what docs/durability.md promises (HISTORIES=300 READS=200000 RUNS=20000)
	go test -count=1 -timeout 10m -run '^TestPostgresPeriodicWorkGoesOnWithoutItsLeader$$' ./internal/queue -lease
	go test -count=1 -timeout 30m -run '^(TestLinear|TestReads)' ./internal/app -histories $(HISTORIES) -reads $(READS)
	go test -count=1 -timeout 60m -run '^(TestEngineAgreesWithModel|TestDecideRunsWhatANaiveInterpreterRuns)$$' ./internal/engine -rapid.checks $(RUNS)

simulate: ## run the engine in a simulated world for SECONDS=60 of a processor, from SEED=0 on (ONE=true: only that seed)
	go test -count=1 -timeout 0 -run '^TestSimulation$$' ./internal/engine -v -simulate $(SECONDS)s -seed $(SEED) -one=$(ONE)

web: ## build the browser app into web/dist, which is committed (needs Node)
	@help=$$(scripts/need node) || { echo "Node is missing or too old: $$help" >&2; exit 1; }
	cd web && npm ci && npm run build && node licences.mjs

web-check: ## check the browser app, that web/dist is its build (needs Node), and that a clone built without Node serves it
	@scripts/web-check
	@scripts/without-node

browser: build ## walk through the app in a real browser, with mouse and keyboard, and check all screens (needs Node and Chromium)
	@scripts/browser

screenshots: build ## take the pictures of docs/ui.md anew (needs Node and Chromium)
	@scripts/browser --pictures

bench-ui: build ## measure the graph and the board in a real browser (three minutes; needs Node and Chromium)
	@for program in node chromium; do help=$$(scripts/need $$program) || { echo "$$program is missing: $$help" >&2; exit 1; }; done
	cd web && { [ -d node_modules ] || npm ci; } && node perf/run.mjs

readme: build ## run the commands of the README
	@scripts/readme

race: export CGO_ENABLED := 1
race: ## run the tests under the race detector (needs a C compiler)
	@help=$$(scripts/need gcc) || { echo "the race detector needs a C compiler: $$help" >&2; exit 1; }
	go test -race -timeout 20m -skip '$(NORACE)' ./...
	go test -race -timeout 10m -run '^TestCluster(Kills|Reads)$$' ./internal/app

lint: ## check formatting and run the linters of .golangci.yml
	$(TOOL) golangci-lint fmt --diff
	go vet ./...
	$(TOOL) golangci-lint run

fmt: ## format all Go files
	$(TOOL) golangci-lint fmt

licences: ## check the licences of all dependencies and that THIRD_PARTY_NOTICES.md is current
	go -C tools test ./licences
	go -C tools run ./licences -root ..

notices: ## write THIRD_PARTY_NOTICES.md anew
	go -C tools run ./licences -root .. -write

bench: build ## measure this program against the least that could do the same work (a quarter of an hour; BENCHFLAGS, SIZEFLAGS, MEMORYFLAGS, WATCHFLAGS)
	bin/stdops bench status $(BENCHFLAGS)
	bin/stdops bench engine $(BENCHFLAGS)
	bin/stdops bench size $(SIZEFLAGS)
	bin/stdops bench memory --inputs internal/api/sops/testdata/badinputs.jsonl $(MEMORYFLAGS)
	bin/stdops bench watch $(WATCHFLAGS)

bench-postgres: build ## measure servers that share a PostgreSQL database, which is started for it (ten minutes; PGFLAGS)
	scripts/with-postgres bin/stdops bench postgres $(PGFLAGS)

bench-large: build ## measure answers of a PostgreSQL database with a million finished tasks (ten minutes, 8 GB of disk; LARGEFLAGS)
	scripts/with-postgres bin/stdops bench postgres-size $(LARGEFLAGS)

benchmarks: ## run the benchmarks of all packages (BENCHTIME=1s)
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

fuzz: ## fuzz every fuzz target for FUZZTIME=20s
	@scripts/fuzz $(FUZZTIME)

ci: ## run what CI runs
	.ci/run

clean: ## remove what was built and the data of the demo
	rm -rf bin .demo
