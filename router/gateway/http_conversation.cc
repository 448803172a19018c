#include "router/gateway/http_conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/trace_context.h"
#include "router/dialects/dialect.h"
#include "router/gateway/http_answer.h"
#include "router/gateway/http_query.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

constexpr BodyKind kMessage{Fault::kInvalidRequest, "the message",
                            R"(It must be {"type": "request" | "resume" | "cancel", "id": ..., ...}.)"};
constexpr size_t kMostStreams = 100;
constexpr size_t kLongestId = 128;
constexpr Milliseconds kLinger = std::chrono::seconds(10);
constexpr Milliseconds kPatience = std::chrono::seconds(600);
constexpr Milliseconds kRoomAgain(10);

absl::Status Wrong(std::string_view field, std::string_view takes) {
  return MakeFault(Fault::kInvalidRequest, fmt::format("{} takes {}", field, takes));
}

// Empty where it is no string.
std::string TextAt(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool IsName(std::string_view text) {
  const auto is_of_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= kLongestId && std::ranges::all_of(text, is_of_name);
}

// What a stream is resumed by: its query's id, and its worker's.
std::string ResumeIdOf(const StreamPosition& position) {
  return fmt::format("{}.{}", position.query, position.worker);
}

absl::StatusOr<StreamPosition> PositionOf(const Json& message) {
  const std::string id = TextAt(message, "id");
  const auto dot = id.find('.');
  StreamPosition position;
  position.query = id.substr(0, dot);
  if (dot != std::string::npos) position.worker = id.substr(dot + 1);
  if (!IsName(position.query) || !IsName(position.worker)) return Wrong("id", "the resume_id of a stream");
  const auto after = message.find("after");
  if (after == message.end()) return position;
  if (!after->is_number_integer() || *after < -1)
    return Wrong("after", "the seq of the last chunk that came");
  position.seq = after->get<int64_t>();
  return position;
}

absl::Status AddNumber(const Json& message, std::string_view key, std::string_view name, Tags& tags) {
  const auto found = message.find(key);
  if (found == message.end() || found->is_null()) return absl::OkStatus();
  if (!found->is_number()) return Wrong(key, "a number");
  tags[std::string(name)] = found->dump();
  return absl::OkStatus();
}

// A text, with what it asks for in tags.
absl::Status ReadText(const Json& message, const std::string& model, std::string& body, Tags& tags) {
  body = TextAt(message, "input");
  if (body.empty()) return Wrong("input", "the prompt, a text");
  tags[std::string(tag::kDialect)] = contract::dialect::kText;
  tags[std::string(tag::kContentType)] = contract::kPlainText;
  tags[std::string(tag::kAccept)] = contract::kPlainText;
  tags[std::string(tag::kModel)] = model;
  if (const std::string system = TextAt(message, "system"); !system.empty())
    tags[std::string(tag::kSystem)] = system;
  RETURN_IF_ERROR(AddNumber(message, "temperature", tag::kTemperature, tags));
  return AddNumber(message, "max_tokens", tag::kMaxTokens, tags);
}

// What its client sees as its answer.
Json WholeOf(const Reply& reply) {
  Json body = ObjectOrNull(reply.message.body);
  if (TagOr(reply.message.tags, tag::kContentType) != contract::kJson || body.is_null())
    return ToUtf8(reply.message.body);
  return body;
}

void AddTag(const Tags& tags, std::string_view name, std::string_view key, Json& json) {
  if (const auto value = TagOr(tags, name); !value.empty()) json[std::string(key)] = value;
}

Json CompleteMessage(const std::string& id, const Reply& reply) {
  Json json = {{"type", "complete"}, {"id", id}, {"full_response", WholeOf(reply)}};
  AddTag(reply.message.tags, tag::kModel, "model", json);
  AddTag(reply.message.tags, tag::kProvider, "provider", json);
  AddTag(reply.message.tags, tag::kWarnings, "warnings", json);
  return json;
}

Json ErrorMessage(const std::optional<std::string>& id, const absl::Status& why) {
  Json json = Json::parse(contract::ErrorBody(contract::dialect::kText, why));
  return {{"type", "error"}, {"id", id ? Json(*id) : Json()}, {"error", json["error"]}};
}

}  // namespace

Awaitable<void> HttpConversation::Listen() {
  while (true) {
    auto message = co_await socket_->Receive();
    if (!message.ok()) break;
    OnMessage(message->data);
  }
  socket_ = nullptr;
  for (const auto& [id, stream] : streams_) {
    state_.sockets_tasks.Cancel(stream->task);
    stream->written.Wake();
    if (!stream->query.empty()) TellGone(state_.broker, stream->query, caller_->tenant, stream->deadline);
  }
}

void HttpConversation::OnMessage(std::string_view text) {
  auto message = ParseBody(text, kMessage);
  if (!message.ok()) return TellFailure(std::nullopt, message.status());
  const std::string type = TextAt(*message, "type");
  const std::string id = TextAt(*message, "id");
  if (type == "cancel") return Cancel(id);
  const absl::Status begun = Begin(type, *std::move(message));
  if (!begun.ok()) TellFailure(id.empty() ? std::nullopt : std::optional(id), begun);
}

absl::Status HttpConversation::Begin(const std::string& type, Json message) {
  if (type != "request" && type != "resume") return Wrong("type", "request, resume or cancel");
  if (state_.stopping) return MakeFault(Fault::kShuttingDown, "the server is shutting down: ask again");
  if (streams_.size() >= kMostStreams)
    return MakeFault(
        Fault::kOverloaded,
        fmt::format("a connection has at most {} streams at a time: wait for one", kMostStreams));
  std::string id = TextAt(message, "id");
  if (id.empty()) id = NewId();
  if (id.size() > 2 * kLongestId) return Wrong("id", fmt::format("at most {} bytes", 2 * kLongestId));
  const auto [row, is_new] = streams_.try_emplace(id, std::make_shared<Stream>(state_.executor, id));
  if (!is_new) return Wrong("id", "one that no stream of this connection has now");
  ++state_.stats.requests;
  row->second->task =
      state_.sockets_tasks.Spawn(Run(shared_from_this(), row->second, type, std::move(message)));
  return absl::OkStatus();
}

void HttpConversation::Cancel(const std::string& id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;  // it ended meanwhile
  found->second->cancelled = true;
  if (found->second->reply) found->second->reply->Cancel();
}

Awaitable<void> HttpConversation::Run(std::shared_ptr<HttpConversation> self, StreamPtr stream,
                                      std::string type, Json message) {
  auto opened = co_await self->Open(*stream, type, std::move(message));
  if (opened.ok()) {
    stream->reply = *std::move(opened);
    if (stream->cancelled) stream->reply->Cancel();
    co_await self->Follow(stream);
    stream->reply.reset();
  } else if (!co_await Cancelled()) {
    ++self->state_.stats.failed;
    stream->span.Answered(opened.status());
    (void)co_await self->Send(stream, ErrorMessage(stream->id, opened.status()));
  }
  if (self->socket_ != nullptr) self->streams_.erase(stream->id);
}

Awaitable<void> HttpConversation::Follow(StreamPtr kept) {
  Stream& stream = *kept;
  while (auto piece = co_await stream.reply->Next()) {
    const StreamPosition position = stream.reply->position();
    Json chunk = {
        {"type", "chunk"}, {"id", stream.id}, {"content", *std::move(piece)}, {"seq", position.seq}};
    if (!std::exchange(stream.told_position, true)) chunk["resume_id"] = ResumeIdOf(position);
    if (!co_await Send(kept, std::move(chunk))) co_return;
  }
  if (co_await Cancelled()) co_return;
  const auto reply = co_await stream.reply->AwaitReply();
  if (co_await Cancelled()) co_return;
  const absl::Status why = FailureOfReply(reply);
  ++(why.ok() ? state_.stats.executed : state_.stats.failed);
  stream.span.Answered(why);
  stream.query.clear();  // it is over
  (void)co_await Send(kept, why.ok() ? CompleteMessage(stream.id, *reply) : ErrorMessage(stream.id, why));
}

Awaitable<absl::StatusOr<std::unique_ptr<ReplyStream>>> HttpConversation::Open(Stream& stream,
                                                                               const std::string& type,
                                                                               Json message) {
  if (type == "request") co_return co_await Ask(stream, std::move(message));
  CO_ASSIGN_OR_RETURN(StreamPosition position, PositionOf(message));
  stream.told_position = true;
  Tags tags;
  tags[std::string(tag::kTenant)] = caller_->tenant;
  co_return co_await state_.streams.Resume(std::move(position), std::move(tags), Now() + kPatience, kLinger);
}

Awaitable<absl::StatusOr<std::unique_ptr<ReplyStream>>> HttpConversation::Ask(Stream& stream, Json message) {
  const std::string dialect = TextAt(message, "dialect");
  if (!dialect.empty() && FindDialect(dialect) == nullptr)
    co_return Wrong("dialect", "the name of one: openai.chat, anthropic.messages");
  const auto given = message.find("body");
  const bool has_body = given != message.end() && given->is_object();
  if (dialect.empty() == has_body) co_return Wrong("a request", "an input, or a body with its dialect");
  std::string model = TextAt(has_body && !message.contains("model") ? *given : message, "model");
  if (model.empty()) co_return Wrong("model", "a route's name, route/model, or a model that one route lists");
  // It names its trace as the headers of a request would.
  HttpHeaders headers;
  for (const std::string_view name : {tag::kTraceparent, tag::kTracestate})
    headers.emplace_back(name, TextAt(message, name));
  Tags tags = TagsOf(headers, dialect, *caller_, NewId());
  std::string body;
  if (has_body) {
    body = DumpJson(*given);
  } else {
    CO_RETURN_IF_ERROR(ReadText(message, model, body, tags));
  }
  CO_ASSIGN_OR_RETURN(const std::string route, co_await RouteFor(state_, caller_, std::move(model), remote_));
  stream.deadline = Now() + kPatience;
  stream.span = SpanOf(route, TagOr(tags, tag::kTraceparent));
  stream.span.Carry(tags);
  Query query = QueryFor(route, std::move(body), std::move(tags), stream.deadline);
  stream.query = query.message.id;
  co_return co_await state_.streams.Ask(std::move(query), kLinger);
}

DoorSpan HttpConversation::SpanOf(const std::string& route, std::string_view traceparent) const {
  DoorSpan door(state_.options.tracer, traceparent);
  Span& span = door.span();
  if (!span.is_recorded()) return door;
  span.SetName(fmt::format("query {}", route));
  span.Add("http.route", "/v1/stream");
  span.Add("llm_router.route", route);
  span.Add("llm_router.tenant", caller_->tenant);
  return door;
}

// One message of a stream at a time waits for the client: what comes meanwhile becomes one piece.
Awaitable<bool> HttpConversation::Send(StreamPtr stream, Json message) {
  while (!stream->is_written && socket_ != nullptr) {
    if (!co_await stream->written.Wait(TimePoint::max())) co_return false;
  }
  const std::string text = DumpJson(message);
  while (socket_ != nullptr) {
    WebSocketMessage out(text);
    out.written = [stream] {
      stream->is_written = true;
      stream->written.Wake();
    };
    stream->is_written = false;
    if (socket_->TrySend(std::move(out))) co_return true;
    stream->is_written = true;
    if (!co_await Sleep(Now() + kRoomAgain)) break;
  }
  co_return false;
}

void HttpConversation::TellFailure(const std::optional<std::string>& id, const absl::Status& why) {
  if (!socket_->TrySend(WebSocketMessage(DumpJson(ErrorMessage(id, why)))))
    socket_->Close(WebSocketClose::kRefused, "more answers wait than this connection takes");
}

}  // namespace llm_router
