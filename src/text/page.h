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

/// The files of a layer's folder page/, which thrum_page() of CMakeLists.txt puts into it as its
/// own `extern const text::PageSource kPageSource`.
struct PageSource {
  std::string_view body, style, script;
};

/// Returns the page; `data` is any bytes, for unpack() of page/base.js.
std::string page(const PageSource& source, std::string_view data);

}  // namespace thrum::text
