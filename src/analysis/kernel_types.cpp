// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// The format is the kernel's Documentation/bpf/btf.rst.
#include "analysis/kernel_types.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace thrum::analysis {
namespace {

constexpr int kDeepest = 8;  // of nameless members in each other, and of names for names
constexpr std::size_t kBytesOfMost = 24;  // of one type, or fewer
constexpr std::size_t kMemberBytes = sizeof(btf_member);

// Returns how many bytes follow the head of a type; nothing for a kind that is not known.
std::optional<std::size_t> rest_of(std::uint32_t kind, std::uint32_t n) {
  switch (kind) {
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG:
      return 0;
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG:
      return sizeof(std::uint32_t);
    case BTF_KIND_ARRAY:
      return sizeof(btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return n * kMemberBytes;
    case BTF_KIND_ENUM:
      return n * sizeof(btf_enum);
    case BTF_KIND_FUNC_PROTO:
      return n * sizeof(btf_param);
    case BTF_KIND_DATASEC:
      return n * sizeof(btf_var_secinfo);
    case BTF_KIND_ENUM64:
      return n * 3 * sizeof(std::uint32_t);
    default:
      return {};
  }
}

}  // namespace

KernelTypes::KernelTypes(std::span<const unsigned char> btf, std::shared_ptr<const void> owner)
    : btf_(btf), owner_(std::move(owner)) {
  btf_header head{};
  if (btf_.size() < sizeof head) return;
  std::memcpy(&head, btf_.data(), sizeof head);
  const auto fits = [&](std::uint32_t at, std::uint32_t n) {
    return head.hdr_len <= btf_.size() && at <= btf_.size() - head.hdr_len &&
           n <= btf_.size() - head.hdr_len - at;
  };
  if (head.magic != BTF_MAGIC || !fits(head.type_off, head.type_len) ||
      !fits(head.str_off, head.str_len)) {
    return;
  }
  texts_ = std::size_t{head.hdr_len} + head.str_off;
  texts_end_ = texts_ + head.str_len;
  std::size_t at = std::size_t{head.hdr_len} + head.type_off;
  const std::size_t end = at + head.type_len;
  std::vector<std::uint32_t> starts{0};
  starts.reserve(head.type_len / kBytesOfMost);
  while (at < end) {
    if (end - at < sizeof(btf_type)) return;
    const std::uint32_t info = word(at + sizeof(std::uint32_t));
    const auto rest = rest_of(BTF_INFO_KIND(info), BTF_INFO_VLEN(info));
    if (!rest || end - at - sizeof(btf_type) < *rest) return;
    starts.push_back(static_cast<std::uint32_t>(at));
    at += sizeof(btf_type) + *rest;
  }
  starts_ = std::move(starts);
}

KernelTypes KernelTypes::of_this_kernel() {
  const int file = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (file < 0 || fstat(file, &status) != 0 || status.st_size <= 0) {
    if (file >= 0) close(file);
    return KernelTypes({});
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  // A kernel before 6.16 does not let it be mapped. To read it takes as long as all the rest.
  void* const mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (mapped != MAP_FAILED) {
    close(file);
    return KernelTypes({static_cast<const unsigned char*>(mapped), size},
                       {mapped, [size](void* at) { munmap(at, size); }});
  }
  const std::shared_ptr<unsigned char[]> bytes(new unsigned char[size]);  // not zeroed
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = read(file, bytes.get() + done, size - done);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  close(file);
  return KernelTypes({bytes.get(), done}, bytes);
}

std::uint32_t KernelTypes::word(std::size_t at) const {
  std::uint32_t value = 0;
  std::memcpy(&value, btf_.data() + at, sizeof value);
  return value;
}

std::string_view KernelTypes::text(std::uint32_t at) const {
  if (at >= texts_end_ - texts_) return {};
  const char* const begin = reinterpret_cast<const char*>(btf_.data()) + texts_ + at;
  return {begin, strnlen(begin, texts_end_ - texts_ - at)};
}

KernelTypes::Type KernelTypes::type(std::uint32_t id) const {
  if (id == 0 || id >= starts_.size()) return {};
  const std::size_t at = starts_[id];
  const std::uint32_t info = word(at + sizeof(std::uint32_t));
  return {BTF_INFO_KIND(info),       BTF_INFO_VLEN(info), word(at + 2 * sizeof(std::uint32_t)),
          BTF_INFO_KFLAG(info) != 0, text(word(at)),      at + sizeof(btf_type)};
}

std::uint32_t KernelTypes::find(Kind kind, std::string_view name) const {
  for (std::uint32_t id = 1; id < starts_.size(); ++id) {
    // The kind first: most names need not be looked at.
    if (BTF_INFO_KIND(word(starts_[id] + sizeof(std::uint32_t))) == static_cast<unsigned>(kind) &&
        text(word(starts_[id])) == name) {
      return id;
    }
  }
  return 0;
}

std::optional<std::uint32_t> KernelTypes::offset_in(std::uint32_t id, std::string_view member,
                                                    int depth) const {
  constexpr std::uint32_t kBitOffset = 0xffffff;  // beside it the size of a bit field
  const Type its = type(id);
  if (its.kind != BTF_KIND_STRUCT && its.kind != BTF_KIND_UNION) return {};
  for (std::uint32_t i = 0; i < its.n; ++i) {
    const std::size_t at = its.rest + i * kMemberBytes;
    const std::string_view name = text(word(at));
    const std::uint32_t bits = word(at + 2 * sizeof(std::uint32_t));
    const std::uint32_t offset = (its.has_bit_sizes ? bits & kBitOffset : bits) / 8;
    if (name == member) return offset;
    if (!name.empty() || depth == kDeepest) continue;
    if (const auto inner = offset_in(word(at + sizeof(std::uint32_t)), member, depth + 1)) {
      return offset + *inner;
    }
  }
  return {};
}

std::optional<std::uint32_t> KernelTypes::offset(std::string_view structure,
                                                 std::string_view member) const {
  return offset_in(find(Kind::structure, structure), member, 0);
}

std::uint32_t KernelTypes::arguments(std::uint32_t id) const {
  Type its = type(id);
  for (int i = 0; i < kDeepest && (its.kind == BTF_KIND_TYPEDEF || its.kind == BTF_KIND_PTR); ++i) {
    its = type(its.size_or_type);
  }
  return its.kind == BTF_KIND_FUNC_PROTO ? its.n : 0;
}

}  // namespace thrum::analysis
