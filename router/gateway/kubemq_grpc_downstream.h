// One receiver's QueuesDownstream at the KubeMQ door: Gets that wait, beside one another, and the settling of
// what they brought.
//
// Success in settling is silent, unless the request asks otherwise; kubemq_queue_text.h has what a request's
// Metadata may ask for. What is not settled when the stream ends goes back to its place, not counted; so does
// what an AutoAck Get took and gRPC could not hand over.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/fault.h"
#include "router/gateway/kubemq_grpc_exchange.h"
#include "router/gateway/queue_transactions.h"

namespace llm_router {

class DownstreamStream final
    : public ExchangeStream<kubemq::QueuesDownstreamRequest, kubemq::QueuesDownstreamResponse> {
 public:
  using ExchangeStream::ExchangeStream;

 private:
  using Request = kubemq::QueuesDownstreamRequest;
  using Response = kubemq::QueuesDownstreamResponse;
  using Self = std::shared_ptr<DownstreamStream>;

  void Take(Request request) override;
  bool HasRoom() const override;
  void HalfClosed() override { DropAll(); }
  bool IsIdle() const override { return gets_.empty() && settling_.empty(); }
  void LetGo() override { DropAll(); }
  void DropAll();

  void StartGet(Request request);
  static Awaitable<void> Get(Self self, Request request, uint64_t number);
  void Deliver(const Request& request, Taking taking);
  void GiveUp(std::string_view request_id);

  void StartSettling(Request request);
  static Awaitable<void> Settle(Self self, Request request, QueueTransactions::Taken taken, uint64_t number);
  Awaitable<absl::Status> SettleAtBroker(Request request, std::vector<LeasedMessage>& messages);
  Awaitable<absl::Status> Requeue(Request request, std::vector<LeasedMessage>& messages);
  void PutBack(const std::string& transaction, std::vector<LeasedMessage> messages);

  void SettlingDone(uint64_t number);
  void ShowOffsetsDue();
  void ShowOffsets(const Request& request);
  void Fail(const Request& request, std::string_view text, Fault fault = Fault::kInvalidRequest);

  QueueTransactions transactions_;
  struct Waiting {
    TaskGroup::TaskId task = 0;
    std::string request_id;
  };
  std::map<uint64_t, Waiting> gets_;
  uint64_t next_get_ = 0;
  std::set<uint64_t> settling_;  // settlements under way, numbered as they came
  uint64_t next_settling_ = 0;
  // Each, and the number of the settlement that came after it: it is answered when those before are done.
  std::deque<std::pair<uint64_t, Request>> offsets_asked_;
};

}  // namespace llm_router
