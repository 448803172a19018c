#include "client/cli/jobs_json.h"

#include <nlohmann/json.hpp>
#include <string>

#include "client/cli/answer_json.h"

namespace llm_router::cli {
namespace {

using Json = nlohmann::ordered_json;

void AddTime(Json& json, const char* name, std::int64_t time) {
  if (time != 0) json[name] = time;
}

void AddText(Json& json, const char* name, const std::string& text) {
  if (!text.empty()) json[name] = text;
}

Json RowOf(const client::JobFailure& failure) {
  Json json = {{"at", failure.at}};
  json.update(ToJson(failure.why)["error"]);
  return json;
}

}  // namespace

Json ToJson(const client::JobStatus& job) {
  Json json = {{"id", job.id}, {"route", job.route}, {"state", NameOf(job.state)}};
  AddText(json, "message_id", job.message_id);
  AddText(json, "batch", job.batch);
  if (job.line > 0) json["line"] = job.line;
  json["created_at"] = job.created_at;
  AddTime(json, "started_at", job.started_at);
  AddTime(json, "finished_at", job.finished_at);
  json["runs"] = job.runs;
  if (job.position) json["position"] = *job.position;
  Json& failures = json["failures"] = Json::array();
  for (const client::JobFailure& failure : job.failures) failures.push_back(RowOf(failure));
  return json;
}

Json ToJson(const client::BatchStatus& batch) {
  Json json = {{"id", batch.id}, {"object", "batch"}, {"status", NameOf(batch.state)}};
  json["request_counts"] = {{"total", batch.total},
                            {"completed", batch.completed},
                            {"failed", batch.failed},
                            {"running", batch.running}};
  json["format"] = batch.text ? "text" : "openai";
  AddText(json, "route", batch.route);
  if (batch.batch_size > 0) json["batch_size"] = batch.batch_size;
  if (batch.concurrency > 0) json["concurrency"] = batch.concurrency;
  if (!batch.metadata.empty()) json["metadata"] = batch.metadata;
  if (batch.bad_lines > 0) json["bad_lines"] = batch.bad_lines;
  json["created_at"] = batch.created_at;
  AddTime(json, "in_progress_at", batch.in_progress_at);
  AddTime(json, "expires_at", batch.expires_at);
  AddTime(json, "finalizing_at", batch.finalizing_at);
  AddTime(json, "completed_at", batch.completed_at);
  AddTime(json, "failed_at", batch.failed_at);
  AddTime(json, "expired_at", batch.expired_at);
  AddTime(json, "cancelling_at", batch.cancelling_at);
  AddTime(json, "cancelled_at", batch.cancelled_at);
  return json;
}

Json ToJson(const client::BadLine& bad) {
  Json json = {{"line", bad.line}, {"code", bad.code}, {"message", bad.message}};
  AddText(json, "param", bad.param);
  return json;
}

}  // namespace llm_router::cli
