// Watching files that a running process reads again: keys, certificates.
//
// By asking the disk once a second: that sees every way a file is replaced (written, renamed over, a symbolic
// link turned, as Kubernetes does) and needs no descriptor. A file written twice within its file system's
// clock tick to the same size is seen once.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "broker_adapters/base/awaitable.h"

namespace llm_router {

// A value of one thread.
class FileWatch {
 public:
  explicit FileWatch(std::vector<std::filesystem::path> paths);

  // Whether any of the files came, went or changed since the last call (the first: since construction).
  bool Changed();

 private:
  using Stamp = std::array<int64_t, 5>;  // device, inode, size, seconds and nanoseconds of its last change
  std::vector<Stamp> Look() const;

  std::vector<std::filesystem::path> paths_;
  std::vector<Stamp> seen_;
};

// Calls `on_change` on the loop after every change, until cancelled.
Awaitable<void> WatchFiles(FileWatch watch, std::function<void()> on_change);

}  // namespace llm_router
