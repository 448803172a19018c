// Where and how long the embedded broker keeps stored events. A plain value.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "broker_adapters/base/clock.h"

namespace llm_router {

struct StoredOptions {
  StoredOptions() = default;

  std::filesystem::path folder;
  size_t max_body = 32 * 1024 * 1024;                      // bytes
  uint64_t max_bytes = uint64_t{10} * 1024 * 1024 * 1024;  // beyond it the oldest go
  std::chrono::milliseconds max_age = std::chrono::hours(24);
  std::chrono::milliseconds sweep = std::chrono::seconds(30);  // how often it looks for old ones
  std::function<int64_t()> unix_nanos = UnixNanos;             // the clock of ages; any thread
  std::string vfs;                                             // SQLite's name of one; empty: the system's
};

}  // namespace llm_router
