// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#include "cli/tour/count.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace thrum::cli {
namespace {

// What a byte does to "inside a word": `keep` it if it is 1, then `set` it if that is 1.
struct Effect {
  std::uint8_t keep;
  std::uint8_t set;
};

constexpr std::array<Effect, 256> kEffects = [] {
  std::array<Effect, 256> effects{};
  for (std::size_t byte = 0; byte < effects.size(); ++byte) {
    const bool space = byte == ' ' || (byte >= '\t' && byte <= '\r');
    const bool prints = byte > ' ' && byte < 0x7f;
    effects[byte] = {static_cast<std::uint8_t>(!space), static_cast<std::uint8_t>(prints)};
  }
  return effects;
}();

void require(bool done) {
  if (!done) throw std::runtime_error("libcrypto: SHA-256 does not work");
}

}  // namespace

void WordCount::add(std::span<const char> piece) {
  counts_.bytes += piece.size();
  counts_.lines += static_cast<std::uint64_t>(std::ranges::count(piece, '\n'));
  unsigned in_word = in_word_;
  std::uint64_t words = 0;
  for (const char c : piece) {
    const Effect effect = kEffects[static_cast<unsigned char>(c)];
    const unsigned next = (in_word & effect.keep) | effect.set;
    words += next & ~in_word;
    in_word = next;
  }
  counts_.words += words;
  in_word_ = static_cast<std::uint8_t>(in_word);
}

Sha256::Sha256()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free),
      state_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
  begin();
}

void Sha256::begin() {
  require(algorithm_ && state_ && EVP_DigestInit_ex2(state_.get(), algorithm_.get(), nullptr) == 1);
}

void Sha256::add(std::span<const char> piece) {
  require(EVP_DigestUpdate(state_.get(), piece.data(), piece.size()) == 1);
}

Digest Sha256::finish() {
  Digest digest{};
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(state_.get(), digest.data(), &size) == 1 && size == digest.size());
  begin();
  return digest;
}

std::string hex(const Digest& digest) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace thrum::cli
