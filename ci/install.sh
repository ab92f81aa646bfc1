#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# Installs the library and uses it as a stranger would: CMake package, pkg-config, add_subdirectory.
source "$(dirname "$0")/common.sh"

exec ci/test.sh default --label-regex '^install$'
