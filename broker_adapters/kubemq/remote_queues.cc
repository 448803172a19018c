#include "broker_adapters/kubemq/remote_queues.h"

#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/downstream_words.h"
#include "broker_adapters/kubemq/queue_check.h"

namespace llm_router {
namespace {

absl::Status CheckQueue(std::string_view queue) {
  const auto text = kubemq_check::QueueName(queue);
  return text.empty() ? absl::OkStatus() : MakeFault(Fault::kInvalidRequest, text);
}

absl::Status CheckOutgoing(const Connection& connection, const Outgoing& outgoing) {
  RETURN_IF_ERROR(connection.CheckBody(outgoing.message));
  if (!outgoing.dead_letter.empty()) return CheckQueue(outgoing.dead_letter);
  return absl::OkStatus();
}

}  // namespace

Awaitable<absl::StatusOr<bool>> RemoteQueues::Meet(std::string queue) {
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  CO_RETURN_IF_ERROR(CheckQueue(queue));
  CO_ASSIGN_OR_RETURN(const bool marked, co_await connection_.Marked());
  if (connection_.caps().durability == Durability::kNone)
    co_return MakeFault(Fault::kNotSupported, "the message broker behind that server keeps no queues");
  co_return marked;
}

Awaitable<absl::StatusOr<std::vector<SendResult>>> RemoteQueues::Send(std::string queue,
                                                                      std::vector<Outgoing> messages) {
  CO_ASSIGN_OR_RETURN(const bool marked, co_await Meet(queue));
  std::vector<SendResult> results(messages.size());
  std::vector<kubemq::QueueMessage> fit;
  std::vector<size_t> places;
  for (size_t i = 0; i < messages.size(); ++i) {
    results[i].id = messages[i].message.id;
    results[i].status = CheckOutgoing(connection_, messages[i]);
    if (!results[i].status.ok()) continue;
    fit.push_back(QueueMessageOf(std::move(messages[i]), queue, connection_.options().client_id));
    places.push_back(i);
  }
  if (fit.empty()) co_return results;
  CO_ASSIGN_OR_RETURN(auto sent, co_await sender_.Send(std::move(fit), marked));
  for (size_t i = 0; i < places.size(); ++i) results[places[i]] = std::move(sent[i]);
  co_return results;
}

Awaitable<absl::StatusOr<std::vector<Delivery>>> RemoteQueues::Receive(std::string queue,
                                                                       ReceiveOptions options) {
  CO_ASSIGN_OR_RETURN(const bool marked, co_await Meet(queue));
  if (co_await Cancelled()) co_return downstream::Gone();
  if (options.max == 0) co_return std::vector<Delivery>();
  if (marked) co_return co_await consumer_.Receive(std::move(queue), options);
  co_return co_await foreign_.Receive(std::move(queue), options);
}

Awaitable<absl::Status> RemoteQueues::Settle(std::vector<Receipt> receipts, Settlement settlement) {
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  CO_ASSIGN_OR_RETURN(auto leases, leases_.Take(receipts));
  if (leases.empty()) co_return absl::OkStatus();
  if (leases.front().original) co_return co_await foreign_.Settle(std::move(leases), settlement);
  co_return co_await consumer_.Settle(std::move(leases), settlement);
}

void RemoteQueues::Stop() {
  const absl::Status why = connection_.ShuttingDown();
  sender_.Stop(why);
  consumer_.Stop(why);
  foreign_.Stop(why);
}

}  // namespace llm_router
