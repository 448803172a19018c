// Where and how much the embedded broker's queues keep. A plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace llm_router {

struct QueueOptions {
  QueueOptions() = default;

  std::filesystem::path folder;
  size_t max_body = 32 * 1024 * 1024;                      // bytes
  uint64_t max_bytes = uint64_t{10} * 1024 * 1024 * 1024;  // of all that is kept
  size_t max_leased_bytes = 512 * 1024 * 1024;             // beyond it a Receive waits; leases are in memory
  std::string vfs;                                         // SQLite's name of one; empty: the system's
};

}  // namespace llm_router
