#include "router/gateway/kubemq_asker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"
#include "router/gateway/channel_management.h"
#include "router/gateway/kubemq_access.h"
#include "router/roster/unserved_route.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

// Every worker beats once a second, so by then the roster knows those that live.
constexpr Milliseconds kRosterSettles{1'500};

ChannelType TypeOf(Kind kind) {
  return kind == Kind::kCommand ? ChannelType::kCommands : ChannelType::kQueries;
}

TimePoint EarlierDeadline(const Query& query) {
  const auto asked = ParseNumber<int64_t>(TagOr(query.message.tags, tag::kDeadline));
  return asked ? std::min(query.deadline, FromUnixMillis(*asked)) : query.deadline;
}

// A query as far as it is needed after it went to the broker.
Query WithoutBody(const Query& query) {
  Query rest(query.kind, Message(query.message.channel, ""), query.deadline);
  rest.message.id = query.message.id;
  rest.message.tags = query.message.tags;
  return rest;
}

bool WantsFailFast(const Query& query) {
  const auto it = query.message.tags.find(tag::kFailFast);
  return it != query.message.tags.end() && it->second != "no" && it->second != "false";
}

kubemq::Response Done(const Query& query, std::string body) {
  Reply reply;
  reply.executed = true;
  reply.message.id = query.message.id;
  reply.message.body = std::move(body);
  reply.message.timestamp = UnixNanos();
  return ToWire(std::move(reply));
}

kubemq::Response Refused(const Query& query, const absl::Status& failure) {
  Reply reply = FailedReply(failure, query.message.tags);
  reply.message.id = query.message.id;
  return ToWire(std::move(reply));
}

DoorSpan SpanOf(Tracer* tracer, const Message& message, std::string_view route) {
  DoorSpan door(tracer, TagOr(message.tags, tag::kTraceparent));
  Span& span = door.span();
  if (!span.is_recorded()) return door;
  span.SetName(fmt::format("query {}", message.channel));
  span.Add("messaging.system", "kubemq");
  span.Add("messaging.destination.name", message.channel);
  span.Add("llm_router.route", route);
  span.Add("llm_router.tenant", TagOr(message.tags, tag::kTenant, contract::kDefaultTenant));
  return door;
}

absl::Status FailureOf(const absl::StatusOr<Reply>& reply) {
  if (!reply.ok()) return reply.status();
  return reply->executed ? absl::OkStatus() : contract::ParseError(reply->error, reply->message.body);
}

}  // namespace

Question::Question(const kubemq::Request& request, CallerPtr asker)
    : query(FromWire(request, Now())),
      caller(std::move(asker)),
      cache_key(request.cachekey()),
      cache_ttl(request.cachettl()) {
  if (query.message.id.empty()) query.message.id = NewId();
}

Awaitable<absl::StatusOr<kubemq::Response>> KubemqAsker::Ask(Question question) {
  if (server_.refusing()) co_return absl::UnavailableError(kubemq_text::kNotReady.data());
  const size_t bytes = question.query.message.body.size();
  if (!server_.Enter(bytes)) {
    co_return Refused(question.query,
                      MakeFault(Fault::kOverloaded, "too many queries are under way: ask again later"));
  }
  ++stats_.in_flight;
  auto response = co_await Answer(std::move(question));
  --stats_.in_flight;
  server_.Leave(bytes);
  co_return response;
}

Awaitable<absl::StatusOr<kubemq::Response>> KubemqAsker::Answer(Question question) {
  Query& query = question.query;
  ++stats_.requests;
  if (query.kind == Kind::kQuery && query.message.channel == kubemq_text::kInternalRequests)
    co_return co_await Manage(std::move(question));
  server_.channels().Sent(TypeOf(query.kind), query.message.channel, query.message.body.size());
  Stamp(question);
  const bool cached = query.kind == Kind::kQuery && !question.cache_key.empty();
  if (cached) {
    question.cache_key = QueryCache::Key(TagOr(query.message.tags, tag::kTenant, contract::kDefaultTenant),
                                         query.message.channel, question.cache_key);
    if (const Reply* kept = server_.cache().Find(question.cache_key, Now()))
      co_return CachedReply(*kept, question);
  } else {
    question.cache_key.clear();
  }
  absl::Status allowed = CheckBody(query);
  if (allowed.ok()) allowed = co_await CheckServed(query, question.caller);
  if (!allowed.ok()) co_return Conclude(query, question.span, allowed);
  co_return co_await Route(std::move(question));
}

Awaitable<absl::StatusOr<kubemq::Response>> KubemqAsker::Route(Question question) {
  const Query asked = WithoutBody(question.query);
  absl::StatusOr<Reply> reply = co_await server_.broker().Request(std::move(question.query));
  if (co_await Cancelled()) {
    PublishCancel(asked);
    reply = Cut();
  } else if (reply.ok() && reply->executed && !question.cache_key.empty()) {
    server_.cache().Keep(question.cache_key, *reply, Now() + question.cache_ttl);
  }
  co_return Conclude(asked, question.span, std::move(reply));
}

absl::StatusOr<kubemq::Response> KubemqAsker::Conclude(const Query& asked, DoorSpan& span,
                                                       absl::StatusOr<Reply> reply) {
  if (reply.ok() && reply->message.body.size() > server_.options().max_body) {
    reply = MakeFault(Fault::kTooLarge,
                      fmt::format("the reply has {} bytes and limits.body allows {}: ask for less, or raise "
                                  "that setting",
                                  reply->message.body.size(), server_.options().max_body));
  }
  if (reply.ok()) span.Restore(reply->message.tags);
  if (span.span().is_recorded()) span.Answered(FailureOf(reply));
  if (!reply.ok() && FaultOf(reply.status()) == Fault::kTimeout) {
    ++stats_.timeouts;
    return absl::InternalError(absl::string_view(kubemq_text::kTimeout.data(), kubemq_text::kTimeout.size()));
  }
  if (!reply.ok() && FaultOf(reply.status()) == Fault::kCancelled) return reply.status();
  server_.channels().Answered(TypeOf(asked.kind), asked.message.channel);
  // Every other failure is a reply like any other: an SDK that saw an RPC error would ask, and pay, again.
  kubemq::Response response = reply.ok() ? ToWire(*std::move(reply)) : Refused(asked, reply.status());
  // A worker in this process has no wire of its own to say these.
  if (response.requestid().empty()) response.set_requestid(asked.message.id);
  if (response.timestamp() == 0) response.set_timestamp(UnixNanos());
  ++(response.executed() ? stats_.executed : stats_.failed);
  if (asked.kind == Kind::kCommand) {
    response.clear_body();
    response.clear_metadata();
    response.clear_cachehit();
  }
  return response;
}

void KubemqAsker::Stamp(Question& question) const {
  Query& query = question.query;
  query.deadline = EarlierDeadline(query);
  StampTenant(*question.caller, query.message);
  HoldToRoutes(*question.caller, query.message);
  const auto route = contract::RouteOfRequestsChannel(query.message.channel);
  if (query.kind != Kind::kQuery || !route) return;
  query.message.tags[std::string(tag::kQuery)] = NewId();
  question.span = SpanOf(server_.options().tracer, query.message, *route);
  question.span.Carry(query.message.tags);
}

absl::Status KubemqAsker::CheckBody(const Query& query) const {
  if (query.message.body.size() <= server_.options().max_body) return absl::OkStatus();
  return MakeFault(Fault::kTooLarge,
                   fmt::format("the body has {} bytes and limits.body allows {}: send less, "
                               "or raise that setting",
                               query.message.body.size(), server_.options().max_body));
}

bool KubemqAsker::Serves(std::string_view route, const std::string& channel) const {
  return server_.roster().Serves(route) || server_.channels().HasSubscriber(ChannelType::kQueries, channel);
}

Awaitable<absl::Status> KubemqAsker::CheckServed(const Query& query, CallerPtr caller) const {
  const auto route = contract::RouteOfRequestsChannel(query.message.channel);
  if (query.kind != Kind::kQuery || !route || !WantsFailFast(query)) co_return absl::OkStatus();
  const TimePoint settled = std::min(born_ + kRosterSettles, query.deadline);
  while (!Serves(*route, query.message.channel)) {
    if (Now() < settled && co_await Sleep(Now() + Milliseconds(20))) continue;
    if (co_await Cancelled()) co_return Cut();
    auto served = server_.roster().Routes();
    std::erase_if(served, [&](const contract::RouteModels& row) { return !caller->MayUseRoute(row.route); });
    co_return UnservedRoute(*route, served);
  }
  co_return absl::OkStatus();
}

kubemq::Response KubemqAsker::CachedReply(const Reply& kept, Question& question) {
  const Query& query = question.query;
  ++stats_.cache_hits;
  ++stats_.executed;
  Reply reply = kept;
  reply.cache_hit = true;
  reply.message.id = query.message.id;
  for (const std::string_view own : {tag::kQuery, tag::kRequestId, tag::kTraceparent}) {
    reply.message.tags.erase(std::string(own));
    if (const auto value = TagOr(query.message.tags, own); !value.empty())
      reply.message.tags[std::string(own)] = std::string(value);
  }
  question.span.Restore(reply.message.tags);
  question.span.Answered(absl::OkStatus());
  return ToWire(std::move(reply));
}

// Why a coroutine of ours was cancelled.
absl::Status KubemqAsker::Cut() const {
  if (server_.grace_over()) {
    return MakeFault(Fault::kShuttingDown, "the server is shutting down: ask again");
  }
  return MakeFault(Fault::kCancelled, "the caller went away");
}

void KubemqAsker::PublishCancel(const Query& asked) {
  if (!server_.grace_over()) ++stats_.cancelled;
  const auto query = TagOr(asked.message.tags, tag::kQuery);
  if (!contract::RouteOfRequestsChannel(asked.message.channel) || query.empty()) return;
  contract::Cancel cancel(std::string(query), ToUnixMillis(asked.deadline));
  cancel.gone = true;
  // Lost at worst: then the worker goes on until the query's deadline.
  Message message(std::string(contract::kControlChannel), contract::ToJson(cancel));
  message.tags[std::string(tag::kTenant)] = TagOr(asked.message.tags, tag::kTenant, contract::kDefaultTenant);
  (void)server_.broker().Publish(std::move(message));
}

Awaitable<kubemq::Response> KubemqAsker::Manage(Question question) {
  const Query asked = WithoutBody(question.query);
  auto body = co_await ManageChannels(server_, std::move(question.query.message), question.caller);
  co_return body.ok() ? Done(asked, *std::move(body)) : Refused(asked, body.status());
}

}  // namespace llm_router
