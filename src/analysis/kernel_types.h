// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace thrum::analysis {

/// The types of the running kernel, as it describes them itself (BTF). Every number that is not
/// part of the kernel's interface is looked up here: no header of a certain kernel is compiled in.
class KernelTypes {
 public:
  enum class Kind : std::uint8_t { structure = 4, type_name = 8 };

  /// Takes what /sys/kernel/btf/vmlinux holds, which `owner` keeps; anything else has no types.
  explicit KernelTypes(std::span<const unsigned char> btf, std::shared_ptr<const void> owner = {});
  /// Reads it; no types where there is none.
  static KernelTypes of_this_kernel();

  bool empty() const { return starts_.empty(); }
  /// Returns the number of a type; 0 if there is none of that name.
  std::uint32_t find(Kind kind, std::string_view name) const;
  /// Returns where a member is in a structure, in bytes; members of nameless members are its own.
  std::optional<std::uint32_t> offset(std::string_view structure, std::string_view member) const;
  /// Returns how many arguments the function has that a `btf_trace_...` type points to.
  std::uint32_t arguments(std::uint32_t type) const;

 private:
  struct Type {
    std::uint32_t kind = 0, n = 0, size_or_type = 0;
    bool has_bit_sizes = false;
    std::string_view name{};
    std::size_t rest = 0;  // where what follows begins
  };
  std::uint32_t word(std::size_t at) const;
  std::string_view text(std::uint32_t at) const;
  Type type(std::uint32_t id) const;
  std::optional<std::uint32_t> offset_in(std::uint32_t id, std::string_view member,
                                         int depth) const;

  std::span<const unsigned char> btf_;
  std::shared_ptr<const void> owner_;
  std::vector<std::uint32_t> starts_;  // of each type; number 0 is void
  std::size_t texts_ = 0, texts_end_ = 0;
};

}  // namespace thrum::analysis
