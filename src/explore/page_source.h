// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The files of src/explore/page, which the build puts into the command.
#pragma once

#include <string_view>

namespace thrum::explore {

extern const std::string_view kPageBody;
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace thrum::explore
