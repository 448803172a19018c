#include "broker_adapters/nats/asker.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/nats/convert.h"
#include "broker_adapters/nats/mailbox.h"
#include "broker_adapters/nats/subjects.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr auto kConnectPatience = std::chrono::seconds(5);
constexpr size_t kMostUnheard = 10'000;
constexpr Milliseconds kFirstPause(5);
constexpr Milliseconds kMostPause(100);
constexpr size_t kUnheardPerMillisecond = 10;  // asked again, on average
constexpr auto kLookInterval = std::chrono::seconds(2);
constexpr int kWorkerGone = -2;

}  // namespace

absl::Status Asker::Check(const Query& query) const {
  if (connection_.stopping()) return connection_.ShuttingDown();
  RETURN_IF_ERROR(CheckName(query.message.channel));
  if (query.deadline <= Now()) return MakeFault(Fault::kTimeout, "the deadline has passed already");
  return absl::OkStatus();
}

Awaitable<absl::StatusOr<Reply>> Asker::Request(Query query) {
  CO_RETURN_IF_ERROR(Check(query));
  if (!connection_.is_up())
    CO_RETURN_IF_ERROR(
        co_await connection_.Up(std::min<TimePoint>(query.deadline, Now() + kConnectPatience)));
  CO_RETURN_IF_ERROR(connection_.CheckBody(query.message));
  if (query.message.client_id.empty()) query.message.client_id = connection_.options().client_id;
  if (query.message.id.empty()) query.message.id = NewId();
  bool unheard = false;
  for (int asked = 0;; ++asked) {
    auto answer = co_await AskOn(query);
    if (!answer.ok() || answer->status != kNobodyThere) {
      if (unheard) --unheard_;
      CO_RETURN_IF_ERROR(answer.status());
      co_return ReplyOf(*std::move(answer));
    }
    if (!unheard && unheard_ >= kMostUnheard)
      co_return MakeFault(Fault::kOverloaded,
                          "too many queries wait for somebody to serve them: ask again later");
    if (!std::exchange(unheard, true)) ++unheard_;
    (void)co_await Sleep(std::min<TimePoint>(query.deadline, Now() + Pause(asked)));
  }
}

Awaitable<absl::StatusOr<WireMessage>> Asker::AskOn(const Query& query) {
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  if (Now() >= query.deadline) co_return MakeFault(Fault::kTimeout, "nobody answered before the deadline");
  Mailbox mailbox(connection_);
  WireMessage wire = ToWire(query);
  wire.reply = mailbox.address();
  CO_RETURN_IF_ERROR(connection_.Publish(std::move(wire), query.deadline));
  auto answer = co_await Await(mailbox, query.deadline);
  if (answer && answer->status == kWorkerGone)
    co_return MakeFault(Fault::kWorkerLost, "the worker that had the query went away: ask again");
  if (answer && answer->status != kNotSent) co_return *std::move(answer);
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  if (answer || mailbox.is_cut())
    co_return MakeFault(Fault::kEngineUnavailable, "the connection to the NATS server broke: ask again");
  if (co_await Cancelled()) {
    Cancel(mailbox.address());
    co_return MakeFault(Fault::kCancelled, "the caller went away");
  }
  co_return MakeFault(Fault::kTimeout, "nobody answered before the deadline");
}

Awaitable<std::optional<WireMessage>> Asker::Await(Mailbox& mailbox, TimePoint deadline) {
  std::string taker;
  size_t takers = 0;  // one of several that went away is no loss
  for (;;) {
    const bool looks = takers == 1;
    auto answer =
        co_await mailbox.Next(looks ? std::min<TimePoint>(deadline, Now() + kLookInterval) : deadline);
    if (!answer) {
      if (Now() >= deadline || mailbox.is_cut() || co_await Cancelled()) co_return std::nullopt;
      WireMessage look(taker, "");
      look.reply = mailbox.address();
      (void)connection_.Publish(std::move(look), deadline);
      continue;
    }
    if (const auto by = TakerIn(*answer); !by.empty()) {
      taker = by;
      ++takers;
      continue;
    }
    if (answer->status != kNobodyThere || takers == 0) co_return answer;
    if (takers > 1) continue;
    answer->status = kWorkerGone;
    co_return answer;
  }
}

Milliseconds Asker::Pause(int asked) const {
  const Milliseconds by_patience = std::min(kFirstPause * (1 << std::min(asked, 10)), kMostPause);
  return std::max(by_patience, Milliseconds(unheard_ / kUnheardPerMillisecond));
}

// Who has the query knows it by where its answer goes.
void Asker::Cancel(const std::string& reply) {
  (void)connection_.Publish(WireMessage(std::string(kCancelSubject), reply), Now() + kConnectPatience);
}

}  // namespace llm_router::nats
