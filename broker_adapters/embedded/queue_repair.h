// Opening the file of the embedded broker's queues, and mending one that is damaged.
//
// A damaged file is set aside as `queues.sqlite.damaged-<Unix seconds>`, with its `-wal`; every message that
// can still be read, and whose checksum holds, is carried over into a new file; the log says what was kept.
// What a crash leaves of a repair is finished, or begun again, by the next start. Before the loop runs.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/embedded/queue_file.h"

namespace llm_router {

struct OpenedQueueFile {
  OpenedQueueFile() = default;

  std::unique_ptr<SQLite::Database> database;
  std::unique_ptr<QueueFile> file;  // refers to it
};

// `vfs`: SQLite's name of one; empty: the system's. data_loss (fault storage_failed) when it can't be used.
absl::StatusOr<OpenedQueueFile> OpenQueueFile(const std::filesystem::path& path, const std::string& vfs);

// Damage was seen in use: whoever opens the file next repairs it. Any thread.
void MarkDamaged(const std::filesystem::path& path);

}  // namespace llm_router
