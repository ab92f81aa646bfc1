#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# Every test under the address, undefined behaviour and thread sanitizers, with no suppressions.
source "$(dirname "$0")/common.sh"

for preset in asan tsan; do
  ci/test.sh "$preset"
done
