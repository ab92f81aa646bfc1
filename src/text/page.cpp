// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "text/page.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace thrum::text {
namespace {

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size))));
  return text;
}

// As a Content-Security-Policy names what may run.
std::string hash_of(std::string_view source) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(source.data(), source.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return fmt::format("'sha256-{}'", base64(digest.data(), size));
}

std::string packed(std::string_view data) {
  uLongf size = compressBound(data.size());
  std::vector<unsigned char> bytes(size);
  if (compress2(bytes.data(), &size, reinterpret_cast<const Bytef*>(data.data()), data.size(), 6) !=
      Z_OK) {
    throw std::runtime_error("the page's data cannot be packed");
  }
  return base64(bytes.data(), size);
}

}  // namespace

std::string page(const PageSource& source, std::string_view data) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {}; "
      "style-src {}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>thrum</title>\n"
      "<style>{}</style></head>\n<body>{}"
      "<script type=\"application/octet-stream\" id=\"data\">{}</script>\n"
      "<script>{}</script></body></html>\n",
      hash_of(source.script), hash_of(source.style), source.style, source.body, packed(data),
      source.script);
}

}  // namespace thrum::text
