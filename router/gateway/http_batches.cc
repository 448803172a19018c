#include "router/gateway/http_batches.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "proto/job.h"
#include "router/dialects/json_body.h"
#include "router/gateway/http_answer.h"
#include "router/gateway/http_files.h"
#include "router/gateway/http_jobs.h"
#include "router/gateway/http_page.h"

namespace llm_router {
namespace {

using contract::AboutBatch;
using contract::Batch;

constexpr BodyKind kBody{Fault::kInvalidRequest, "the body",
                         "It must be a JSON object with input_file_id, endpoint and completion_window."};
constexpr std::string_view kWindow = "24h";
constexpr size_t kMostPairs = 16;
constexpr size_t kLongestKey = 64;
constexpr size_t kLongestValue = 512;

absl::Status Wrong(std::string_view field, std::string_view takes) {
  return MakeFault(Fault::kInvalidRequest, fmt::format("{} takes {}", field, takes));
}

std::string TextAt(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json ErrorsOf(const Batch& batch) {
  if (batch.errors.empty()) return nullptr;
  Json data = Json::array();
  for (const contract::BatchError& error : batch.errors) {
    data.push_back({{"code", error.code},
                    {"message", error.message},
                    {"param", TextOrNull(error.param)},
                    {"line", error.line > 0 ? Json(error.line) : Json()}});
  }
  return {{"object", "list"}, {"data", std::move(data)}};
}

Json FileOf(const Batch& batch, contract::ReadLines::Which which, int64_t lines) {
  if (!IsFinal(batch.state) || lines == 0) return nullptr;
  return BatchFileId(BatchFile{batch.id, which});
}

Json Shown(const Batch& batch) {
  using Which = contract::ReadLines::Which;
  Json json = {{"id", batch.id},
               {"object", "batch"},
               {"endpoint", batch.options.endpoint},
               {"errors", ErrorsOf(batch)},
               {"input_file_id", batch.options.input_file},
               {"completion_window", kWindow},
               {"status", contract::NameOf(batch.state)},
               {"output_file_id", FileOf(batch, Which::kCompleted, batch.counts.completed)},
               {"error_file_id", FileOf(batch, Which::kFailed, batch.counts.failed)},
               {"created_at", batch.created_at}};
  for (const contract::BatchTime& row : contract::BatchTimes()) {
    json[std::string(row.name)] = batch.*row.member != 0 ? Json(batch.*row.member) : Json();
  }
  json["request_counts"] = {
      {"total", batch.counts.total}, {"completed", batch.counts.completed}, {"failed", batch.counts.failed}};
  json["metadata"] = batch.options.metadata.empty() ? Json() : Json(batch.options.metadata);
  return json;
}

absl::Status ReadMetadata(const Json& body, Tags& metadata) {
  const auto found = body.find("metadata");
  if (found == body.end() || found->is_null()) return absl::OkStatus();
  constexpr std::string_view kTakes = "at most 16 pairs of texts, of 64 and 512 bytes";
  if (!found->is_object() || found->size() > kMostPairs) return Wrong("metadata", kTakes);
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string() || key.size() > kLongestKey ||
        value.get_ref<const std::string&>().size() > kLongestValue)
      return Wrong("metadata", kTakes);
    metadata[key] = value.get<std::string>();
  }
  return absl::OkStatus();
}

absl::StatusOr<contract::CreateBatch> ReadBatch(const GatewayCall& call) {
  ASSIGN_OR_RETURN(const Json body, ParseBody(call.request.body, kBody));
  contract::CreateBatch ask;
  ask.idempotency_key = HeaderOr(call.request.headers, "idempotency-key");
  contract::BatchOptions& options = ask.options;
  options.input_file = TextAt(body, "input_file_id");
  if (options.input_file.empty()) return Wrong("input_file_id", "the id of an uploaded file");
  options.endpoint = TextAt(body, "endpoint");
  std::vector<std::string_view> endpoints;
  for (const contract::BatchUrl& row : contract::BatchUrls()) endpoints.push_back(row.url);
  if (std::ranges::find(endpoints, options.endpoint) == endpoints.end())
    return Wrong("endpoint", fmt::format("one of {}", fmt::join(endpoints, ", ")));
  if (TextAt(body, "completion_window") != kWindow) return Wrong("completion_window", "\"24h\"");
  RETURN_IF_ERROR(ReadMetadata(body, options.metadata));
  options.routes = call.caller->routes;
  return ask;
}

Awaitable<absl::StatusOr<Batch>> AskBatch(GatewayCall& call, std::string question) {
  CO_ASSIGN_OR_RETURN(const std::string body, co_await AskJobs(call, std::move(question)));
  CO_ASSIGN_OR_RETURN(const contract::Json json, contract::ParseObject(body, "a batch"));
  co_return contract::ParseBatch(json);
}

absl::StatusOr<contract::ListBatches> ReadListing(const HttpRequest& request) {
  constexpr PageBounds kBounds{.usual = 20, .most = contract::kMostListed, .after = "after"};
  ASSIGN_OR_RETURN(const PageAsked page, ReadPage(request.query, kBounds));
  contract::ListBatches ask;
  ask.limit = page.limit;
  ask.after = page.after;
  return ask;
}

}  // namespace

Awaitable<absl::StatusOr<Batch>> FindBatch(GatewayCall& call, std::string id) {
  return AskBatch(call, ToJson(AboutBatch(AboutBatch::Op::kStatus, std::move(id))));
}

Awaitable<void> CreateBatch(GatewayCall& call) {
  const auto ask = ReadBatch(call);
  if (!ask.ok()) co_return co_await SendFailure(call, ask.status());
  const auto batch = co_await AskBatch(call, ToJson(*ask));
  if (!batch.ok()) co_return co_await SendFailure(call, batch.status());
  co_await SendJson(call, 200, DumpJson(Shown(*batch)));
}

Awaitable<void> ListBatches(GatewayCall& call) {
  const auto ask = ReadListing(call.request);
  if (!ask.ok()) co_return co_await SendFailure(call, ask.status());
  const auto body = co_await AskJobs(call, ToJson(*ask));
  const auto page = body.ok() ? contract::ParseBatchPage(*body) : body.status();
  if (!page.ok()) co_return co_await SendFailure(call, page.status());
  Json data = Json::array();
  for (const Batch& batch : page->batches) data.push_back(Shown(batch));
  co_await SendJson(call, 200, ListBody(std::move(data), page->has_more));
}

Awaitable<void> GetBatch(GatewayCall& call) {
  const auto batch = co_await FindBatch(call, call.id);
  if (!batch.ok()) co_return co_await SendMissing(call, batch.status());
  co_await SendJson(call, 200, DumpJson(Shown(*batch)));
}

Awaitable<void> CancelBatch(GatewayCall& call) {
  const auto batch = co_await AskBatch(call, ToJson(AboutBatch(AboutBatch::Op::kCancel, call.id)));
  if (!batch.ok()) co_return co_await SendMissing(call, batch.status());
  co_await SendJson(call, 200, DumpJson(Shown(*batch)));
}

}  // namespace llm_router
