// KeyReload: puts changed keys in force while the server runs.
//
// Reads the configuration again whenever one of the files it came from changed. What can't be read, or would
// leave a server that asks for keys without asking for any, changes nothing and is logged. Loop thread only;
// owned by the composition root, which ends it with `co_await Stop()`.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/base/file_watch.h"
#include "broker_adapters/base/task_group.h"
#include "router/config/config.h"
#include "router/gateway/access.h"

namespace llm_router {

class KeyReload {
 public:
  using Read = std::function<absl::StatusOr<Config>()>;

  // `loaded` is the configuration that `access` was made of. `on_change` runs after keys were replaced.
  KeyReload(Executor executor, std::shared_ptr<Access> access, const Config& loaded, Read read,
            std::function<void()> on_change);

  void Start();
  Awaitable<void> Stop();

  // Reads and compares now.
  void Reload();

 private:
  const std::shared_ptr<Access> access_;  // shared with the doors
  const std::vector<std::filesystem::path> files_;
  const Read read_;
  const std::function<void()> on_change_;
  std::vector<KeyConfig> keys_;  // in force
  TaskGroup tasks_;
};

// The Access that a configuration asks for.
std::shared_ptr<Access> MakeAccess(const Config& config);

}  // namespace llm_router
