# SPDX-License-Identifier: MIT
# The verbs. Everything real is in meson.build; this file only spells the commands.
BUILD := build
NINJA := ninja -C $(BUILD)

.PHONY: all setup iso run test soak bench conform-wine clean format help
all: setup $(BUILD)/build.ninja
	@$(NINJA)

setup:
	@scripts/setup

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) --cross-file tools/meson/cross.ini --native-file tools/meson/native.ini

iso: $(BUILD)/build.ninja
	@scripts/iso $(BUILD)

run: setup $(BUILD)/build.ninja
	@scripts/run $(BUILD)

test: setup $(BUILD)/build.ninja
	@scripts/test $(BUILD)

soak: setup $(BUILD)/build.ninja
	@scripts/soak $(BUILD)

conform-wine: setup $(BUILD)/build.ninja
	@scripts/conform-wine $(BUILD)

bench: setup $(BUILD)/build.ninja
	@scripts/bench $(BUILD)

format:
	@scripts/format --fix

clean:
	@rm -rf $(BUILD)

help:
	@echo "make            build everything"; \
	echo "make run        build the ISO, boot it, load a driver, show the answers"; \
	echo "make test       build, run every test"; \
	echo "make soak       build, run the long tests (about two hours)"; \
	echo "make conform-wine  build, run the kernel driver tests of Wine (fetched from the Debian archive)"; \
	echo "make iso        build the ISO, say how to start it"; \
	echo "make bench      print the benchmark table"; \
	echo "make format     lay the C files out"; \
	echo "make clean      remove the build folder"
