#include "broker_adapters/base/sqlite_repair.h"

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
        fmt::format("a damaged file can't be repaired: {}: check the folder's rights, and that the disk has "
                    "room for a copy of the file",
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

absl::StatusOr<std::unique_ptr<SQLite::Database>> TryOpen(const RepairableFile& file) {
  ASSIGN_OR_RETURN(auto database, OpenSqlite(file.path, file.vfs));
  // Only now: nobody else uses it.
  if (fs::exists(MarkOf(file.path))) return SqliteDamage("damage was found while it was in use");
  // A damaged file is left as it is: its WAL too.
  const auto take_in_wal_at_end = [&](int yes) {
    (void)sqlite3_db_config(database->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, yes ? 0 : 1, nullptr);
  };
  take_in_wal_at_end(0);
  if (absl::Status opened = file.open(*database); !opened.ok())
    return Annotate(std::move(opened), file.path.string());
  take_in_wal_at_end(1);
  return database;
}

// SQLite takes what is shorter than its smallest page for a new file, and drops the WAL beside it.
bool IsCutToNothing(const fs::path& path) {
  constexpr uintmax_t kSmallestPage = 512;
  if (!fs::exists(path) || fs::file_size(path) >= kSmallestPage) return false;
  // A start that was cut short leaves an empty one.
  return fs::file_size(path) > 0 || (fs::exists(WalOf(path)) && fs::file_size(WalOf(path)) > 0);
}

// Takes also a file that is shorter than it says.
std::unique_ptr<SQLite::Database> OpenDamaged(const fs::path& path) {
  auto database = std::make_unique<SQLite::Database>(path.string(), SQLite::OPEN_READWRITE);
  database->exec("PRAGMA locking_mode=EXCLUSIVE");
  database->exec("PRAGMA writable_schema=ON");
  return database;
}

bool IsListWhole(const fs::path& path, const SqliteModel& model) {
  bool is_whole = false;
  const absl::Status looked = TrySqlite([&] { is_whole = model.HasItsTables(*OpenDamaged(path)); });
  return looked.ok() && is_whole;
}

// Whether anything can be read then.
bool MendList(const fs::path& path, const SqliteModel& model) {
  if (!IsCutToNothing(path) && IsListWhole(path, model)) return true;
  model.PutTables(path);
  if (IsListWhole(path, model)) return true;
  // What the WAL says is another.
  if (fs::exists(WalOf(path))) fs::remove(WalOf(path));
  model.PutTables(path);
  return IsListWhole(path, model);
}

absl::StatusOr<std::string> MakeNew(const RepairableFile& file) {
  bool can_be_read = false;
  RETURN_IF_ERROR(TryFiles([&] { can_be_read = MendList(CopyOf(file.path), file.model); }));
  ASSIGN_OR_RETURN(const auto fresh, OpenSqlite(NewOf(file.path), file.vfs));
  RETURN_IF_ERROR(file.model.MakeOrCheck(*fresh));
  std::string kept = "nothing of it can be read, and all is lost";
  RETURN_IF_ERROR(TrySqlite([&] {
    if (can_be_read) kept = file.salvage(*OpenDamaged(CopyOf(file.path)), *fresh);
    fresh->exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }));
  return kept;
}

absl::Status Repair(const RepairableFile& file, const absl::Status& damage) {
  const fs::path& path = file.path;
  log::Error("{} is damaged ({}): it is being repaired", path.string(), MessageOf(damage));
  RETURN_IF_ERROR(TryFiles([&] {
    RemoveWithWal(NewOf(path));
    RemoveWithWal(CopyOf(path));
    fs::copy_file(path, CopyOf(path));
    if (fs::exists(WalOf(path))) fs::copy_file(WalOf(path), WalOf(CopyOf(path)));
  }));
  ASSIGN_OR_RETURN(const std::string kept, MakeNew(file));
  fs::path aside;
  RETURN_IF_ERROR(TryFiles([&] { Exchange(path, aside = AsideOf(path)); }));
  log::Error(
      "{} is repaired: {}. The damaged file is kept as {}: look after the disk, and delete that file when "
      "you "
      "need no more of it",
      path.string(), kept, aside.string());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SQLite::Database>> OpenRepaired(const RepairableFile& file) {
  const OpeningLock lock(file.path);
  if (!lock.is_held()) {
    return absl::DataLossError(fmt::format(
        "{}: another process opens it just now: give each process a folder of its own", file.path.string()));
  }
  RETURN_IF_ERROR(FinishRepair(file.path));
  if (IsCutToNothing(file.path)) {
    RETURN_IF_ERROR(Repair(file, SqliteDamage("it is cut short")));
    return TryOpen(file);
  }
  auto opened = TryOpen(file);
  if (opened.ok() || !IsSqliteDamage(opened.status())) return opened;
  RETURN_IF_ERROR(Repair(file, opened.status()));
  return TryOpen(file);
}

void MarkDamaged(const fs::path& path) { const std::ofstream mark(MarkOf(path)); }

}  // namespace llm_router
