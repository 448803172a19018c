#include "broker_adapters/nats/convert.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/nats/header_text.h"
#include "broker_adapters/nats/subjects.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

namespace tag = contract::tag;

constexpr std::string_view kWire = "Llm-Wire";  // the version of all this
constexpr std::string_view kVersion = "1";
constexpr std::string_view kId = "Llm-Id";
constexpr std::string_view kClient = "Llm-Client";
constexpr std::string_view kMetadata = "Llm-Metadata";
constexpr std::string_view kSpan = "Llm-Span";
constexpr std::string_view kTimestamp = "Llm-Timestamp";
constexpr std::string_view kTimeout = "Llm-Timeout-Ms";
constexpr std::string_view kExecuted = "Llm-Executed";
constexpr std::string_view kError = "Llm-Error";
constexpr std::string_view kCacheHit = "Llm-Cache-Hit";
constexpr std::string_view kTakenBy = "Llm-Taken-By";
constexpr std::string_view kLostBy = "Llm-Lost-By";
constexpr std::string_view kFault = "Llm-Fault";
constexpr std::string_view kRetryAfter = "Llm-Retry-After-Ms";
constexpr std::string_view kSentAt = "Llm-Sent-At";
constexpr std::string_view kExpiresAt = "Llm-Expires-At";
constexpr std::string_view kDueAt = "Llm-Due-At";
constexpr std::string_view kMaxDeliveries = "Llm-Max-Deliveries";
constexpr std::string_view kDeadLetter = "Llm-Dead-Letter";
constexpr std::string_view kReroutedFrom = "Llm-Rerouted-From";
constexpr std::string_view kYes = "yes";

// How long a stranger's query may run that does not say.
constexpr Milliseconds kStrangersPatience(300'000);

void AddText(WireMessage& wire, std::string_view name, std::string_view text) {
  if (!text.empty()) wire.Add(name, ToHeaderValue(text));
}

void AddNumber(WireMessage& wire, std::string_view name, int64_t number) {
  if (number != 0) wire.Add(name, std::to_string(number));
}

int64_t NumberOf(const WireMessage& wire, std::string_view name) {
  return std::max<int64_t>(ParseNumber<int64_t>(wire.Header(name)).value_or(0), 0);
}

std::string TextOf(const WireMessage& wire, std::string_view name) { return FromHeader(wire.Header(name)); }

bool IsReserved(std::string_view name) { return name.starts_with("Llm-") || name.starts_with("Nats-"); }

Tags TagsOf(const WireMessage& wire) {
  Tags tags;
  const bool ours = IsOurs(wire);
  for (const auto& [name, value] : wire.headers) {
    if (IsReserved(name)) continue;
    if (ours) {
      tags.emplace(FromHeader(name), FromHeader(value));
    } else {
      tags.emplace(absl::AsciiStrToLower(name), value);
    }
  }
  return tags;
}

std::optional<absl::Status> FailureIn(const WireMessage& wire) {
  const auto fault = FaultNamed(wire.Header(kFault));
  if (!fault) return std::nullopt;
  std::optional<Milliseconds> retry_after;
  if (wire.Has(kRetryAfter)) retry_after = Milliseconds(NumberOf(wire, kRetryAfter));
  return MakeFault(*fault, TextOf(wire, kError), retry_after);
}

WireMessage Without(const WireMessage& wire, std::initializer_list<std::string_view> names) {
  WireMessage left = wire;
  left.reply.clear();
  std::erase_if(left.headers, [&](const auto& header) {
    return header.first.starts_with("Nats-") ||
           std::find(names.begin(), names.end(), header.first) != names.end();
  });
  return left;
}

}  // namespace

bool IsOurs(const WireMessage& wire) { return wire.Has(kWire); }

WireMessage TakenBy(std::string where, std::string subject) {
  WireMessage wire(std::move(subject), "");
  wire.Add(kWire, std::string(kVersion));
  wire.Add(kTakenBy, std::move(where));
  return wire;
}

std::string_view TakerIn(const WireMessage& wire) { return wire.Header(kTakenBy); }

void AddLoser(WireMessage& answer, std::string where) { answer.Add(kLostBy, std::move(where)); }

std::string_view LoserIn(const WireMessage& wire) { return wire.Header(kLostBy); }

WireMessage ToWire(Message message, std::string subject) {
  WireMessage wire(std::move(subject), std::move(message.body));
  wire.Add(kWire, std::string(kVersion));
  AddText(wire, kId, message.id);
  AddText(wire, kClient, message.client_id);
  AddText(wire, kMetadata, message.metadata);
  AddText(wire, kSpan, message.span);
  AddNumber(wire, kTimestamp, message.timestamp);
  for (const auto& [key, value] : message.tags) wire.Add(ToHeaderName(key), ToHeaderValue(value));
  return wire;
}

WireMessage ToWire(Query query) {
  std::string subject = QuerySubject(query.kind, query.message.channel);
  WireMessage wire = ToWire(std::move(query.message), std::move(subject));
  AddNumber(wire, kTimeout, std::max<int64_t>(Remaining(query.deadline).count(), 1));
  return wire;
}

WireMessage ToWire(Reply reply, std::string subject) {
  if (reply.message.timestamp == 0) reply.message.timestamp = UnixNanos();
  WireMessage wire = ToWire(std::move(reply.message), std::move(subject));
  if (reply.executed) wire.Add(kExecuted, std::string(kYes));
  if (reply.cache_hit) wire.Add(kCacheHit, std::string(kYes));
  AddText(wire, kError, reply.error);
  return wire;
}

WireMessage ToWire(const absl::Status& failure, const Tags& query_tags, std::string subject) {
  Reply reply;
  reply.error = std::string(llm_router::MessageOf(failure));
  reply.message.body = contract::ErrorBody(TagOr(query_tags, tag::kDialect), failure);
  Tags& tags = reply.message.tags;
  tags[std::string(tag::kContentType)] = std::string(contract::kJson);
  for (const std::string_view echoed : {tag::kQuery, tag::kRequestId}) {
    if (const auto value = TagOr(query_tags, echoed); !value.empty())
      tags[std::string(echoed)] = std::string(value);
  }
  WireMessage wire = ToWire(std::move(reply), std::move(subject));
  wire.Add(kFault, std::string(RowOf(FaultOf(failure)).name));
  if (const auto retry_after = RetryAfterOf(failure))
    wire.Add(kRetryAfter, std::to_string(retry_after->count()));
  return wire;
}

WireMessage ToWire(Outgoing outgoing, std::string subject, int64_t sent_at) {
  constexpr int64_t kPerMillisecond = 1'000'000;
  const int64_t due = sent_at + outgoing.delay.count() * kPerMillisecond;
  WireMessage wire = ToWire(std::move(outgoing.message), std::move(subject));
  AddNumber(wire, kSentAt, sent_at);
  if (outgoing.delay.count() > 0) AddNumber(wire, kDueAt, due);
  if (outgoing.expiry.count() > 0)
    AddNumber(wire, kExpiresAt, due + outgoing.expiry.count() * kPerMillisecond);
  AddNumber(wire, kMaxDeliveries, outgoing.max_deliveries);
  AddText(wire, kDeadLetter, outgoing.dead_letter);
  return wire;
}

Message MessageOf(WireMessage wire) {
  Message message(std::string(ChannelOf(wire.subject)), std::move(wire.body));
  message.tags = TagsOf(wire);
  if (!IsOurs(wire)) return message;
  message.id = TextOf(wire, kId);
  message.client_id = TextOf(wire, kClient);
  message.metadata = TextOf(wire, kMetadata);
  message.span = TextOf(wire, kSpan);
  message.timestamp = NumberOf(wire, kTimestamp);
  return message;
}

Query QueryOf(WireMessage wire, Kind kind) {
  Milliseconds timeout = kStrangersPatience;
  if (wire.Has(kTimeout)) {
    constexpr int64_t kDay = 24 * 3'600'000;
    timeout = Milliseconds(std::min(NumberOf(wire, kTimeout), kDay));
  }
  return Query(kind, MessageOf(std::move(wire)), Now() + timeout);
}

absl::StatusOr<Reply> ReplyOf(WireMessage wire) {
  if (auto failure = FailureIn(wire)) return *std::move(failure);
  Reply reply;
  reply.executed = !IsOurs(wire) || wire.Header(kExecuted) == kYes;
  reply.cache_hit = wire.Header(kCacheHit) == kYes;
  reply.error = TextOf(wire, kError);
  reply.message = MessageOf(std::move(wire));
  reply.message.channel.clear();
  return reply;
}

Attributes AttributesOf(const WireMessage& wire) {
  Attributes attributes;
  attributes.sent_at = NumberOf(wire, kSentAt);
  attributes.expires_at = NumberOf(wire, kExpiresAt);
  attributes.rerouted_from = TextOf(wire, kReroutedFrom);
  attributes.max_deliveries =
      static_cast<int>(std::min<int64_t>(NumberOf(wire, kMaxDeliveries), std::numeric_limits<int>::max()));
  attributes.dead_letter = TextOf(wire, kDeadLetter);
  return attributes;
}

int64_t DueOf(const WireMessage& wire) { return NumberOf(wire, kDueAt); }

WireMessage Forwarded(const WireMessage& wire, std::string subject) {
  WireMessage forwarded = Without(wire, {kDueAt});
  forwarded.subject = std::move(subject);
  return forwarded;
}

WireMessage Buried(const WireMessage& wire, std::string subject, std::string_view from) {
  WireMessage buried = Without(wire, {kDueAt, kMaxDeliveries, kDeadLetter, kReroutedFrom});
  buried.subject = std::move(subject);
  AddText(buried, kReroutedFrom, from);
  return buried;
}

}  // namespace llm_router::nats
