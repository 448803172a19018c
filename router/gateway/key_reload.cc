#include "router/gateway/key_reload.h"

#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

bool AsksForKeys(const Config& config) { return !config.keys.empty() || !config.keys_file.empty(); }

std::vector<std::filesystem::path> FilesOf(const Config& config) {
  std::vector<std::filesystem::path> files;
  for (const std::string& file : {config.file, config.keys_file}) {
    if (!file.empty()) files.emplace_back(file);
  }
  return files;
}

}  // namespace

std::shared_ptr<Access> MakeAccess(const Config& config) {
  return AsksForKeys(config) ? std::make_shared<Access>(config.keys) : std::make_shared<Access>();
}

KeyReload::KeyReload(Executor executor, std::shared_ptr<Access> access, const Config& loaded, Read read,
                     std::function<void()> on_change)
    : access_(std::move(access)),
      files_(FilesOf(loaded)),
      read_(std::move(read)),
      on_change_(std::move(on_change)),
      keys_(loaded.keys),
      tasks_(executor) {}

void KeyReload::Start() {
  if (!files_.empty()) tasks_.Spawn(WatchFiles(FileWatch(files_), [this] { Reload(); }));
}

Awaitable<void> KeyReload::Stop() {
  tasks_.Cancel();
  co_await tasks_.Join();
}

// Blocks the loop for as long as two small local files take, once a change.
void KeyReload::Reload() {
  auto config = read_();
  if (!config.ok()) {
    log::Error("keys are not reloaded, those in force stay: {}", MessageOf(config.status()));
    return;
  }
  if (access_->has_keys() && !AsksForKeys(*config)) {
    log::Error(
        "keys are not reloaded, those in force stay: a server that asks for keys goes without only after a "
        "restart");
    return;
  }
  if (config->keys == keys_) return;
  keys_ = std::move(config->keys);
  access_->Replace(keys_);
  log::Info("keys reloaded: {} in force", keys_.size());
  on_change_();
}

}  // namespace llm_router
