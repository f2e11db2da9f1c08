# Sluice. "make demo" and "make test" need nothing but Debian or Ubuntu with Swift: they install, build and run.
DURATION ?=
BOOTSTRAP ?=
PYTHON ?= python3
RUNS ?= 200
SEED ?= 1
# Seeds that nobody has tried: another first one with each commit.
FRESH_SEED = $(shell printf '%d' 0x$$(git rev-parse --short=7 HEAD | cut -c1-7))
SECONDS ?= 10
TARGET ?=

.PHONY: help demo test test-kafka exhaustive fuzz simulate simulate-fresh soak lint docs clean dependencies

help:
	@echo "make demo [DURATION=40]  the whole service on this machine, with data; without DURATION until Ctrl-C"
	@echo "make test                all tests"
	@echo "make test-kafka BOOTSTRAP=host:9092  what needs a real Kafka cluster: exactly-once under faults, the contract"
	@echo "make exhaustive          all tests, with those over every float32"
	@echo "make fuzz [SECONDS=600]  everything that parses bytes from outside under libFuzzer, or TARGET=json alone"
	@echo "make simulate [RUNS=200] [SEED=1]  the engine in a simulated world with faults, a run for each seed"
	@echo "make simulate-fresh      the same from a first seed that is the commit's: others with each commit"
	@echo "make soak                ten minutes of the demo's service with retrainings, judged; leaves soak/"
	@echo "make lint                the format of all Swift sources"
	@echo "make docs                the documentation catalogue as a web site in .build/docs; fails on a broken link"
	@echo "make clean               removes what was built"

demo: dependencies
	swift build -c release --product sluice
	.build/release/sluice demo $(if $(DURATION),--duration $(DURATION))

# Swift Testing only, so that its summary is the last line. Dictionaries in the same order each time, for simulated runs
# that are repeated.
test: dependencies
	swift build --build-tests
	SWIFT_DETERMINISTIC_HASHING=1 swift test --skip-build --disable-xctest

# ROUNDS and BROKERS are passed on: BROKERS='--broker-command "…" --brokers 1,2,3' restarts brokers too.
ROUNDS ?= 10
BROKERS ?=

test-kafka:
ifeq ($(BOOTSTRAP),)
	@echo "nothing is run: make test-kafka BOOTSTRAP=host:9092 names the Kafka cluster to test on"
else
	@$(PYTHON) -c 'import confluent_kafka, numpy, requests, safetensors, yaml' 2> /dev/null || { \
		echo "$(PYTHON) lacks what Tests/Contract/README.md lists; PYTHON=venv/bin/python names another"; exit 1; }
	@$(MAKE) dependencies
	swift build -c release --product sluice
	SLUICE_TEST_BOOTSTRAP=$(BOOTSTRAP) swift test --disable-xctest --filter "IntegrationTests|RealBrokerTests"
	$(PYTHON) Tests/Contract/check_contract.py --sluice .build/release/sluice --bootstrap $(BOOTSTRAP) \
		--delivery exactly-once
	$(PYTHON) Tests/Cluster/check_exactly_once.py --sluice .build/release/sluice --bootstrap $(BOOTSTRAP) \
		--rounds $(ROUNDS) $(BROKERS)
endif

exhaustive: dependencies
	SLUICE_EXHAUSTIVE=1 swift test -c release -Xswiftc -enable-testing --disable-xctest

fuzz: dependencies
	scripts/fuzz $(SECONDS) $(TARGET)

simulate: dependencies
	swift build --product sluice-simulate
	.build/debug/sluice-simulate --seed $(SEED) --runs $(RUNS)

simulate-fresh: dependencies
	swift build --product sluice-simulate
	.build/debug/sluice-simulate --seed $(FRESH_SEED) --runs 100

soak: dependencies
	@command -v python3 > /dev/null || scripts/install-dependencies python3
	swift build -c release --product sluice
	scripts/soak --sluice .build/release/sluice

lint:
	swift format lint --strict --recursive --parallel Sources Tests Package.swift Fuzz/Fuzzer Fuzz/Package.swift

docs:
	docc convert Sources/sluice/Sluice.docc --fallback-display-name Sluice --fallback-bundle-identifier sluice \
		--warnings-as-errors --output-path .build/docs

clean:
	rm -rf .build

dependencies:
	@scripts/install-dependencies
