#include "tests/support/cut_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <vector>

namespace llm_router::test {
namespace {

constexpr const char* kName = "llm-router-cut";
constexpr int kSector = 512;

struct Write {
  sqlite3_int64 offset;
  std::vector<char> bytes;  // empty: the file is cut to `offset`
};

// What is written to one file and not yet on disk, in order.
struct Pending {
  sqlite3_file* real;
  std::vector<Write> writes;
};

struct State {
  std::mutex mutex;
  CutVfs::Syncs mode = CutVfs::Syncs::kKept;
  int cut_at = 0;
  int syncs = 0;
  bool cut = false;
  std::atomic<bool> full = false;
  std::atomic<bool> read_only = false;
  std::mt19937 random;
  std::map<sqlite3_file*, Pending> files;
};
State* state = nullptr;
sqlite3_vfs* disk = nullptr;

struct File {
  sqlite3_file base;
  sqlite3_file* real;  // follows this struct in memory
};
File* Of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }

void Apply(sqlite3_file* real, const Write& write) {
  if (write.bytes.empty()) {
    (void)real->pMethods->xTruncate(real, write.offset);
  } else {
    (void)real->pMethods->xWrite(real, write.bytes.data(), static_cast<int>(write.bytes.size()),
                                 write.offset);
  }
}

// Writes are given to the disk in sectors, and it may have taken any of them before the power went.
void LoseSome(Pending& pending) {
  for (const Write& write : pending.writes) {
    if (write.bytes.empty()) continue;
    for (size_t at = 0; at < write.bytes.size(); at += kSector) {
      if (state->random() % 2 == 0) continue;
      const size_t end = std::min(at + kSector, write.bytes.size());
      Write sector{write.offset + static_cast<sqlite3_int64>(at), {}};
      sector.bytes.assign(write.bytes.begin() + static_cast<long>(at),
                          write.bytes.begin() + static_cast<long>(end));
      Apply(pending.real, sector);
    }
  }
  pending.writes.clear();
}

void Cut() {
  state->cut = true;
  for (auto& [file, pending] : state->files) LoseSome(pending);
}

int Sync(sqlite3_file* file, int) {
  const std::lock_guard lock(state->mutex);
  if (state->cut) return SQLITE_IOERR_FSYNC;
  ++state->syncs;
  const bool now = state->cut_at > 0 && state->syncs == state->cut_at;
  if (now && state->cut_at % 2 == 0) {
    Cut();
    return SQLITE_IOERR_FSYNC;
  }
  Pending& pending = state->files.at(file);
  if (state->mode == CutVfs::Syncs::kKept) {
    for (const Write& write : pending.writes) Apply(pending.real, write);
    pending.writes.clear();
  }
  if (now) Cut();
  return SQLITE_OK;
}

int WriteTo(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  const std::lock_guard lock(state->mutex);
  if (state->cut) return SQLITE_IOERR_WRITE;
  if (state->full) return SQLITE_FULL;
  if (state->read_only) return SQLITE_READONLY;
  const char* const begin = static_cast<const char*>(bytes);
  state->files.at(file).writes.push_back({offset, std::vector<char>(begin, begin + count)});
  return SQLITE_OK;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  const std::lock_guard lock(state->mutex);
  if (state->cut) return SQLITE_IOERR_TRUNCATE;
  state->files.at(file).writes.push_back({size, {}});
  return SQLITE_OK;
}

// The file as this process sees it: what the disk has, and over it what was written since.
sqlite3_int64 SizeOf(const Pending& pending) {
  sqlite3_int64 size = 0;
  (void)pending.real->pMethods->xFileSize(pending.real, &size);
  for (const Write& write : pending.writes) {
    size = write.bytes.empty()
               ? std::min(size, write.offset)
               : std::max(size, write.offset + static_cast<sqlite3_int64>(write.bytes.size()));
  }
  return size;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  const std::lock_guard lock(state->mutex);
  *size = SizeOf(state->files.at(file));
  return SQLITE_OK;
}

void Overlay(const Write& write, char* out, sqlite3_int64 offset, sqlite3_int64 end) {
  if (write.bytes.empty()) {
    const sqlite3_int64 from = std::max(write.offset, offset);
    if (from < end) std::memset(out + (from - offset), 0, static_cast<size_t>(end - from));
    return;
  }
  const sqlite3_int64 from = std::max(write.offset, offset);
  const sqlite3_int64 to = std::min(write.offset + static_cast<sqlite3_int64>(write.bytes.size()), end);
  if (from >= to) return;
  std::memcpy(out + (from - offset), write.bytes.data() + (from - write.offset),
              static_cast<size_t>(to - from));
}

int Read(sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
  const std::lock_guard lock(state->mutex);
  const Pending& pending = state->files.at(file);
  const int read = pending.real->pMethods->xRead(pending.real, out, count, offset);
  if (read != SQLITE_OK && read != SQLITE_IOERR_SHORT_READ) return read;
  for (const Write& write : pending.writes) Overlay(write, static_cast<char*>(out), offset, offset + count);
  return SizeOf(pending) < offset + count ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

int Close(sqlite3_file* file) {
  {
    const std::lock_guard lock(state->mutex);
    Pending& pending = state->files.at(file);
    // Without a cut the system writes it in its own time.
    if (!state->cut) {
      for (const Write& write : pending.writes) Apply(pending.real, write);
    }
    state->files.erase(file);
  }
  return Of(file)->real->pMethods->xClose(Of(file)->real);
}

int Lock(sqlite3_file* file, int level) { return Of(file)->real->pMethods->xLock(Of(file)->real, level); }
int Unlock(sqlite3_file* file, int level) { return Of(file)->real->pMethods->xUnlock(Of(file)->real, level); }
int CheckReserved(sqlite3_file* file, int* out) {
  return Of(file)->real->pMethods->xCheckReservedLock(Of(file)->real, out);
}
// SQLite's own shortcuts to the file would go past what is pending.
int Control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return kSector; }
int Characteristics(sqlite3_file*) { return 0; }

const sqlite3_io_methods kMethods = {
    1,       Close,         Read,    WriteTo,    Truncate,        Sync,    FileSize, Lock,
    Unlock,  CheckReserved, Control, SectorSize, Characteristics, nullptr, nullptr,  nullptr,
    nullptr, nullptr,       nullptr};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  File* const opened = Of(file);
  opened->real = reinterpret_cast<sqlite3_file*>(opened + 1);
  opened->base.pMethods = nullptr;
  const int result = disk->xOpen(disk, name, opened->real, flags, out_flags);
  if (result != SQLITE_OK) return result;
  opened->base.pMethods = &kMethods;
  const std::lock_guard lock(state->mutex);
  state->files[file] = {opened->real, {}};
  return SQLITE_OK;
}

int Delete(sqlite3_vfs*, const char* name, int sync_folder) {
  return state->cut ? SQLITE_IOERR_DELETE : disk->xDelete(disk, name, sync_folder);
}
int Access(sqlite3_vfs*, const char* name, int flags, int* out) {
  return disk->xAccess(disk, name, flags, out);
}
int FullPath(sqlite3_vfs*, const char* name, int count, char* out) {
  return disk->xFullPathname(disk, name, count, out);
}
int Randomness(sqlite3_vfs*, int count, char* out) { return disk->xRandomness(disk, count, out); }
int SleepFor(sqlite3_vfs*, int micros) { return disk->xSleep(disk, micros); }
int CurrentTime(sqlite3_vfs*, double* out) { return disk->xCurrentTime(disk, out); }

sqlite3_vfs vfs = {};

}  // namespace

CutVfs::CutVfs(Syncs syncs, int cut_at, unsigned seed) {
  disk = sqlite3_vfs_find(nullptr);
  if (state != nullptr || disk == nullptr) throw std::runtime_error("one CutVfs at a time");
  state = new State;
  state->mode = syncs;
  state->cut_at = cut_at;
  state->random.seed(seed);
  vfs = {};
  vfs.iVersion = 1;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + disk->szOsFile;
  vfs.mxPathname = disk->mxPathname;
  vfs.zName = kName;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPath;
  vfs.xRandomness = Randomness;
  vfs.xSleep = SleepFor;
  vfs.xCurrentTime = CurrentTime;
  if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) throw std::runtime_error("the VFS is not taken");
}

CutVfs::~CutVfs() {
  sqlite3_vfs_unregister(&vfs);
  delete state;
  state = nullptr;
}

std::string CutVfs::name() const { return kName; }
int CutVfs::syncs() const {
  const std::lock_guard lock(state->mutex);
  return state->syncs;
}
bool CutVfs::is_cut() const {
  const std::lock_guard lock(state->mutex);
  return state->cut;
}
void CutVfs::Fill() { state->full = true; }
void CutVfs::Free() { state->full = state->read_only = false; }
void CutVfs::Protect() { state->read_only = true; }

}  // namespace llm_router::test
