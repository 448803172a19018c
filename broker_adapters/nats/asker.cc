#include "broker_adapters/nats/asker.h"

#include <algorithm>
#include <utility>
#include <vector>

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
constexpr Milliseconds kAllTell(200);
constexpr size_t kMostTakers = 1'000;
constexpr int kWorkerGone = -2;

absl::Status Broke() {
  return MakeFault(Fault::kEngineUnavailable, "the connection to the NATS server broke: ask again");
}

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
    if (answer.ok() && answer->status == kNotSent) {
      // It never left this process; where that is a break, we hear of it a moment later.
      if (!co_await Sleep(Now() + kFirstPause) || connection_.is_up()) continue;
      answer = Broke();
    }
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
  if (answer) co_return *std::move(answer);
  if (mailbox.is_cut()) co_return Broke();
  if (co_await Cancelled()) {
    Cancel(mailbox.address());
    co_return MakeFault(Fault::kCancelled, "the caller went away");
  }
  co_return MakeFault(Fault::kTimeout, "nobody answered before the deadline");
}

// Where nobody of a group has it alone, several may have it, and the first answer counts: that one of them
// went away is none. What they say of themselves, they have said when it has been asked for a while.
Awaitable<std::optional<WireMessage>> Asker::Await(Mailbox& mailbox, TimePoint deadline) {
  const TimePoint all_told = Now() + kAllTell;
  std::vector<std::string> takers;
  std::optional<WireMessage> loss;
  for (;;) {
    if (loss && takers.empty() && Now() >= all_told) co_return loss;
    const bool looks = takers.size() == 1;
    const TimePoint until = loss && takers.empty() ? all_told : looks ? Now() + kLookInterval : deadline;
    auto answer = co_await mailbox.Next(std::min<TimePoint>(deadline, until));
    if (!answer) {
      if (Now() >= deadline || mailbox.is_cut() || co_await Cancelled()) co_return std::nullopt;
      if (!looks) continue;
      WireMessage look(takers.front(), "");
      look.reply = mailbox.address();
      (void)connection_.Publish(std::move(look), deadline);
    } else if (const auto by = TakerIn(*answer); !by.empty()) {
      if (takers.size() < kMostTakers) takers.emplace_back(by);
    } else if (const auto lost = LoserIn(*answer); !lost.empty()) {
      if (const auto found = std::ranges::find(takers, lost); found != takers.end()) takers.erase(found);
      loss = *std::move(answer);
    } else if (answer->status != kNobodyThere || (takers.empty() && !loss)) {
      co_return answer;
    } else if (takers.size() == 1) {
      answer->status = kWorkerGone;
      co_return answer;
    }
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
