#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# pkg_config.sh FOLDER_OF_PC_FILE BUILD_FOLDER COMPILER: no CMake anywhere.
set -euo pipefail
source=$(dirname "$0")/consumer.cpp
program=$2/pkg_config_consumer

read -ra flags <<<"$(PKG_CONFIG_PATH=$1 pkg-config --cflags --libs thrum)"
"$3" -std=c++20 "$source" -o "$program" "${flags[@]}"
"$program"
