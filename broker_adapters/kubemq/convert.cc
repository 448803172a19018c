#include "broker_adapters/kubemq/convert.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

template <class Wire>
Tags TagsOf(const Wire& wire) {
  Tags tags;
  for (const auto& [key, value] : wire.tags()) tags.emplace(key, value);
  return tags;
}

template <class Wire>
void SetTags(const Tags& tags, Wire& wire) {
  for (const auto& [key, value] : tags) (*wire.mutable_tags())[ToUtf8(key)] = ToUtf8(value);
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
  request.set_requestid(ToUtf8(std::move(query.message.id)));
  request.set_clientid(ToUtf8(std::move(query.message.client_id)));
  request.set_channel(ToUtf8(std::move(query.message.channel)));
  request.set_metadata(ToUtf8(std::move(query.message.metadata)));
  request.set_body(std::move(query.message.body));
  request.set_span(std::move(query.message.span));
  SetTags(query.message.tags, request);
  return request;
}

kubemq::Response ToWire(Reply reply) {
  kubemq::Response response;
  response.set_clientid(ToUtf8(std::move(reply.message.client_id)));
  response.set_requestid(ToUtf8(std::move(reply.message.id)));
  response.set_metadata(ToUtf8(std::move(reply.message.metadata)));
  response.set_body(std::move(reply.message.body));
  response.set_cachehit(reply.cache_hit);
  response.set_timestamp(reply.message.timestamp);
  response.set_executed(reply.executed);
  response.set_error(ToUtf8(std::move(reply.error)));
  response.set_span(std::move(reply.message.span));
  SetTags(reply.message.tags, response);
  return response;
}

kubemq::Event EventToWire(Message event) {
  kubemq::Event wire;
  wire.set_eventid(ToUtf8(std::move(event.id)));
  wire.set_clientid(ToUtf8(std::move(event.client_id)));
  wire.set_channel(ToUtf8(std::move(event.channel)));
  wire.set_metadata(ToUtf8(std::move(event.metadata)));
  wire.set_body(std::move(event.body));
  SetTags(event.tags, wire);
  return wire;
}

kubemq::EventReceive EventReceiveToWire(const Message& event) {
  kubemq::EventReceive wire;
  wire.set_eventid(ToUtf8(event.id));
  wire.set_channel(ToUtf8(event.channel));
  wire.set_metadata(ToUtf8(event.metadata));
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
