// What the tests of durable queues share: opening, sending, receiving and settling in a line each.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker_adapters/embedded/durable_queues.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/support/temporary_folder.h"

namespace llm_router::test {

using Texts = std::vector<std::string>;

inline std::unique_ptr<DurableQueues> Open(Loop& loop, const std::filesystem::path& folder,
                                           const std::string& vfs = "") {
  QueueOptions options;
  options.folder = folder;
  options.vfs = vfs;
  auto queues = DurableQueues::Open(loop.executor(), options);
  if (!queues.ok()) FAIL(queues.status().ToString());
  return *std::move(queues);
}

inline std::vector<Outgoing> Messages(const Texts& bodies) {
  std::vector<Outgoing> messages;
  for (const std::string& body : bodies) messages.emplace_back().message.body = body;
  return messages;
}

inline Awaitable<absl::Status> Send(DurableQueues& queues, std::string queue, Texts bodies) {
  co_return (co_await queues.Send(std::move(queue), Messages(bodies))).status();
}

inline Awaitable<std::vector<Delivery>> Receive(DurableQueues& queues, std::string queue,
                                                size_t max = 1'000) {
  ReceiveOptions options;
  options.max = max;
  auto got = co_await queues.Receive(std::move(queue), options);
  if (!got.ok()) FAIL(got.status().ToString());
  co_return *std::move(got);
}

inline Awaitable<absl::Status> Settle(DurableQueues& queues, const std::vector<Delivery>& deliveries,
                                      Settlement::Verdict verdict = Settlement::Verdict::kAck) {
  std::vector<Receipt> receipts;
  for (const Delivery& delivery : deliveries) receipts.push_back(delivery.receipt);
  Settlement settlement;
  settlement.verdict = verdict;
  co_return co_await queues.Settle(std::move(receipts), settlement);
}

inline Texts Bodies(const std::vector<Delivery>& deliveries) {
  Texts bodies;
  for (const Delivery& delivery : deliveries) bodies.push_back(delivery.message.body);
  return bodies;
}

}  // namespace llm_router::test
