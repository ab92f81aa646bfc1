#!/usr/bin/env bash
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# The checks that need no build: format, layers, memory orders. `lint.sh --fix` formats.
# clang-tidy needs one: see the preset tidy.
source "$(dirname "$0")/common.sh"

tools/lint_layers.py
tools/lint_orders.py

mode=(--dry-run -Werror)
if [[ ${1-} == --fix ]]; then
  mode=(-i)
fi

folders=()
for folder in include src tests bench examples; do
  [[ ! -d $folder ]] || folders+=("$folder")
done
find "${folders[@]}" -name '*.h' -o -name '*.cpp' | xargs clang-format-19 "${mode[@]}"
