#include "router/gateway/queue_hold.h"

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

Settlement As(Settlement::Verdict verdict) {
  Settlement settlement;
  settlement.verdict = verdict;
  return settlement;
}

Awaitable<void> ReleaseAll(Broker& broker, std::vector<Receipt> receipts) {
  // Fails only when the broker has given them back already.
  (void)co_await broker.Settle(std::move(receipts), As(Settlement::Verdict::kRelease));
}

Awaitable<void> AcknowledgeAll(Broker& broker, std::vector<Receipt> receipts) {
  const absl::Status done = co_await broker.Settle(receipts, As(Settlement::Verdict::kAck));
  if (done.ok()) co_return;
  log::Warning("messages that were received can't be acknowledged and will be received again: {}",
               MessageOf(done));
  co_await ReleaseAll(broker, std::move(receipts));
}

}  // namespace

void QueueHold::Acknowledge() {
  if (receipts_.empty() || server_->grace_over()) return receipts_.clear();
  server_->tasks().Spawn(AcknowledgeAll(server_->broker(), LetGo()));
}

void QueueHold::Release() {
  if (receipts_.empty() || server_->grace_over()) return receipts_.clear();
  server_->tasks().Spawn(ReleaseAll(server_->broker(), LetGo()));
}

}  // namespace llm_router
