#include "proto/contract.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "proto/json_fields.h"

namespace llm_router::contract {
namespace {

constexpr std::string_view kRequestsSuffix = "_requests";

absl::Status BadTag(std::string_view tag, std::string_view value, std::string_view takes) {
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("tag {} is \"{}\": it takes {}", tag, value.substr(0, 64), takes));
}

bool IsTokenCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

absl::StatusOr<std::string> DialectOf(const Tags& tags) {
  const std::string_view named = TagOr(tags, tag::kDialect);
  if (!named.empty()) return std::string(named);
  // Parameters such as "; charset=utf-8" do not change what it is.
  std::string_view type = TagOr(tags, tag::kContentType);
  type = type.substr(0, type.find_first_of("; "));
  if (type == kJson) return std::string(dialect::kOpenAiChat);
  if (type.empty() || type.starts_with("text/")) return std::string(dialect::kText);
  return BadTag(tag::kContentType, type, "text/plain or application/json");
}

absl::Status ParseStreamTags(const Tags& tags, QueryTags& parsed) {
  constexpr size_t kLongestTag = 64;
  const auto stream_to = TagOr(tags, tag::kStreamTo);
  if (!stream_to.empty() &&
      (!stream_to.starts_with("stream.") || stream_to.find_first_of("*> \t\r\n") != stream_to.npos))
    return BadTag(tag::kStreamTo, stream_to,
                  "a channel stream.<tenant>.<random>, to which you are subscribed");
  parsed.stream_to = std::string(stream_to);
  if (const auto value = TagOr(tags, tag::kStreamTag); value.size() > kLongestTag)
    return BadTag(tag::kStreamTag, value, "at most 64 characters");
  if (const auto value = TagOr(tags, tag::kLinger); !value.empty()) {
    const auto linger = ParseNumber<int64_t>(value);
    if (!linger || *linger < 0 || *linger > kLongestLinger.count())
      return BadTag(tag::kLinger, value, "milliseconds from 0 to 60000");
    parsed.linger = std::chrono::milliseconds(*linger);
  }
  if (const auto value = TagOr(tags, tag::kWhole); !value.empty()) {
    if (value != "yes" && value != "no") return BadTag(tag::kWhole, value, "yes or no");
    parsed.whole = value == "yes";
  }
  return absl::OkStatus();
}

}  // namespace

std::string RequestsChannel(std::string_view route) { return fmt::format("{}{}", route, kRequestsSuffix); }

std::string JobsQueue(std::string_view route) { return fmt::format("{}_jobs", route); }

std::string DeadQueue(std::string_view route) { return fmt::format("{}_dead", route); }

std::string WorkerControlChannel(std::string_view worker) {
  return fmt::format("{}.{}", kControlChannel, worker);
}

std::optional<std::string_view> RouteOfRequestsChannel(std::string_view channel) {
  if (!channel.ends_with(kRequestsSuffix) || channel == kRequestsSuffix) return std::nullopt;
  return channel.substr(0, channel.size() - kRequestsSuffix.size());
}

absl::Status CheckReplyTo(std::string_view queue) {
  const bool ours = queue.starts_with("llm") || queue.starts_with("stream") ||
                    queue.ends_with(kRequestsSuffix) || queue.ends_with("_jobs") || queue.ends_with("_dead");
  if (!queue.empty() && !ours && queue.find_first_of("*> \t\r\n") == std::string_view::npos)
    return absl::OkStatus();
  return MakeFault(
      Fault::kInvalidRequest,
      fmt::format("tag reply-to is \"{}\": it takes a queue of your own, whose name neither begins "
                  "with llm or stream nor ends with _requests, _jobs or _dead",
                  queue.substr(0, 64)));
}

absl::Status CheckRouteName(std::string_view name) {
  bool in_token = false;
  bool valid = true;
  for (const char c : name) {
    valid = valid && (IsTokenCharacter(c) || (c == '.' && in_token));
    in_token = c != '.';
  }
  if (!valid || !in_token) {
    return MakeFault(
        Fault::kInvalidRequest,
        fmt::format("route name \"{}\" is not valid: use letters, digits, _ and -, with single dots between",
                    name.substr(0, 64)));
  }
  if (name.starts_with("llm") || name.starts_with("stream")) {
    return MakeFault(
        Fault::kInvalidRequest,
        fmt::format("route name \"{}\" is reserved: choose one that does not begin with llm or stream",
                    name));
  }
  return absl::OkStatus();
}

absl::StatusOr<QueryTags> ParseQueryTags(const Tags& tags) {
  QueryTags parsed;
  ASSIGN_OR_RETURN(parsed.dialect, DialectOf(tags));
  if (const auto model = TagOr(tags, tag::kModel); !model.empty()) parsed.model = std::string(model);
  if (const auto system = TagOr(tags, tag::kSystem); !system.empty()) parsed.system = std::string(system);
  if (const auto value = TagOr(tags, tag::kTemperature); !value.empty()) {
    parsed.temperature = ParseNumber<double>(value);
    if (!parsed.temperature || !(*parsed.temperature >= 0 && *parsed.temperature <= 2)) {
      return BadTag(tag::kTemperature, value, "a number from 0 to 2");
    }
  }
  if (const auto value = TagOr(tags, tag::kMaxTokens); !value.empty()) {
    parsed.max_tokens = ParseNumber<int64_t>(value);
    if (parsed.max_tokens.value_or(0) <= 0) return BadTag(tag::kMaxTokens, value, "a whole number above 0");
  }
  if (const auto value = TagOr(tags, tag::kDeadline); !value.empty()) {
    parsed.deadline_ms = ParseNumber<int64_t>(value);
    if (parsed.deadline_ms.value_or(0) <= 0)
      return BadTag(tag::kDeadline, value, "Unix time in milliseconds");
  }
  if (const auto value = TagOr(tags, tag::kAccept); !value.empty()) {
    if (value != kPlainText && value != kJson && value != "*/*") {
      return BadTag(tag::kAccept, value, "text/plain or application/json");
    }
    parsed.bare_text = value == kPlainText;
  }
  RETURN_IF_ERROR(ParseStreamTags(tags, parsed));
  return parsed;
}

std::string ToJson(const TextReply& reply) {
  Json json = {{"response", reply.response}, {"model", reply.model}, {"provider", reply.provider}};
  json["usage"] = Json::object();
  if (reply.usage) {
    json["usage"] = {{"input_tokens", reply.usage->input_tokens},
                     {"output_tokens", reply.usage->output_tokens}};
  }
  return Dump(json);
}

absl::StatusOr<TextReply> ParseTextReply(std::string_view content_type, std::string_view body) {
  TextReply reply;
  if (content_type != kJson) {
    reply.response = std::string(body);
    return reply;
  }
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a reply"));
  const auto response = json.find("response");
  if (response == json.end() || !response->is_string()) {
    return MakeFault(Fault::kInternal,
                     "the reply has no \"response\": is the worker on this channel one of llm-router?");
  }
  reply.response = response->get<std::string>();
  reply.model = StringOr(json, "model");
  reply.provider = StringOr(json, "provider");
  if (const auto usage = json.find("usage"); usage != json.end() && usage->contains("input_tokens")) {
    reply.usage = Usage{IntOr(*usage, "input_tokens"), IntOr(*usage, "output_tokens")};
  }
  return reply;
}

std::string ErrorBody(std::string_view to_dialect, const absl::Status& failure) {
  const FaultRow& row = RowOf(FaultOf(failure));
  Json error = {
      {"message", MessageOf(failure)}, {"type", row.openai_type}, {"param", nullptr}, {"code", row.name}};
  if (const auto wait = RetryAfterOf(failure)) error["retry_after_ms"] = wait->count();
  if (!to_dialect.starts_with("anthropic.")) return Dump({{"error", std::move(error)}});
  error.erase("param");
  error["type"] = row.anthropic_type;
  return Dump({{"type", "error"}, {"error", std::move(error)}});
}

absl::Status ParseError(std::string_view sentence, std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  const Json error = json.is_object() && json.contains("error") ? json["error"] : Json();
  if (!error.is_object()) return MakeFault(Fault::kInternal, sentence);
  const Fault fault = FaultNamed(StringOr(error, "code")).value_or(Fault::kInternal);
  std::optional<std::chrono::milliseconds> wait;
  if (const int64_t ms = IntOr(error, "retry_after_ms", -1); ms >= 0) wait = std::chrono::milliseconds(ms);
  return MakeFault(fault, StringOr(error, "message", sentence), wait);
}

absl::StatusOr<Choice> ResolveModel(std::string_view model, std::span<const RouteModels> routes) {
  for (const RouteModels& row : routes) {
    if (model == row.route) return Choice{row.route, std::nullopt};
  }
  for (const RouteModels& row : routes) {
    if (model.starts_with(row.route) && model.substr(row.route.size()).starts_with('/')) {
      return Choice{row.route, std::string(model.substr(row.route.size() + 1))};
    }
  }
  std::vector<std::string_view> listing;
  for (const RouteModels& row : routes) {
    if (std::find(row.models.begin(), row.models.end(), model) != row.models.end())
      listing.push_back(row.route);
  }
  if (listing.size() == 1) return Choice{std::string(listing.front()), std::string(model)};
  if (listing.size() > 1) {
    return MakeFault(Fault::kUnknownModel,
                     fmt::format("model \"{}\" is listed by the routes {}: name one, as in {}/{}", model,
                                 fmt::join(listing, ", "), listing.front(), model));
  }
  std::vector<std::string> known;
  for (const RouteModels& row : routes)
    known.push_back(fmt::format("{} ({})", row.route, fmt::join(row.models, ", ")));
  return MakeFault(Fault::kUnknownModel,
                   fmt::format("no route has the model \"{}\"; there are: {}", model.substr(0, 64),
                               known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
}

std::string ToJson(const Heartbeat& beat) {
  Json routes = Json::array();
  for (const RouteBeat& row : beat.routes) {
    routes.push_back({{"route", row.route},
                      {"models", row.models},
                      {"in_flight", row.in_flight},
                      {"capacity", row.capacity},
                      {"job_capacity", row.job_capacity}});
  }
  return Dump({{"worker", beat.worker},
               {"config_version", beat.config_version},
               {"leaving", beat.leaving},
               {"jobs", beat.jobs},
               {"routes", std::move(routes)}});
}

absl::StatusOr<Heartbeat> ParseHeartbeat(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a heartbeat"));
  Heartbeat beat;
  beat.worker = StringOr(json, "worker");
  if (beat.worker.empty()) return MakeFault(Fault::kInvalidRequest, "a heartbeat must name its worker");
  beat.config_version = StringOr(json, "config_version");
  beat.leaving = json.value("leaving", Json(false)) == true;
  beat.jobs = json.value("jobs", Json(false)) == true;
  const auto routes = json.find("routes");
  if (routes == json.end() || !routes->is_array()) return beat;
  for (const Json& row : *routes) {
    if (!row.is_object()) continue;
    RouteBeat& route = beat.routes.emplace_back();
    route.route = StringOr(row, "route");
    route.models = StringsOf(row, "models");
    route.in_flight = IntOr(row, "in_flight");
    route.capacity = IntOr(row, "capacity");
    route.job_capacity = IntOr(row, "job_capacity");
  }
  return beat;
}

}  // namespace llm_router::contract
