#include "router/jobs/outbox.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "broker_adapters/base/full_jitter.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"

namespace llm_router {
namespace {

constexpr int64_t kMostAtOnce = 100;
constexpr Milliseconds kLookEvery{1'000};
constexpr int64_t kFirstBackoff = 1'000;  // ms, doubling
constexpr int64_t kMostBackoff = 60'000;

Milliseconds BackoffAfter(int64_t attempts) {
  const auto doublings = std::clamp<int64_t>(attempts, 0, 6);
  return RandomUpTo(Milliseconds(std::min(kFirstBackoff << doublings, kMostBackoff)));
}

}  // namespace

Awaitable<void> Outbox::Stop() {
  tasks_.Cancel();
  co_await tasks_.Join();
}

Awaitable<void> Outbox::Run() {
  do {
    auto more = co_await SendDue();
    while (more.ok() && *more && !co_await Cancelled()) more = co_await SendDue();
    if (more.ok() || co_await Cancelled()) continue;
    if (const auto left_out = log_limit_.Admit(Now()))
      log::Warning("results wait to be sent: {} ({} more)", MessageOf(more.status()), *left_out);
  } while (co_await waker_.Wait(Now() + kLookEvery));
}

Awaitable<absl::StatusOr<bool>> Outbox::SendDue() {
  CO_ASSIGN_OR_RETURN(std::vector<OutboxItem> items,
                      co_await store_.TakeOutbox(kMostAtOnce, options_.unix_ms()));
  std::vector<int64_t> sent;
  for (OutboxItem& item : items) {
    const int64_t row = item.row;
    const int64_t attempts = item.attempts;
    const absl::Status status = co_await SendOne(std::move(item));
    if (status.ok()) {
      sent.push_back(row);
      continue;
    }
    if (co_await Cancelled()) co_return false;
    if (const auto left_out = log_limit_.Admit(Now()))
      log::Warning("a result waits to be sent: {} ({} more)", MessageOf(status), *left_out);
    const int64_t due = options_.unix_ms() + BackoffAfter(attempts).count() + 1;
    CO_RETURN_IF_ERROR(co_await store_.PutOff(row, attempts + 1, due));
  }
  if (!sent.empty()) CO_RETURN_IF_ERROR(co_await store_.MarkSent(std::move(sent)));
  co_return static_cast<int64_t>(items.size()) == kMostAtOnce;
}

Awaitable<absl::Status> Outbox::SendOne(OutboxItem item) {
  std::vector<Outgoing> messages(1);
  Message& message = messages[0].message;
  message.id = item.job;
  message.channel = item.queue;
  message.body = std::move(item.reply.body);
  message.tags = std::move(item.reply.tags);
  message.tags[std::string(contract::tag::kJob)] = item.job;
  message.tags[std::string(contract::tag::kTenant)] = item.tenant;
  const auto sent = co_await broker_.Send(item.queue, std::move(messages));
  if (!sent.ok()) co_return Annotate(sent.status(), item.queue);
  co_return sent->empty() ? absl::OkStatus() : (*sent)[0].status;
}

}  // namespace llm_router
