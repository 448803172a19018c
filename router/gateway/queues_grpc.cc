#include "router/gateway/queues_grpc.h"

#include <string>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "proto/fault.h"
#include "router/gateway/kubemq_grpc_admit.h"
#include "router/gateway/kubemq_grpc_stream.h"

namespace llm_router {
namespace {

// KubeMQ's own call for the same, whose rules of access hold here.
constexpr std::string_view kLikeMethod = "QueuesInfo";

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, grpc::Status status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(std::move(status));
  return reactor;
}

// An empty name stands for all queues.
absl::Status Check(DoorState& state, const grpc::CallbackServerContext& context, const std::string& queue) {
  kubemq::QueuesInfoRequest asked;
  asked.set_queuename(queue);
  return Admit(state, context, kLikeMethod, asked).status();
}

void SetFigures(const QueueInfo& info, wire::QueueFigures& figures) {
  if (info.waiting) figures.set_waiting(*info.waiting);
  if (info.leased) figures.set_leased(*info.leased);
  if (info.delayed) figures.set_delayed(*info.delayed);
  if (info.dead) figures.set_dead(*info.dead);
  if (info.oldest_age) figures.set_oldest_age_ms(static_cast<uint64_t>(info.oldest_age->count()));
}

void SetEntry(const QueueTotals& totals, wire::QueueEntry& entry) {
  entry.set_name(ToUtf8(totals.name));
  entry.set_waiting(totals.waiting);
  if (totals.leased) entry.set_leased(*totals.leased);
  if (totals.delayed) entry.set_delayed(*totals.delayed);
  entry.set_bytes(totals.bytes);
  entry.set_first_sequence(totals.first_sequence);
  entry.set_last_sequence(totals.last_sequence);
}

// gRPC keeps the answer and the reactor until Finish.
Awaitable<void> AnswerInfo(std::shared_ptr<DoorState> state, std::string queue, wire::QueueFigures* figures,
                           grpc::ServerUnaryReactor* reactor) {
  const auto info = co_await state->server->broker().Info(std::move(queue));
  if (info.ok()) SetFigures(*info, *figures);
  reactor->Finish(info.ok() ? grpc::Status::OK : Refusal(info.status()));
}

Awaitable<void> AnswerList(std::shared_ptr<DoorState> state, wire::QueueList* list,
                           grpc::ServerUnaryReactor* reactor) {
  QueueAdmin* const admin = state->server->broker().queue_admin();
  absl::StatusOr<std::vector<QueueTotals>> all =
      MakeFault(Fault::kNotSupported, "the message broker behind this server can't list its queues");
  if (admin != nullptr) all = co_await admin->Queues();
  if (all.ok()) {
    for (const QueueTotals& totals : *all) SetEntry(totals, *list->add_queues());
  }
  reactor->Finish(all.ok() ? grpc::Status::OK : Refusal(all.status()));
}

}  // namespace

grpc::ServerUnaryReactor* QueuesService::Info(grpc::CallbackServerContext* context,
                                              const wire::QueueName* queue, wire::QueueFigures* figures) {
  if (state_->server->refusing()) return Answer(context, NotReady());
  if (const auto text = kubemq_check::QueueName(queue->name()); !text.empty())
    return Answer(context, Refusal(text));
  if (const absl::Status allowed = Check(*state_, *context, queue->name()); !allowed.ok())
    return Answer(context, Refusal(allowed));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  state_->loop.Post([state = state_, name = queue->name(), figures, reactor] {
    state->tasks.Spawn(AnswerInfo(state, name, figures, reactor));
  });
  return reactor;
}

grpc::ServerUnaryReactor* QueuesService::List(grpc::CallbackServerContext* context,
                                              const wire::ListQueues* /*all*/, wire::QueueList* list) {
  if (state_->server->refusing()) return Answer(context, NotReady());
  if (const absl::Status allowed = Check(*state_, *context, ""); !allowed.ok())
    return Answer(context, Refusal(allowed));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  state_->loop.Post(
      [state = state_, list, reactor] { state->tasks.Spawn(AnswerList(state, list, reactor)); });
  return reactor;
}

}  // namespace llm_router
