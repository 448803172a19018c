#include "broker_adapters/base/file_watch.h"

#include <sys/stat.h>

#include <utility>

#include "broker_adapters/base/clock.h"

namespace llm_router {

FileWatch::FileWatch(std::vector<std::filesystem::path> paths) : paths_(std::move(paths)), seen_(Look()) {}

bool FileWatch::Changed() {
  auto now = Look();
  return std::exchange(seen_, now) != now;
}

std::vector<FileWatch::Stamp> FileWatch::Look() const {
  std::vector<Stamp> stamps;
  for (const auto& path : paths_) {
    struct stat facts{};
    Stamp& stamp = stamps.emplace_back();
    if (::stat(path.c_str(), &facts) != 0) continue;  // gone: all zero
    stamp = {static_cast<int64_t>(facts.st_dev), static_cast<int64_t>(facts.st_ino), facts.st_size,
             facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec};
  }
  return stamps;
}

Awaitable<void> WatchFiles(FileWatch watch, std::function<void()> on_change) {
  while (co_await Sleep(Now() + std::chrono::seconds(1))) {
    if (watch.Changed()) on_change();
  }
}

}  // namespace llm_router
