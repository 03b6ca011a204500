# SPDX-License-Identifier: MIT
# The verbs. Everything real is in meson.build; this file only spells the commands.
BUILD := build
NINJA := ninja -C $(BUILD)

.PHONY: all setup iso run test bench clean format
all: $(BUILD)/build.ninja
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

bench: setup $(BUILD)/build.ninja
	@scripts/bench $(BUILD)

format:
	@scripts/format --fix

clean:
	@rm -rf $(BUILD)
