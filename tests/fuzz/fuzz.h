// What every fuzz target says when something does not hold: the sentence, and an end that libFuzzer keeps the
// input of.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace llm_router::fuzz {

inline void Must(bool holds, std::string_view otherwise) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(otherwise.size()), otherwise.data());
  std::abort();
}

inline std::string_view TextOf(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace llm_router::fuzz
