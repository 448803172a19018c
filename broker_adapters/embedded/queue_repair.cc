#include "broker_adapters/embedded/queue_repair.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <system_error>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/queue_salvage.h"
#include "broker_adapters/embedded/queue_schema.h"

namespace llm_router {
namespace {

namespace fs = std::filesystem;

fs::path With(fs::path path, const std::string& suffix) {
  path += suffix;
  return path;
}
fs::path WalOf(const fs::path& path) { return With(path, "-wal"); }
fs::path MarkOf(const fs::path& path) { return With(path, ".repair"); }
fs::path NewOf(const fs::path& path) { return With(path, ".new"); }
fs::path CopyOf(const fs::path& path) { return With(path, ".copy"); }

fs::path AsideOf(const fs::path& path) {
  int64_t seconds = UnixMillis() / 1'000;
  while (fs::exists(With(path, fmt::format(".damaged-{}", seconds)))) ++seconds;
  return With(path, fmt::format(".damaged-{}", seconds));
}

// What a file operation throws, as a status.
template <class Body>
absl::Status TryFiles(Body body) {
  try {
    body();
    return absl::OkStatus();
  } catch (const fs::filesystem_error& failure) {
    return absl::DataLossError(
        fmt::format("the damaged queues can't be repaired: {}: check the folder's rights, and that the disk "
                    "has room for a "
                    "copy of the file",
                    failure.what()));
  }
}

void RemoveWithWal(const fs::path& path) {
  // On a read-only disk also removing what is not there fails.
  for (const fs::path& file : {path, WalOf(path)}) {
    if (fs::exists(file)) fs::remove(file);
  }
}

void SyncFolder(const fs::path& path) {
  const int folder = open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  (void)fsync(folder);
  (void)close(folder);
}

void RenameIfThere(const fs::path& from, const fs::path& to) {
  if (fs::exists(from)) fs::rename(from, to);
}

// The order matters: a crash in between is finished by FinishRepair.
void Exchange(const fs::path& path, const fs::path& aside) {
  SyncFolder(path);
  RenameIfThere(path, aside);
  RenameIfThere(WalOf(path), WalOf(aside));
  fs::rename(NewOf(path), path);
  SyncFolder(path);
  RemoveWithWal(CopyOf(path));
  fs::remove(MarkOf(path));
}

absl::Status FinishRepair(const fs::path& path) {
  return TryFiles([&] {
    if (!fs::exists(path) && fs::exists(NewOf(path))) Exchange(path, AsideOf(path));
    RemoveWithWal(NewOf(path));
    RemoveWithWal(CopyOf(path));
  });
}

// Held while a file is opened and perhaps repaired: a second process must not meddle with that.
class OpeningLock {
 public:
  explicit OpeningLock(const fs::path& path)
      : file_(open(With(path, ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)),
        is_held_(file_ < 0 || flock(file_, LOCK_EX | LOCK_NB) == 0) {}
  ~OpeningLock() {
    if (file_ >= 0) (void)close(file_);
  }
  OpeningLock(const OpeningLock&) = delete;
  OpeningLock& operator=(const OpeningLock&) = delete;

  // Also where there can be no such file: what opens next says why.
  bool is_held() const { return is_held_; }

 private:
  int file_;
  bool is_held_;
};

absl::StatusOr<OpenedQueueFile> TryOpen(const fs::path& path, const std::string& vfs) {
  OpenedQueueFile opened;
  ASSIGN_OR_RETURN(opened.database, OpenSqlite(path, vfs));
  // Only now: nobody else uses it.
  if (fs::exists(MarkOf(path))) return SqliteDamage("damage was found while it was in use");
  // A damaged file is left as it is: its WAL too.
  const auto take_in_wal_at_end = [&](int yes) {
    (void)sqlite3_db_config(opened.database->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, yes ? 0 : 1,
                            nullptr);
  };
  take_in_wal_at_end(0);
  auto file = QueueFile::Open(*opened.database);
  if (!file.ok()) return Annotate(file.status(), path.string());
  take_in_wal_at_end(1);
  opened.file = *std::move(file);
  return opened;
}

absl::StatusOr<Salvaged> MakeNew(const fs::path& path, const std::string& vfs) {
  ASSIGN_OR_RETURN(const auto fresh, OpenSqlite(NewOf(path), vfs));
  RETURN_IF_ERROR(MakeQueueTables(*fresh));
  ASSIGN_OR_RETURN(Salvaged salvaged, Salvage(CopyOf(path), *fresh));
  RETURN_IF_ERROR(TrySqlite([&] { fresh->exec("PRAGMA wal_checkpoint(TRUNCATE)"); }));
  return salvaged;
}

std::string UnreadableOf(const Salvaged& salvaged) {
  if (salvaged.unreadable == 0) return "";
  if (salvaged.gave_up) {
    return "; so much can't be read that the search was given up, and how many messages were there is not "
           "known";
  }
  return fmt::format(
      "; {} ranges of message numbers can't be read, and how many messages had those is not known",
      salvaged.unreadable);
}

void TellRepaired(const fs::path& path, const fs::path& aside, const Salvaged& salvaged) {
  log::Error(
      "{} is repaired: {} messages in {} queues are kept, {} were found damaged and are lost{}. The damaged "
      "file is kept as {}: look after the disk, and delete that file when you need no more of it",
      path.string(), salvaged.messages, salvaged.queues, salvaged.damaged, UnreadableOf(salvaged),
      aside.string());
}

absl::Status Repair(const fs::path& path, const std::string& vfs, const absl::Status& damage) {
  log::Error("{} is damaged ({}): it is being repaired", path.string(), MessageOf(damage));
  RETURN_IF_ERROR(TryFiles([&] {
    RemoveWithWal(NewOf(path));
    RemoveWithWal(CopyOf(path));
    fs::copy_file(path, CopyOf(path));
    if (fs::exists(WalOf(path))) fs::copy_file(WalOf(path), WalOf(CopyOf(path)));
  }));
  ASSIGN_OR_RETURN(const Salvaged salvaged, MakeNew(path, vfs));
  fs::path aside;
  RETURN_IF_ERROR(TryFiles([&] { Exchange(path, aside = AsideOf(path)); }));
  TellRepaired(path, aside, salvaged);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OpenedQueueFile> OpenQueueFile(const fs::path& path, const std::string& vfs) {
  const OpeningLock lock(path);
  if (!lock.is_held()) {
    return absl::DataLossError(fmt::format(
        "{}: another process opens it just now: give each process a folder of its own", path.string()));
  }
  RETURN_IF_ERROR(FinishRepair(path));
  auto opened = TryOpen(path, vfs);
  if (opened.ok() || !IsSqliteDamage(opened.status())) return opened;
  RETURN_IF_ERROR(Repair(path, vfs, opened.status()));
  return TryOpen(path, vfs);
}

void MarkDamaged(const fs::path& path) { const std::ofstream mark(MarkOf(path)); }

}  // namespace llm_router
