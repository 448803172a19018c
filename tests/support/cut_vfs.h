// CutVfs: a disk whose power can fail: an SQLite VFS that keeps what was written and not yet synced in
// memory, and loses it, or a random part of it, at a cut.
//
// SIGKILL does not show what a power cut does, for the page cache survives it. Process-wide, one at a time;
// tests only. Files live in the real file system, so after a cut they are opened again as the power left
// them.
#pragma once

#include <string>

namespace llm_router::test {

class CutVfs {
 public:
  // kIgnored: a disk that says it has synced and did not, which no guarantee survives.
  enum class Syncs { kKept, kIgnored };

  // Cuts the power at the `cut_at`-th sync (never when 0): just after it when `cut_at` is odd, else just
  // before.
  CutVfs(Syncs syncs, int cut_at, unsigned seed);
  ~CutVfs();
  CutVfs(const CutVfs&) = delete;
  CutVfs& operator=(const CutVfs&) = delete;

  std::string name() const;
  int syncs() const;
  bool is_cut() const;
  // From now on every write fails as on a full disk, until Free().
  void Fill();
  void Free();
  // From now on every write fails as on a disk that turned read-only, until Free().
  void Protect();
};

}  // namespace llm_router::test
