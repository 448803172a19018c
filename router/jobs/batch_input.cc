#include "router/jobs/batch_input.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "router/dialects/json_body.h"
#include "router/dialects/json_members.h"

namespace llm_router {
namespace {

using contract::BatchError;
using contract::BatchOptions;

constexpr size_t kMostCustomId = 512;  // bytes
constexpr BodyKind kLine{Fault::kInvalidRequest, "the line",
                         R"(It must be {"custom_id": ..., "method": "POST", "url": ..., "body": {...}}.)"};

constexpr BodyKind kBody{Fault::kInvalidRequest, "the body", "It must be a JSON object."};

const contract::BatchUrl* FindUrl(std::string_view url) {
  const auto found = std::ranges::find(contract::BatchUrls(), url, &contract::BatchUrl::url);
  return found == contract::BatchUrls().end() ? nullptr : &*found;
}

BatchError Bad(std::string_view code, std::string_view param, std::string_view message) {
  BatchError error;
  error.code = code;
  error.param = param;
  error.message = message;
  return error;
}

// The member as a string; empty where it is none.
std::string_view TextOf(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? std::string_view(found->get_ref<const std::string&>())
                                                     : std::string_view();
}

std::variant<std::string, BatchError> RouteFor(std::string_view model, const BatchOptions& options,
                                               std::span<const contract::RouteModels> routes) {
  if (model.empty() && !options.route.empty()) return options.route;
  if (model.empty())
    return Bad("missing_required_parameter", "body.model", "body.model names no model or route");
  const auto choice = contract::ResolveModel(model, routes);
  if (!choice.ok()) return Bad("model_not_found", "body.model", MessageOf(choice.status()));
  return choice->route;
}

struct Asked {
  std::string model;
  bool stream = false;
};

// What matters here of a body: read whole where its dialect is one of chats; of others as much as they share.
absl::StatusOr<Asked> ReadAsked(std::string_view body, std::string_view dialect_name) {
  const Dialect* dialect = FindDialect(dialect_name);
  if (dialect != nullptr && dialect->kind() == DialectKind::kChat) {
    ASSIGN_OR_RETURN(const Chat chat, dialect->ParseRequest(body));
    return Asked{chat.model, chat.stream};
  }
  ASSIGN_OR_RETURN(const Json json, ParseBody(body, kBody));
  const auto stream = json.find("stream");
  return Asked{std::string(TextOf(json, "model")), stream != json.end() && *stream == true};
}

// What the body asks for, in the words of its dialect.
std::variant<BatchLine, BatchError> ReadBody(std::string_view body, const contract::BatchUrl& url,
                                             const BatchOptions& options,
                                             std::span<const contract::RouteModels> routes) {
  const auto asked = ReadAsked(body, url.dialect);
  if (!asked.ok()) return Bad("invalid_request", "body", MessageOf(asked.status()));
  if (asked->stream)
    return Bad("invalid_request", "body.stream", "a line's reply is not streamed: leave stream out");
  auto route = RouteFor(asked->model, options, routes);
  if (auto* bad = std::get_if<BatchError>(&route)) return std::move(*bad);
  BatchLine read;
  read.route = std::get<std::string>(std::move(route));
  read.body = body;
  read.tags = {{std::string(contract::tag::kDialect), std::string(url.dialect)},
               {std::string(contract::tag::kContentType), std::string(contract::kJson)}};
  return read;
}

std::variant<BatchLine, BatchError> ReadOpenAi(std::string_view line, const BatchOptions& options,
                                               std::span<const contract::RouteModels> routes) {
  const auto parsed = ParseBody(line, kLine);
  if (!parsed.ok()) return Bad("invalid_json_line", "", MessageOf(parsed.status()));
  const std::string_view id = TextOf(*parsed, "custom_id");
  if (id.empty() || id.size() > kMostCustomId)
    return Bad("missing_required_parameter", "custom_id",
               fmt::format("custom_id must be a string of 1 to {} bytes", kMostCustomId));
  if (TextOf(*parsed, "method") != "POST") return Bad("invalid_method", "method", "method must be \"POST\"");
  const contract::BatchUrl* url = FindUrl(TextOf(*parsed, "url"));
  if (url == nullptr) {
    std::vector<std::string_view> known;
    for (const contract::BatchUrl& row : contract::BatchUrls()) known.push_back(row.url);
    return Bad("invalid_url", "url", fmt::format("url must be one of: {}", fmt::join(known, ", ")));
  }
  if (!options.endpoint.empty() && url->url != options.endpoint) {
    return Bad("mismatched_endpoint", "url",
               fmt::format("url must be the batch's endpoint, {}", options.endpoint));
  }
  const auto body = JsonMembers(line).Find("body");
  if (!body || !body->starts_with('{'))
    return Bad("missing_required_parameter", "body", "body must be a JSON object");
  auto read = ReadBody(*body, *url, options, routes);
  if (auto* good = std::get_if<BatchLine>(&read)) good->custom_id = id;
  return read;
}

std::variant<BatchLine, BatchError> ReadText(std::string_view line, int64_t number,
                                             const BatchOptions& options) {
  if (FirstBadUtf8(line)) return Bad("invalid_request", "", "the line is not UTF-8");
  BatchLine read;
  read.custom_id = fmt::format("line-{}", number);
  read.route = options.route;
  read.body = line;
  read.tags = options.tags;
  return read;
}

}  // namespace

std::vector<std::string_view> LinesOf(std::string_view data) {
  std::vector<std::string_view> lines;
  while (!data.empty()) {
    const size_t end = data.find('\n');
    std::string_view line = data.substr(0, end);
    data.remove_prefix(end == std::string_view::npos ? data.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
  }
  return lines;
}

bool IsBlank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

std::variant<BatchLine, BatchError> ReadBatchLine(std::string_view line, int64_t number,
                                                  const BatchOptions& options,
                                                  std::span<const contract::RouteModels> routes) {
  auto read = options.format == contract::BatchFormat::kText ? ReadText(line, number, options)
                                                             : ReadOpenAi(line, options, routes);
  if (auto* bad = std::get_if<BatchError>(&read)) bad->line = number;
  return read;
}

}  // namespace llm_router
