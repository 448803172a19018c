// QueueLeases: the messages that a KubeMQ server leased to us, by their receipts.
//
// A receipt is a number of ours for (stream, transaction, sequence): it is good until the message is settled
// or its stream breaks, when the server gives the message to the next who asks. Owned by RemoteQueues; loop
// thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/kubemq/pipelined_stream.h"

namespace llm_router {

using Downstream = PipelinedStream<kubemq::QueuesDownstreamRequest, kubemq::QueuesDownstreamResponse>;

struct QueueLease {
  QueueLease(std::shared_ptr<Downstream> its_stream, std::string its_transaction, int64_t its_sequence)
      : stream(std::move(its_stream)), transaction(std::move(its_transaction)), sequence(its_sequence) {}

  uint64_t key = 0;
  std::shared_ptr<Downstream> stream;  // shared with the other leases by it, and who receives
  std::string transaction;
  int64_t sequence = 0;
  std::unique_ptr<kubemq::QueueMessage> original;  // at a foreign server; null at one of ours
};

class QueueLeases {
 public:
  Receipt Add(QueueLease lease);
  // Those that `receipts` name, all or none; held by the caller from now on, so that nobody settles one
  // twice.
  absl::StatusOr<std::vector<QueueLease>> Take(const std::vector<Receipt>& receipts);
  // Those whose settlement failed.
  void PutBack(QueueLease lease);
  size_t size() const { return leases_.size(); }
  // How many there are by one stream.
  size_t CountOf(const Downstream& stream) const;

 private:
  void DropLost();
  void Insert(QueueLease lease);
  QueueLease Extract(uint64_t key);

  absl::flat_hash_map<uint64_t, QueueLease> leases_;
  absl::flat_hash_map<const Downstream*, size_t> by_stream_;
  size_t drop_at_ = 1'024;  // how many there may be before lost ones are looked for
  uint64_t next_ = 1;
};

}  // namespace llm_router
