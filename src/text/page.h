// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// A page for a browser in one file that needs nothing else. The policy in it lets the browser run
// the page's script and no other, and load nothing; names that come from a program are data, which
// the script shows as text.
#pragma once

#include <string>
#include <string_view>

namespace thrum::text {

struct Page {
  std::string_view body, style, script;  // ours, made by thrum_page() of CMakeLists.txt
  std::string_view data;                 // any bytes, for unpack() of page/base.js
};

std::string page(const Page& page);

}  // namespace thrum::text
