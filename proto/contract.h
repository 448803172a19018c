// The contract: all that two processes of ours, or a stranger with a KubeMQ SDK and us, must agree on.
//
// Channel names, groups, tags, and the shapes of replies, errors and heartbeats (control.h: control
// messages). Pure functions over strings and values; any thread. README.md in this folder says the same to
// users.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/tags.h"

namespace llm_router::contract {

// ---- channels and groups ----

inline constexpr std::string_view kWorkersGroup = "workers";
inline constexpr std::string_view kJobsGroup = "jobs";
inline constexpr std::string_view kJobsChannel = "llm_jobs";        // job.h, batch.h
inline constexpr std::string_view kJournalChannel = "llm_journal";  // journal.h
inline constexpr std::string_view kHeartbeatChannel = "llm_workers";
inline constexpr std::string_view kControlChannel = "llm_control";

std::string RequestsChannel(std::string_view route);  // <route>_requests
std::string JobsQueue(std::string_view route);        // <route>_jobs
std::string DeadQueue(std::string_view route);        // <route>_dead
std::string WorkerControlChannel(std::string_view worker);
std::optional<std::string_view> RouteOfRequestsChannel(std::string_view channel);
// Where a job's result may be sent: no channel of ours. Fault invalid_request otherwise.
[[nodiscard]] absl::Status CheckReplyTo(std::string_view queue);

// Route names: [A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*, not beginning with `llm` or `stream`.
[[nodiscard]] absl::Status CheckRouteName(std::string_view name);

// ---- tags ----

namespace tag {
inline constexpr std::string_view kContentType = "content-type";
inline constexpr std::string_view kDialect = "dialect";
inline constexpr std::string_view kModel = "model";
inline constexpr std::string_view kTemperature = "temperature";
inline constexpr std::string_view kMaxTokens = "max-tokens";
inline constexpr std::string_view kSystem = "system";
inline constexpr std::string_view kAccept = "accept";
inline constexpr std::string_view kDeadline = "deadline";
inline constexpr std::string_view kPriority = "priority";
inline constexpr std::string_view kHops = "hops";  // chains the query came through
inline constexpr std::string_view kFailFast = "fail-fast";
inline constexpr std::string_view kStreamTo = "stream-to";    // the channel that gets the chunks
inline constexpr std::string_view kStreamTag = "stream-tag";  // the caller's own, echoed in each chunk
inline constexpr std::string_view kLinger = "linger";
inline constexpr std::string_view kWhole = "whole";
inline constexpr std::string_view kReplyTo = "reply-to";
inline constexpr std::string_view kIdempotencyKey = "idempotency-key";
inline constexpr std::string_view kRequestId = "request-id";
inline constexpr std::string_view kTraceparent = "traceparent";
inline constexpr std::string_view kAnthropicBeta = "anthropic-beta";  // for a provider of the same dialect
inline constexpr std::string_view kQuery = "query";
inline constexpr std::string_view kJob = "job";
inline constexpr std::string_view kTenant = "tenant";
// on replies only
inline constexpr std::string_view kProvider = "provider";
inline constexpr std::string_view kAttempts = "attempts";
inline constexpr std::string_view kInputTokens = "input-tokens";
inline constexpr std::string_view kOutputTokens = "output-tokens";
inline constexpr std::string_view kQueueMs = "queue-ms";
inline constexpr std::string_view kWarnings = "warnings";
inline constexpr std::string_view kChunks = "chunks";
// on chunks only
inline constexpr std::string_view kSeq = "seq";
inline constexpr std::string_view kWorker = "worker";
// on what lies in <route>_dead only
inline constexpr std::string_view kReason = "reason";
}  // namespace tag

namespace dialect {
inline constexpr std::string_view kText = "text";
inline constexpr std::string_view kOpenAiChat = "openai.chat";
inline constexpr std::string_view kOpenAiCompletions = "openai.completions";
inline constexpr std::string_view kOpenAiEmbeddings = "openai.embeddings";
inline constexpr std::string_view kAnthropicCountTokens = "anthropic.count_tokens";
inline constexpr std::string_view kAnthropicMessages = "anthropic.messages";
}  // namespace dialect

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kPlainText = "text/plain";
inline constexpr std::string_view kDefaultTenant = "default";

// What the tags of a query ask for, checked.
struct QueryTags {
  QueryTags() = default;

  std::string dialect;  // one of contract::dialect
  std::optional<std::string> model;
  std::optional<double> temperature;  // 0 to 2
  std::optional<int64_t> max_tokens;  // above 0
  std::optional<std::string> system;
  bool bare_text = false;              // accept: text/plain
  std::optional<int64_t> deadline_ms;  // Unix milliseconds
  std::string stream_to;               // empty: no stream
  std::chrono::milliseconds linger{0};
  bool whole = true;  // whether the reply of a stream has its body
};
// Fault invalid_request naming the tag, its value's fault and what it takes.
absl::StatusOr<QueryTags> ParseQueryTags(const Tags& tags);

// ---- replies ----

struct Usage {
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
};

// The reply to a text query: {"response", "model", "provider", "usage"}.
struct TextReply {
  TextReply() = default;

  std::string response;
  std::string model;
  std::string provider;
  std::optional<Usage> usage;
};
std::string ToJson(const TextReply& reply);
// Reads a reply body. A body whose content type is not JSON is bare text (a worker written by others).
absl::StatusOr<TextReply> ParseTextReply(std::string_view content_type, std::string_view body);

// The body of a failed reply, in the shape callers of `dialect` know: {"error": {"message", "type", "code",
// "param", "retry_after_ms"?}}, or Anthropic's {"type": "error", "error": {...}}.
std::string ErrorBody(std::string_view dialect, const absl::Status& failure);
// Reads what ErrorBody wrote back into a status with its Fault. A body of another shape gives kInternal with
// `sentence`.
absl::Status ParseError(std::string_view sentence, std::string_view body);

// ---- models ----

struct RouteModels {
  RouteModels() = default;
  std::string route;
  std::vector<std::string> models;
};
struct Choice {
  std::string route;
  std::optional<std::string> model;  // nothing: the route's first
};
// Which route a model means: a route's name; `route/model` when the prefix is a route; a model exactly one
// route lists. Otherwise fault unknown_model, naming what exists.
absl::StatusOr<Choice> ResolveModel(std::string_view model, std::span<const RouteModels> routes);

// ---- heartbeats, on kHeartbeatChannel every second ----

struct RouteBeat {
  RouteBeat() = default;
  std::string route;
  std::vector<std::string> models;
  int64_t in_flight = 0;  // queries and jobs
  int64_t capacity = 0;
  int64_t job_capacity = 0;  // of it, what jobs may fill; 0: it takes none
};
struct Heartbeat {
  Heartbeat() = default;
  std::string worker;
  std::string config_version;
  bool leaving = false;  // the worker's last one
  bool jobs = false;     // it is the jobs service's
  std::vector<RouteBeat> routes;
};
std::string ToJson(const Heartbeat& beat);
absl::StatusOr<Heartbeat> ParseHeartbeat(std::string_view body);

}  // namespace llm_router::contract
