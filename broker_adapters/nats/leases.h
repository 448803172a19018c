// Leases: the messages that JetStream leased to us, by their receipts, and their renewal while they live.
//
// A receipt is a number of ours: good until the message is settled. One whose settlement failed may be tried
// again for kLease, but is renewed no more: else a caller that gives up would hold the message for ever.
// Owned by the broker's queues; loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/nats/streams.h"

namespace llm_router::nats {

struct Lease {
  Lease() = default;

  uint64_t key = 0;
  std::string queue;
  std::string receipt;  // the server's: where it is settled
  Ticket ticket;
  int released = 0;                   // deliveries that do not count
  std::unique_ptr<WireMessage> last;  // where this is the last delivery it may have
  TimePoint ends = TimePoint::max();  // where its settlement failed: then nothing is known of it any more
};

class Leases {
 public:
  Leases(Connection& connection, Streams& streams) : connection_(connection), streams_(streams) {}

  Receipt Add(Lease lease);
  // Those that `receipts` name, all or none; held by the caller from now on, so that nobody settles one
  // twice.
  absl::StatusOr<std::vector<Lease>> Take(const std::vector<Receipt>& receipts);
  // The settlement failed: unless it is tried again, the server gives the message out anew.
  void LetRunOut(Lease lease);
  // Gives all of them back to the server: their receiver is going away.
  void ReturnAll();

 private:
  void Keep(Lease lease);
  Awaitable<void> Renew();

  Connection& connection_;
  Streams& streams_;
  absl::flat_hash_map<uint64_t, Lease> leases_;
  uint64_t next_ = 1;
  bool renewing_ = false;
};

}  // namespace llm_router::nats
