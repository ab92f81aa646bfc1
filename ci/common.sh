# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# Sourced by every script here: stop at the first failure, and work from the top of the tree.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$(nproc)}

log() { echo "thrum: $*" >&2; }
die() { log "$@"; exit 1; }
