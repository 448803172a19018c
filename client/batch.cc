#include "client/batch.h"

#include <fmt/format.h>

#include <ostream>
#include <utility>

#include "broker_adapters/base/status.h"
#include "client/batch_convert.h"
#include "client/batch_pages.h"
#include "client/convert.h"
#include "client/jobs_link.h"
#include "client/pause.h"
#include "proto/fault.h"

namespace llm_router::client {
namespace {

using Op = contract::AboutBatch::Op;

absl::StatusOr<BatchStatus> AskAbout(JobsLink& link, Op op, const std::string& id,
                                     const Canceller& canceller = {}, TimePoint until = TimePoint::max()) {
  ASSIGN_OR_RETURN(const std::string body,
                   link.Ask(ToJson(contract::AboutBatch(op, id)), Repeat::kYes, canceller, until));
  ASSIGN_OR_RETURN(const contract::Json json, contract::ParseObject(body, "a batch"));
  ASSIGN_OR_RETURN(const contract::Batch batch, contract::ParseBatch(json));
  return ToStatus(batch);
}

template <class T>
Result<T> ToResult(absl::StatusOr<T> value) {
  if (!value.ok()) return ToError(value.status());
  return *std::move(value);
}

bool GotFurther(const BatchStatus& before, const BatchStatus& now) {
  return before.state != now.state || before.done() != now.done() || before.running != now.running;
}

absl::Status StillGoing(const BatchStatus& status) {
  return MakeFault(Fault::kTimeout,
                   fmt::format("batch {} is {} still, {} of {} lines done, and goes on: wait for it again",
                               status.id, NameOf(status.state), status.done(), status.total));
}

// Polls until it is over.
absl::StatusOr<BatchStatus> WaitForEnd(JobsLink& link, const std::string& id, const BatchWait& wait) {
  const TimePoint until = EndOf(wait.timeout);
  Backoff backoff;
  std::optional<BatchStatus> before;
  while (true) {
    ASSIGN_OR_RETURN(BatchStatus status, AskAbout(link, Op::kStatus, id, wait.canceller, until));
    if (wait.on_progress && (!before || GotFurther(*before, status))) wait.on_progress(status);
    if (IsFinal(status.state)) return status;
    const TimePoint next = Now() + backoff.Next();
    if (next >= until) return StillGoing(status);
    if (!PauseUntil(next, wait.canceller)) {
      return MakeFault(Fault::kCancelled, fmt::format("the wait was cancelled; batch {} goes on", id));
    }
    before = std::move(status);
  }
}

}  // namespace

Batch::Batch(std::string id, std::shared_ptr<JobsLink> link) : id_(std::move(id)), link_(std::move(link)) {}

Result<BatchStatus> Batch::Progress() const { return ToResult(AskAbout(*link_, Op::kStatus, id_)); }

Result<BatchStatus> Batch::Wait(const BatchWait& wait) const {
  return ToResult(WaitForEnd(*link_, id_, wait));
}

Result<BatchStatus> Batch::Cancel() const { return ToResult(AskAbout(*link_, Op::kCancel, id_)); }

Result<std::int64_t> Batch::Results(const std::function<void(const BatchResult&)>& on_result,
                                    Lines which) const {
  return ToResult(ReadLinePages(*link_, id_, which,
                                [&](std::string row) { on_result(client::ToResult(std::move(row))); }));
}

Result<std::int64_t> Batch::Results(std::ostream& rows, Lines which) const {
  const auto count = ReadLinePages(*link_, id_, which, [&](const std::string& row) { rows << row << '\n'; });
  if (count.ok() && !rows.flush()) {
    return ToError(MakeFault(Fault::kInternal, "the rows can't be written: is the disk full?"));
  }
  return ToResult(count);
}

Result<std::int64_t> Batch::Errors(const std::function<void(const BadLine&)>& on_bad_line) const {
  return ToResult(ReadErrorPages(*link_, id_, on_bad_line));
}

}  // namespace llm_router::client
