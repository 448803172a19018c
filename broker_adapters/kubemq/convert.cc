#include "broker_adapters/kubemq/convert.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

// The length of the valid UTF-8 sequence at the start of `text`, 0 if there is none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  // The second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF.
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// `text` with every byte that is no UTF-8 replaced by U+FFFD.
std::string Utf8(std::string text) {
  if (IsUtf8(text)) return text;
  std::string clean;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t length = SequenceLength(rest);
    clean += length == 0 ? std::string_view("\xEF\xBF\xBD") : rest.substr(0, length);
    rest.remove_prefix(std::max<size_t>(length, 1));
  }
  return clean;
}

template <class Wire>
Tags TagsOf(const Wire& wire) {
  Tags tags;
  for (const auto& [key, value] : wire.tags()) tags.emplace(key, value);
  return tags;
}

template <class Wire>
void SetTags(const Tags& tags, Wire& wire) {
  for (const auto& [key, value] : tags) (*wire.mutable_tags())[Utf8(key)] = Utf8(value);
}

}  // namespace

Query FromWire(const kubemq::Request& request, TimePoint arrival) {
  Query query;
  query.kind = request.requesttypedata() == kubemq::Request::Command ? Kind::kCommand : Kind::kQuery;
  query.deadline = arrival + Milliseconds(request.timeout());
  query.message.id = request.requestid();
  query.message.channel = request.channel();
  query.message.body = request.body();
  query.message.metadata = request.metadata();
  query.message.client_id = request.clientid();
  query.message.span = request.span();
  query.message.tags = TagsOf(request);
  return query;
}

Reply FromWire(const kubemq::Response& response) {
  Reply reply;
  reply.executed = response.executed();
  reply.error = response.error();
  reply.cache_hit = response.cachehit();
  reply.message.id = response.requestid();
  reply.message.body = response.body();
  reply.message.metadata = response.metadata();
  reply.message.client_id = response.clientid();
  reply.message.span = response.span();
  reply.message.tags = TagsOf(response);
  reply.message.timestamp = response.timestamp();
  return reply;
}

Message FromWire(const kubemq::Event& event) {
  Message message(event.channel(), event.body());
  message.id = event.eventid();
  message.metadata = event.metadata();
  message.client_id = event.clientid();
  message.tags = TagsOf(event);
  return message;
}

Message FromWire(const kubemq::EventReceive& event) {
  Message message(event.channel(), event.body());
  message.id = event.eventid();
  message.metadata = event.metadata();
  message.timestamp = event.timestamp();
  message.tags = TagsOf(event);
  return message;
}

kubemq::Request ToWire(Query query) {
  kubemq::Request request;
  const int64_t left = Remaining(query.deadline).count();
  request.set_requesttypedata(query.kind == Kind::kCommand ? kubemq::Request::Command
                                                           : kubemq::Request::Query);
  request.set_timeout(
      static_cast<int32_t>(std::clamp<int64_t>(left, 1, std::numeric_limits<int32_t>::max())));
  request.set_requestid(Utf8(std::move(query.message.id)));
  request.set_clientid(Utf8(std::move(query.message.client_id)));
  request.set_channel(Utf8(std::move(query.message.channel)));
  request.set_metadata(Utf8(std::move(query.message.metadata)));
  request.set_body(std::move(query.message.body));
  request.set_span(std::move(query.message.span));
  SetTags(query.message.tags, request);
  return request;
}

kubemq::Response ToWire(Reply reply) {
  kubemq::Response response;
  response.set_clientid(Utf8(std::move(reply.message.client_id)));
  response.set_requestid(Utf8(std::move(reply.message.id)));
  response.set_metadata(Utf8(std::move(reply.message.metadata)));
  response.set_body(std::move(reply.message.body));
  response.set_cachehit(reply.cache_hit);
  response.set_timestamp(reply.message.timestamp);
  response.set_executed(reply.executed);
  response.set_error(Utf8(std::move(reply.error)));
  response.set_span(std::move(reply.message.span));
  SetTags(reply.message.tags, response);
  return response;
}

kubemq::Event EventToWire(Message event) {
  kubemq::Event wire;
  wire.set_eventid(Utf8(std::move(event.id)));
  wire.set_clientid(Utf8(std::move(event.client_id)));
  wire.set_channel(Utf8(std::move(event.channel)));
  wire.set_metadata(Utf8(std::move(event.metadata)));
  wire.set_body(std::move(event.body));
  SetTags(event.tags, wire);
  return wire;
}

kubemq::EventReceive EventReceiveToWire(const Message& event) {
  kubemq::EventReceive wire;
  wire.set_eventid(Utf8(event.id));
  wire.set_channel(Utf8(event.channel));
  wire.set_metadata(Utf8(event.metadata));
  wire.set_body(event.body);
  wire.set_timestamp(event.timestamp != 0 ? event.timestamp : UnixNanos());
  SetTags(event.tags, wire);
  return wire;
}

Reply FailedReply(const absl::Status& failure, const Tags& query_tags) {
  Reply reply;
  reply.error = std::string(MessageOf(failure));
  reply.message.body = contract::ErrorBody(TagOr(query_tags, tag::kDialect), failure);
  reply.message.timestamp = UnixNanos();
  Tags& tags = reply.message.tags;
  tags[std::string(kubemq_text::kFaultTag)] = std::string(RowOf(FaultOf(failure)).name);
  tags[std::string(tag::kContentType)] = std::string(contract::kJson);
  for (const std::string_view echoed : {tag::kQuery, tag::kRequestId}) {
    if (const auto value = TagOr(query_tags, echoed); !value.empty())
      tags[std::string(echoed)] = std::string(value);
  }
  return reply;
}

std::optional<absl::Status> FailureIn(const Reply& reply) {
  const auto fault = FaultNamed(TagOr(reply.message.tags, kubemq_text::kFaultTag));
  if (reply.executed || !fault) return std::nullopt;
  // The reply to a command comes without its body, so only how long to wait is read there.
  return MakeFault(*fault, reply.error, RetryAfterOf(contract::ParseError(reply.error, reply.message.body)));
}

}  // namespace llm_router
