#include "proto/journal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"

namespace llm_router::contract {
namespace {

constexpr std::array<std::string_view, 8> kBeginVerdicts = {"go",   "unknown",   "adopted",     "done",
                                                            "busy", "cancelled", "interrupted", "exhausted"};
constexpr std::array<std::string_view, 3> kOutcomes = {"result", "failed", "again"};
constexpr std::array<std::string_view, 2> kFinishVerdicts = {"kept", "stale"};

template <class Enum, size_t kSize>
absl::StatusOr<Enum> Named(const std::array<std::string_view, kSize>& names, const Json& object,
                           std::string_view key) {
  const auto found = std::find(names.begin(), names.end(), StringOr(object, key));
  if (found != names.end()) return static_cast<Enum>(found - names.begin());
  return MakeFault(Fault::kInvalidRequest, fmt::format("{} must be one of: {}", key, fmt::join(names, ", ")));
}

Json MessageJson(const ForeignMessage& message) {
  return {{"id", message.id}, {"sent_at", message.sent_at}, {"body", message.body}, {"tags", message.tags}};
}

absl::StatusOr<Begin> ParseBegin(const Json& json) {
  Begin begin;
  begin.job = StringOr(json, "job");
  begin.run = StringOr(json, "run");
  begin.worker = StringOr(json, "worker");
  begin.route = StringOr(json, "route");
  if (const auto it = json.find("message"); it != json.end() && it->is_object()) {
    ForeignMessage& message = begin.message.emplace();
    message.id = StringOr(*it, "id");
    message.sent_at = IntOr(*it, "sent_at");
    message.body = StringOr(*it, "body");
    message.tags = TagsOf(*it, "tags");
  }
  if (begin.run.empty() || begin.worker.empty() || begin.route.empty() ||
      begin.job.empty() != begin.message.has_value())
    return MakeFault(Fault::kInvalidRequest, "begin takes run, worker, route, and either job or message");
  return begin;
}

absl::StatusOr<Finish> ParseFinish(const Json& json) {
  Finish finish;
  finish.job = StringOr(json, "job");
  finish.run = StringOr(json, "run");
  if (finish.job.empty() || finish.run.empty())
    return MakeFault(Fault::kInvalidRequest, "finish takes job, run and outcome");
  ASSIGN_OR_RETURN(finish.outcome, Named<Outcome>(kOutcomes, json, "outcome"));
  if (const auto reply = json.find("reply"); reply != json.end() && reply->is_object())
    finish.reply = ParseJobReply(*reply);
  if (const auto failure = json.find("failure"); failure != json.end() && failure->is_object())
    finish.failure = FailureOf(*failure);
  if (finish.outcome != Outcome::kResult && finish.failure.ok())
    return MakeFault(Fault::kInvalidRequest, "finish with outcome failed or again takes a failure");
  return finish;
}

}  // namespace

std::string_view NameOf(BeginVerdict verdict) { return kBeginVerdicts[static_cast<size_t>(verdict)]; }
std::string_view NameOf(Outcome outcome) { return kOutcomes[static_cast<size_t>(outcome)]; }
std::string_view NameOf(FinishVerdict verdict) { return kFinishVerdicts[static_cast<size_t>(verdict)]; }

std::string ToJson(const Begin& begin) {
  Json json = {{"op", "begin"}, {"run", begin.run}, {"worker", begin.worker}, {"route", begin.route}};
  if (!begin.job.empty()) json["job"] = begin.job;
  if (begin.message) json["message"] = MessageJson(*begin.message);
  return Dump(json);
}

std::string ToJson(const Begun& begun) {
  Json json = {{"verdict", NameOf(begun.verdict)}};
  if (begun.wait.count() > 0) json["wait_ms"] = begun.wait.count();
  return Dump(json);
}

std::string ToJson(const Finish& finish) {
  Json json = {
      {"op", "finish"}, {"job", finish.job}, {"run", finish.run}, {"outcome", NameOf(finish.outcome)}};
  if (finish.outcome != Outcome::kAgain) json["reply"] = ToJsonValue(finish.reply);
  if (finish.outcome != Outcome::kResult) json["failure"] = ToJsonValue(finish.failure);
  return Dump(json);
}

std::string ToJson(FinishVerdict verdict) { return Dump({{"verdict", NameOf(verdict)}}); }

absl::StatusOr<std::variant<Begin, Finish>> ParseJournalQuestion(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a question to the journal"));
  const std::string op = StringOr(json, "op");
  if (op == "begin") return ParseBegin(json);
  if (op == "finish") return ParseFinish(json);
  return MakeFault(Fault::kInvalidRequest, "a question to the journal has the op begin or finish");
}

absl::StatusOr<Begun> ParseBegun(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "the journal's answer"));
  Begun begun;
  ASSIGN_OR_RETURN(begun.verdict, Named<BeginVerdict>(kBeginVerdicts, json, "verdict"));
  begun.wait = std::chrono::milliseconds(std::max<int64_t>(IntOr(json, "wait_ms"), 0));
  return begun;
}

absl::StatusOr<FinishVerdict> ParseFinishVerdict(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "the journal's answer"));
  return Named<FinishVerdict>(kFinishVerdicts, json, "verdict");
}

}  // namespace llm_router::contract
