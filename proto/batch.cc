#include "proto/batch.h"

#include <algorithm>
#include <array>
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router::contract {
namespace {

constexpr std::array<std::string_view, 8> kStates = {"validating", "failed",  "in_progress", "finalizing",
                                                     "completed",  "expired", "cancelling",  "cancelled"};
constexpr std::array<std::string_view, 2> kFormats = {"openai", "text"};
constexpr std::array<std::string_view, 3> kAboutOps = {"batch_seal", "batch_status", "batch_cancel"};
constexpr std::array<std::string_view, 3> kWhich = {"all", "completed", "failed"};

constexpr std::array kTimes = {
    BatchTime{"in_progress_at", &Batch::in_progress_at}, BatchTime{"expires_at", &Batch::expires_at},
    BatchTime{"finalizing_at", &Batch::finalizing_at},   BatchTime{"completed_at", &Batch::completed_at},
    BatchTime{"failed_at", &Batch::failed_at},           BatchTime{"expired_at", &Batch::expired_at},
    BatchTime{"cancelling_at", &Batch::cancelling_at},   BatchTime{"cancelled_at", &Batch::cancelled_at},
};

constexpr std::array kUrls = {
    BatchUrl{"/v1/chat/completions", dialect::kOpenAiChat},
    BatchUrl{"/v1/completions", dialect::kOpenAiCompletions},
    BatchUrl{"/v1/embeddings", dialect::kOpenAiEmbeddings},
    BatchUrl{"/v1/messages", dialect::kAnthropicMessages},
    BatchUrl{"/v1/messages/count_tokens", dialect::kAnthropicCountTokens},
};

Json ToJsonValue(const BatchError& error) {
  Json json = {{"code", error.code}, {"message", error.message}, {"param", nullptr}, {"line", nullptr}};
  if (!error.param.empty()) json["param"] = error.param;
  if (error.line > 0) json["line"] = error.line;
  return json;
}

BatchError ParseBatchError(const Json& object) {
  BatchError error;
  error.code = StringOr(object, "code");
  error.message = StringOr(object, "message");
  error.param = StringOr(object, "param");
  error.line = IntOr(object, "line");
  return error;
}

Json ToJsonValue(const std::vector<BatchError>& errors) {
  Json list = Json::array();
  for (const BatchError& error : errors) list.push_back(ToJsonValue(error));
  return list;
}

void AddOptions(const BatchOptions& options, Json& json) {
  json["format"] = NameOf(options.format);
  json["completion_window"] = options.completion_window;
  if (!options.route.empty()) json["route"] = options.route;
  if (!options.tags.empty()) json["tags"] = options.tags;
  if (options.batch_size > 0) json["batch_size"] = options.batch_size;
  if (options.concurrency > 0) json["concurrency"] = options.concurrency;
  if (!options.metadata.empty()) json["metadata"] = options.metadata;
  if (!options.input_file.empty()) json["input_file_id"] = options.input_file;
  if (!options.endpoint.empty()) json["endpoint"] = options.endpoint;
  if (!options.routes.empty()) json["routes"] = options.routes;
}

BatchOptions OptionsOf(const Json& object) {
  BatchOptions options;
  if (StringOr(object, "format") == NameOf(BatchFormat::kText)) options.format = BatchFormat::kText;
  options.completion_window = IntOr(object, "completion_window", options.completion_window);
  options.route = StringOr(object, "route");
  options.tags = TagsOf(object, "tags");
  options.batch_size = IntOr(object, "batch_size");
  options.concurrency = IntOr(object, "concurrency");
  options.metadata = TagsOf(object, "metadata");
  options.input_file = StringOr(object, "input_file_id");
  options.endpoint = StringOr(object, "endpoint");
  options.routes = StringsOf(object, "routes");
  return options;
}

Json ToJsonValue(const RequestCounts& counts) {
  return {{"total", counts.total},
          {"completed", counts.completed},
          {"failed", counts.failed},
          {"running", counts.running}};
}

RequestCounts CountsOf(const Json& object) {
  RequestCounts counts;
  const auto found = object.find("request_counts");
  if (found == object.end() || !found->is_object()) return counts;
  counts.total = IntOr(*found, "total");
  counts.completed = IntOr(*found, "completed");
  counts.failed = IntOr(*found, "failed");
  counts.running = IntOr(*found, "running");
  return counts;
}

}  // namespace

std::span<const BatchTime> BatchTimes() { return kTimes; }
std::span<const BatchUrl> BatchUrls() { return kUrls; }

std::string_view NameOf(BatchState state) { return kStates[static_cast<size_t>(state)]; }

std::optional<BatchState> BatchStateNamed(std::string_view name) {
  const auto found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<BatchState>(found - kStates.begin());
}

bool IsFinal(BatchState state) {
  return state == BatchState::kFailed || state == BatchState::kCompleted || state == BatchState::kExpired ||
         state == BatchState::kCancelled;
}

std::string_view NameOf(BatchFormat format) { return kFormats[static_cast<size_t>(format)]; }

Json ToJsonValue(const Batch& batch) {
  Json json = {{"id", batch.id},
               {"object", "batch"},
               {"status", NameOf(batch.state)},
               {"created_at", batch.created_at},
               {"request_counts", ToJsonValue(batch.counts)}};
  AddOptions(batch.options, json);
  for (const BatchTime& row : kTimes) {
    if (batch.*row.member != 0) json[std::string(row.name)] = batch.*row.member;
  }
  if (batch.bad_lines > 0) json["bad_lines"] = batch.bad_lines;
  if (!batch.errors.empty()) json["errors"] = {{"object", "list"}, {"data", ToJsonValue(batch.errors)}};
  return json;
}

std::string ToJson(const Batch& batch) { return Dump(ToJsonValue(batch)); }

absl::StatusOr<Batch> ParseBatch(const Json& object) {
  Batch batch;
  batch.id = StringOr(object, "id");
  const auto state = BatchStateNamed(StringOr(object, "status"));
  if (batch.id.empty() || !state)
    return MakeFault(Fault::kInternal, "what came is no batch: it has no id or no status known here");
  batch.state = *state;
  batch.options = OptionsOf(object);
  batch.counts = CountsOf(object);
  batch.created_at = IntOr(object, "created_at");
  for (const BatchTime& row : kTimes) batch.*row.member = IntOr(object, row.name);
  batch.bad_lines = IntOr(object, "bad_lines");
  if (const auto errors = object.find("errors"); errors != object.end() && errors->is_object()) {
    for (const Json& row : ArrayOf(*errors, "data")) batch.errors.push_back(ParseBatchError(row));
  }
  return batch;
}

std::string ToJson(const CreateBatch& ask) {
  Json json = {{"op", "batch_create"}};
  if (!ask.idempotency_key.empty()) json["idempotency_key"] = ask.idempotency_key;
  AddOptions(ask.options, json);
  return Dump(json);
}

std::string ToJson(const AppendLines& ask) {
  return Dump(
      {{"op", "batch_append"}, {"batch", ask.batch}, {"first_line", ask.first_line}, {"data", ask.data}});
}

std::string ToJson(const AboutBatch& ask) {
  return Dump({{"op", kAboutOps[static_cast<size_t>(ask.op)]}, {"batch", ask.batch}});
}

std::string ToJson(const ReadLines& ask) {
  return Dump({{"op", "batch_lines"},
               {"batch", ask.batch},
               {"which", kWhich[static_cast<size_t>(ask.which)]},
               {"after", ask.after},
               {"limit", ask.limit}});
}

std::string ToJson(const ReadErrors& ask) {
  return Dump({{"op", "batch_errors"}, {"batch", ask.batch}, {"after", ask.after}, {"limit", ask.limit}});
}

std::string ToJson(const ListBatches& ask) {
  Json json = {{"op", "batch_list"}, {"limit", ask.limit}};
  if (!ask.after.empty()) json["after"] = ask.after;
  return Dump(json);
}

std::string ToJson(const Appended& answer) {
  return Dump({{"next_line", answer.next_line}, {"bad_lines", answer.bad_lines}});
}

// The rows are JSON already; read and written again they would cost the most of a large download.
std::string ToJson(const LinePage& page) {
  std::string json = Dump({{"next", page.next}, {"has_more", page.has_more}});
  json.back() = ',';
  json += R"("lines":[)";
  for (const std::string& line : page.lines) json.append(line).push_back(',');
  if (!page.lines.empty()) json.pop_back();
  return json + "]}";
}

std::string ToJson(const ErrorPage& page) {
  return Dump({{"errors", ToJsonValue(page.errors)}, {"has_more", page.has_more}});
}

std::string ToJson(const BatchPage& page) {
  Json batches = Json::array();
  for (const Batch& batch : page.batches) batches.push_back(ToJsonValue(batch));
  return Dump({{"batches", std::move(batches)}, {"has_more", page.has_more}});
}

absl::StatusOr<Appended> ParseAppended(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "the answer to an append"));
  Appended answer;
  answer.next_line = IntOr(json, "next_line", answer.next_line);
  answer.bad_lines = IntOr(json, "bad_lines");
  return answer;
}

absl::StatusOr<LinePage> ParseLinePage(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a page of lines"));
  LinePage page;
  page.next = IntOr(json, "next");
  page.has_more = BoolOr(json, "has_more");
  for (const Json& row : ArrayOf(json, "lines")) page.lines.push_back(Dump(row));
  return page;
}

absl::StatusOr<ErrorPage> ParseErrorPage(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a page of errors"));
  ErrorPage page;
  page.has_more = BoolOr(json, "has_more");
  for (const Json& row : ArrayOf(json, "errors")) page.errors.push_back(ParseBatchError(row));
  return page;
}

absl::StatusOr<BatchPage> ParseBatchPage(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a page of batches"));
  BatchPage page;
  page.has_more = BoolOr(json, "has_more");
  for (const Json& row : ArrayOf(json, "batches")) {
    ASSIGN_OR_RETURN(Batch batch, ParseBatch(row));
    page.batches.push_back(std::move(batch));
  }
  return page;
}

}  // namespace llm_router::contract
