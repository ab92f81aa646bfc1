# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# Sourced by every script here: stop at the first failure, and work from the top of the tree.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Most tests wait rather than compute; those that do not say how many they count for (PROCESSORS).
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$((4 * $(nproc)))}

log() { echo "thrum: $*" >&2; }
die() { log "$@"; exit 1; }
