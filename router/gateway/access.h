// Access: the callers' keys, and who a presented key belongs to.
//
//   auto caller = access.Authenticate(header);            // 401 when it fails
//   if (caller.ok()) denied = CheckAccess(**caller, Verb::kSendQuery, channel);  // 403 when it fails
//   if (!denied.ok()) access.NoteDenial(denied, "grpc", peer);  // once for each refusal a door gives
//
// Keys are kept as SHA-256 and shown nowhere. Owned by the composition root, shared by all doors and outlives
// them; any thread. Replace swaps all keys at once: a call already let in goes on, a stream asks StillHolds.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/base/clock.h"
#include "proto/fault.h"
#include "router/config/config.h"
#include "router/gateway/caller.h"

namespace llm_router {

struct AccessStats {
  uint64_t unauthenticated = 0;    // calls refused for want of a key, or of a known one
  uint64_t permission_denied = 0;  // calls refused to a known key
};

class Access {
 public:
  // Without keys: everyone is tenant `default` and may do everything.
  Access();
  // With keys: only who bears one comes in (nobody, when the list is empty).
  explicit Access(const std::vector<KeyConfig>& keys);
  ~Access();
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  void Replace(const std::vector<KeyConfig>& keys);

  // Who bears the key in `presented`: the raw key, or with "Bearer " before it; empty: none was presented.
  // Fault unauthenticated otherwise. Takes as long for a wrong key as for a right one.
  absl::StatusOr<CallerPtr> Authenticate(std::string_view presented) const;

  // Whether the key by which `caller` came in is still configured as it was.
  bool StillHolds(const Caller& caller) const;
  bool has_keys() const;

  // Counts a refusal and logs it: its sentence and `peer`, at most one line a second. `door` is what the log
  // calls the door it came by.
  void NoteDenial(const absl::Status& denial, std::string_view door, std::string_view peer);
  // Called with the fault of every refusal from then on, on the refusing thread. Set before the doors open.
  void OnDenial(std::function<void(Fault)> hook) { on_denial_ = std::move(hook); }
  AccessStats stats() const;

 private:
  class Table;
  std::shared_ptr<const Table> table() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Table> table_;  // null: no keys. Shared: a call may still read the one before
  const CallerPtr everyone_;            // without keys
  std::function<void(Fault)> on_denial_;
  std::atomic<uint64_t> unauthenticated_ = 0;
  std::atomic<uint64_t> permission_denied_ = 0;
  TimePoint told_{};     // when the log last had a line
  uint64_t silent_ = 0;  // denials since then that it had not
};

// What a stream is told whose key no longer holds.
absl::Status KeyRevoked();

// The SHA-256 of `text` as 64 lower-case hex digits, as the configuration's `keys` have it behind "sha256:".
std::string Sha256Hex(std::string_view text);

}  // namespace llm_router
