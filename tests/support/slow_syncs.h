// SlowSyncs: a disk whose every sync takes a given time more, as an SQLite VFS over the system's.
// Process-wide, one at a time, made before and ended after the files on it; tests and benchmarks only.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace llm_router::test {

class SlowSyncs {
 public:
  explicit SlowSyncs(std::chrono::milliseconds more) {
    State& state = Shared();
    state.disk = sqlite3_vfs_find(nullptr);
    state.more = more;
    state.vfs = *state.disk;
    state.vfs.zName = kName;
    state.vfs.xOpen = Open;
    if (sqlite3_vfs_register(&state.vfs, 0) != SQLITE_OK) throw std::runtime_error("the VFS is not taken");
  }
  ~SlowSyncs() { sqlite3_vfs_unregister(&Shared().vfs); }
  SlowSyncs(const SlowSyncs&) = delete;
  SlowSyncs& operator=(const SlowSyncs&) = delete;

  static constexpr const char* kName = "llm-router-slow";

 private:
  struct State {
    sqlite3_vfs* disk = nullptr;
    sqlite3_vfs vfs = {};
    std::mutex mutex;
    // Files that are locked have other methods than those that are not; they sync in the same way.
    std::map<const sqlite3_io_methods*, sqlite3_io_methods> slow;
    int (*sync)(sqlite3_file*, int) = nullptr;
    std::chrono::milliseconds more{0};
  };
  static State& Shared() {
    static State state;
    return state;
  }
  // The system's file, but for how it syncs.
  static int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    State& state = Shared();
    const int result = state.disk->xOpen(state.disk, name, file, flags, out_flags);
    if (result != SQLITE_OK) return result;
    const std::lock_guard lock(state.mutex);
    const auto [at, is_new] = state.slow.try_emplace(file->pMethods, *file->pMethods);
    if (state.sync == nullptr) state.sync = file->pMethods->xSync;
    if (is_new) at->second.xSync = Sync;
    file->pMethods = &at->second;
    return result;
  }
  static int Sync(sqlite3_file* file, int flags) {
    std::this_thread::sleep_for(Shared().more);
    return Shared().sync(file, flags);
  }
};

}  // namespace llm_router::test
