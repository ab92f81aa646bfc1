// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// What is counted of a file's bytes.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace thrum::cli {

/// What `wc` counts.
struct Counts {
  std::uint64_t lines = 0;  ///< newlines
  std::uint64_t words = 0;
  std::uint64_t bytes = 0;

  Counts& operator+=(const Counts& other) {
    lines += other.lines;
    words += other.words;
    bytes += other.bytes;
    return *this;
  }
  bool operator==(const Counts&) const = default;
};

/// Counts as `LC_ALL=C wc` of GNU coreutils 9.1 does, piece by piece: a word is a run of bytes that
/// are not white space, at least one of which is printable ASCII.
class WordCount {
 public:
  void add(std::span<const char> piece);
  const Counts& counts() const { return counts_; }

 private:
  Counts counts_;
  std::uint8_t in_word_ = 0;
};

using Digest = std::array<unsigned char, 32>;

/// SHA-256, again and again.
class Sha256 {
 public:
  /// Throws  std::runtime_error if libcrypto refuses; as the others.
  Sha256();
  void add(std::span<const char> piece);
  /// Returns the digest of what was added, and begins anew.
  Digest finish();

 private:
  void begin();

  std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm_;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state_;
};

/// Returns the digest in hexadecimal.
std::string hex(const Digest& digest);

}  // namespace thrum::cli
