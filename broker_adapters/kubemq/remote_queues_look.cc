// Looking into the queues of a server, and emptying them.
#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/downstream_words.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "broker_adapters/kubemq/remote_queues.h"
#include "queues.grpc.pb.h"

namespace llm_router {
namespace {

using Async = Connection::QueuesAsync;

constexpr auto kPatience = std::chrono::seconds(30);

template <class Question, class Answer>
std::shared_ptr<UnaryCall<Question, Answer>> MakeCall(const Connection& connection) {
  auto call = std::make_shared<UnaryCall<Question, Answer>>(connection.executor());
  call->context.set_deadline(OnSystemClock(Now() + kPatience));
  return call;
}

QueueInfo InfoOf(const wire::QueueFigures& figures) {
  QueueInfo info;
  if (figures.has_waiting()) info.waiting = figures.waiting();
  if (figures.has_leased()) info.leased = figures.leased();
  if (figures.has_delayed()) info.delayed = figures.delayed();
  if (figures.has_dead()) info.dead = figures.dead();
  if (figures.has_oldest_age_ms())
    info.oldest_age = Milliseconds(static_cast<int64_t>(figures.oldest_age_ms()));
  return info;
}

QueueTotals TotalsOf(const wire::QueueEntry& entry) {
  QueueTotals totals;
  totals.name = entry.name();
  totals.waiting = entry.waiting();
  if (entry.has_leased()) totals.leased = entry.leased();
  if (entry.has_delayed()) totals.delayed = entry.delayed();
  totals.bytes = entry.bytes();
  totals.first_sequence = entry.first_sequence();
  totals.last_sequence = entry.last_sequence();
  return totals;
}

// What it counts as waiting may be leased; the rest it does not tell.
QueueTotals TotalsOf(const kubemq::QueueInfo& info) {
  QueueTotals totals;
  totals.name = info.name();
  totals.waiting = static_cast<uint64_t>(std::max<int64_t>(info.waiting(), 0));
  totals.bytes = static_cast<uint64_t>(std::max<int64_t>(info.bytes(), 0));
  totals.first_sequence = static_cast<uint64_t>(std::max<int64_t>(info.firstsequence(), 0));
  totals.last_sequence = static_cast<uint64_t>(std::max<int64_t>(info.lastsequence(), 0));
  return totals;
}

}  // namespace

Awaitable<absl::StatusOr<kubemq::QueuesInfoResponse>> RemoteQueues::AskForeignInfo(std::string queue) {
  using Question = kubemq::QueuesInfoRequest;
  using Answer = kubemq::QueuesInfoResponse;
  const auto call = MakeCall<Question, Answer>(connection_);
  call->question.set_queuename(std::move(queue));
  const grpc::Status status =
      co_await connection_.Call(call, Connection::Method<Question, Answer>(&Connection::Async::QueuesInfo));
  if (!status.ok()) co_return connection_.ToFault(status);
  co_return std::move(call->answer);
}

Awaitable<absl::StatusOr<QueueInfo>> RemoteQueues::Info(std::string queue) {
  CO_ASSIGN_OR_RETURN(const bool marked, co_await Meet(queue));
  QueueInfo info;
  if (marked) {
    const auto call = MakeCall<wire::QueueName, wire::QueueFigures>(connection_);
    call->question.set_name(std::move(queue));
    const grpc::Status status = co_await connection_.CallOn(
        connection_.queues(), call,
        Connection::MethodOf<Async, wire::QueueName, wire::QueueFigures>(&Async::Info));
    if (!status.ok()) co_return connection_.ToFault(status);
    co_return InfoOf(call->answer);
  }
  const auto answer = co_await AskForeignInfo(queue);
  // KubeMQ servers before 2.4 have no such call: then nothing can be told.
  if (FaultOf(answer.status()) == Fault::kNotSupported) co_return info;
  CO_RETURN_IF_ERROR(answer.status());
  info.waiting = 0;
  for (const kubemq::QueueInfo& one : answer->info().queues()) {
    if (one.name() == queue) info.waiting = TotalsOf(one).waiting;
  }
  co_return info;
}

Awaitable<absl::StatusOr<std::vector<QueueTotals>>> RemoteQueues::Queues() {
  CO_ASSIGN_OR_RETURN(const bool marked, co_await Meet("any"));
  std::vector<QueueTotals> all;
  if (!marked) {
    CO_ASSIGN_OR_RETURN(const auto answer, co_await AskForeignInfo(""));
    for (const kubemq::QueueInfo& one : answer.info().queues()) all.push_back(TotalsOf(one));
    co_return all;
  }
  const auto call = MakeCall<wire::ListQueues, wire::QueueList>(connection_);
  const grpc::Status status = co_await connection_.CallOn(
      connection_.queues(), call,
      Connection::MethodOf<Async, wire::ListQueues, wire::QueueList>(&Async::List));
  if (!status.ok()) co_return connection_.ToFault(status);
  for (const wire::QueueEntry& entry : call->answer.queues()) all.push_back(TotalsOf(entry));
  co_return all;
}

Awaitable<absl::StatusOr<std::vector<Delivery>>> RemoteQueues::Peek(std::string queue, size_t max) {
  using Question = kubemq::ReceiveQueueMessagesRequest;
  using Answer = kubemq::ReceiveQueueMessagesResponse;
  CO_RETURN_IF_ERROR((co_await Meet(queue)).status());
  std::vector<Delivery> deliveries;
  if (max == 0) co_return deliveries;
  const auto call = MakeCall<Question, Answer>(connection_);
  call->question.set_clientid(connection_.options().client_id);
  call->question.set_channel(std::move(queue));
  call->question.set_maxnumberofmessages(
      static_cast<int32_t>(std::min<size_t>(max, kubemq_check::kMostMessages)));
  call->question.set_waittimeseconds(1);
  call->question.set_ispeak(true);
  const grpc::Status status = co_await connection_.Call(
      call, Connection::Method<Question, Answer>(&Connection::Async::ReceiveQueueMessages));
  if (!status.ok()) co_return connection_.ToFault(status);
  if (call->answer.iserror()) co_return QueueFailure(call->answer.error(), "");
  for (kubemq::QueueMessage& message : *call->answer.mutable_messages())
    deliveries.push_back(DeliveryOf(std::move(message)));
  co_return deliveries;
}

Awaitable<absl::StatusOr<uint64_t>> RemoteQueues::Purge(std::string queue) {
  using Question = kubemq::AckAllQueueMessagesRequest;
  using Answer = kubemq::AckAllQueueMessagesResponse;
  CO_RETURN_IF_ERROR((co_await Meet(queue)).status());
  const auto call = MakeCall<Question, Answer>(connection_);
  call->question.set_clientid(connection_.options().client_id);
  call->question.set_channel(std::move(queue));
  call->question.set_waittimeseconds(1);
  const grpc::Status status = co_await connection_.Call(
      call, Connection::Method<Question, Answer>(&Connection::Async::AckAllQueueMessages));
  if (!status.ok()) co_return connection_.ToFault(status);
  if (call->answer.iserror()) co_return QueueFailure(call->answer.error(), "");
  co_return call->answer.affectedmessages();
}

}  // namespace llm_router
