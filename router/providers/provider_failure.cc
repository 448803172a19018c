// What providers' failures mean: one row per status, a sentence each.
#include <fmt/format.h>

#include <algorithm>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"
#include "router/providers/provider.h"
#include "router/providers/retry_after.h"

namespace llm_router {
namespace {

constexpr size_t kLongestQuotation = 500;  // bytes

struct StatusRow {
  int first;
  int last;
  Fault fault;
  bool quotes;                // whether the provider's own words follow
  std::string_view sentence;  // after "provider ID"; {status} and {key} are filled in
};

using enum Fault;

// The first row that holds a status counts; a more special one stands first.
constexpr StatusRow kRows[] = {
    {400, 400, kProviderRejected, true, "rejects the query as invalid ({status}): mend it"},
    // What a provider says of a refused key may hold a part of that key.
    {401, 401, kProviderAuth, false, "refuses its key: check {key}"},
    {402, 402, kProviderAuth, true, "wants to be paid ({status}): check the account behind {key}"},
    {403, 403, kProviderAuth, true, "forbids this to its key ({status}): check what {key} may do"},
    {404, 404, kProviderRejected, true, "knows no such model ({status}): check the model and base_url"},
    {408, 408, kProviderTimeout, true, "gave up waiting ({status}): try again"},
    {413, 413, kProviderRejected, true, "finds the query too large ({status}): shorten it"},
    {422, 422, kProviderRejected, true, "rejects the query as invalid ({status}): mend it"},
    {429, 429, kProviderBusy, true,
     "asks for fewer queries ({status}): try again later, or check its limits"},
    {503, 503, kProviderBusy, true, "is overloaded ({status}): try again later"},
    {504, 504, kProviderTimeout, true, "gave up waiting ({status}): try again"},
    {529, 529, kProviderBusy, true, "is overloaded ({status}): try again later"},
    {500, 599, kProviderFailed, true, "failed ({status}): try again"},
    {0, 999, kProviderBadReply, true, "answered with status {status}, which is no reply: check its base_url"},
};

const StatusRow& RowOfStatus(int status) {
  const auto found = std::ranges::find_if(
      kRows, [status](const StatusRow& row) { return status >= row.first && status <= row.last; });
  return found == std::end(kRows) ? *std::prev(std::end(kRows)) : *found;
}

}  // namespace

absl::Status Provider::ClassifyFailure(const HttpReply& reply) const {
  const StatusRow& row = RowOfStatus(reply.status);
  std::string sentence = fmt::format(
      "provider {} {}", config_.id,
      fmt::format(fmt::runtime(row.sentence), fmt::arg("status", reply.status), fmt::arg("key", KeyPlace())));
  const std::string said = dialect_.ParseError(Redact(reply.body)).message;
  if (row.quotes && !said.empty()) sentence += fmt::format("; it says: {}", Excerpt(said, kLongestQuotation));
  return MakeFault(row.fault, sentence, RetryAfter(reply.headers, UnixMillis()));
}

absl::StatusOr<ChatReply> Provider::ReadReply(const Dialect& dialect, std::string_view body) const {
  absl::StatusOr<ChatReply> reply = dialect.ParseReply(body);
  if (reply.ok()) return reply;
  // The complaint may quote the key, or the part of it that was left when the quotation was cut: so it is
  // made of a body without the key.
  const absl::Status complaint = dialect.ParseReply(Redact(body)).status();
  if (complaint.ok()) {
    return MakeFault(kProviderBadReply,
                     fmt::format("provider {} answered something that is no reply", config_.id));
  }
  return Annotate(complaint, fmt::format("provider {}", config_.id));
}

// ReadReply says what is wrong, and is never asked to when it is not.
absl::StatusOr<ChatReply> Provider::GlanceAtReply(const Dialect& dialect, std::string_view body) const {
  absl::StatusOr<ChatReply> reply = dialect.GlanceAtReply(body);
  return reply.ok() ? std::move(reply) : ReadReply(dialect, body);
}

absl::Status Provider::Named(const absl::Status& failure) const {
  return MakeFault(FaultOf(failure), fmt::format("provider {}: {}", config_.id, Redact(MessageOf(failure))),
                   RetryAfterOf(failure));
}

}  // namespace llm_router
