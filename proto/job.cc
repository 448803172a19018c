#include "proto/job.h"

#include <algorithm>
#include <array>
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"

namespace llm_router::contract {
namespace {

constexpr std::array<std::string_view, 5> kStates = {"queued", "running", "completed", "failed", "cancelled"};
constexpr std::array<std::string_view, 4> kAboutOps = {"status", "result", "cancel", "retry"};

Json FailuresJson(const std::vector<JobFailure>& failures) {
  Json list = Json::array();
  for (const JobFailure& failure : failures) {
    Json& row = list.emplace_back(ToJsonValue(failure.why));
    row["at"] = failure.at;
  }
  return list;
}

std::vector<JobFailure> FailuresOf(const Json& object) {
  std::vector<JobFailure> failures;
  for (const Json& row : ArrayOf(object, "failures")) failures.emplace_back(IntOr(row, "at"), FailureOf(row));
  return failures;
}

}  // namespace

std::string_view NameOf(JobState state) { return kStates[static_cast<size_t>(state)]; }

std::optional<JobState> JobStateNamed(std::string_view name) {
  const auto found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<JobState>(found - kStates.begin());
}

Json ToJsonValue(const JobReply& reply) {
  return {{"executed", reply.executed}, {"error", reply.error}, {"body", reply.body}, {"tags", reply.tags}};
}

JobReply ParseJobReply(const Json& object) {
  JobReply reply;
  reply.executed = BoolOr(object, "executed");
  reply.error = StringOr(object, "error");
  reply.body = StringOr(object, "body");
  reply.tags = TagsOf(object, "tags");
  return reply;
}

Json ToJsonValue(const Job& job) {
  Json json = {{"id", job.id},
               {"route", job.route},
               {"state", NameOf(job.state)},
               {"created_at", job.created_at},
               {"runs", job.runs},
               {"failures", FailuresJson(job.failures)}};
  if (!job.message_id.empty()) json["message_id"] = job.message_id;
  if (!job.batch.empty()) {
    json["batch"] = job.batch;
    json["line"] = job.line;
  }
  if (job.started_at != 0) json["started_at"] = job.started_at;
  if (job.finished_at != 0) json["finished_at"] = job.finished_at;
  if (job.position) json["position"] = *job.position;
  if (job.reply) json["reply"] = ToJsonValue(*job.reply);
  return json;
}

std::string ToJson(const Job& job) { return Dump(ToJsonValue(job)); }

absl::StatusOr<Job> ParseJob(const Json& object) {
  Job job;
  job.id = StringOr(object, "id");
  const auto state = JobStateNamed(StringOr(object, "state"));
  if (job.id.empty() || !state)
    return MakeFault(Fault::kInternal, "what came is no job: it has no id or no state known here");
  job.state = *state;
  job.route = StringOr(object, "route");
  job.message_id = StringOr(object, "message_id");
  job.batch = StringOr(object, "batch");
  job.line = IntOr(object, "line");
  job.created_at = IntOr(object, "created_at");
  job.started_at = IntOr(object, "started_at");
  job.finished_at = IntOr(object, "finished_at");
  job.runs = IntOr(object, "runs");
  job.position = OptionalInt(object, "position");
  job.failures = FailuresOf(object);
  if (const auto reply = object.find("reply"); reply != object.end() && reply->is_object())
    job.reply = ParseJobReply(*reply);
  return job;
}

std::string ToJson(const SubmitJob& ask) {
  return Dump({{"op", "submit"}, {"route", ask.route}, {"body", ask.body}, {"tags", ask.tags}});
}

std::string ToJson(const AboutJob& ask) {
  return Dump({{"op", kAboutOps[static_cast<size_t>(ask.op)]}, {"job", ask.job}});
}

std::string ToJson(const ListJobs& ask) {
  Json json = {{"op", "list"}, {"limit", ask.limit}};
  if (ask.state) json["state"] = NameOf(*ask.state);
  if (!ask.route.empty()) json["route"] = ask.route;
  if (!ask.after.empty()) json["after"] = ask.after;
  return Dump(json);
}

std::string ToJson(const JobPage& page) {
  Json jobs = Json::array();
  for (const Job& job : page.jobs) jobs.push_back(ToJsonValue(job));
  return Dump({{"jobs", std::move(jobs)}, {"has_more", page.has_more}});
}

absl::StatusOr<JobPage> ParseJobPage(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a page of jobs"));
  JobPage page;
  page.has_more = BoolOr(json, "has_more");
  for (const Json& row : ArrayOf(json, "jobs")) {
    ASSIGN_OR_RETURN(Job job, ParseJob(row));
    page.jobs.push_back(std::move(job));
  }
  return page;
}

}  // namespace llm_router::contract
