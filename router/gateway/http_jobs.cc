#include "router/gateway/http_jobs.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/job.h"
#include "router/dialects/json_body.h"
#include "router/gateway/access_rules.h"
#include "router/gateway/http_answer.h"
#include "router/gateway/http_query.h"
#include "router/gateway/http_stream_reply.h"
#include "router/net/sse.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;
using contract::AboutJob;
using contract::Job;

// A batch may take long to be read.
constexpr Milliseconds kPatience = std::chrono::seconds(600);
constexpr Milliseconds kLookEvery(250);
constexpr Milliseconds kLookAtMostEvery = std::chrono::seconds(2);

Awaitable<absl::StatusOr<Job>> AskAbout(GatewayCall& call, AboutJob::Op op) {
  CO_ASSIGN_OR_RETURN(const std::string body, co_await AskJobs(call, ToJson(AboutJob(op, call.id))));
  CO_ASSIGN_OR_RETURN(const contract::Json json, contract::ParseObject(body, "a job"));
  co_return contract::ParseJob(json);
}

// A job as it is shown here: what the jobs service says, and its result as JSON, not as text.
std::string Shown(const Job& job) {
  Job plain = job;
  plain.reply.reset();
  Json shown = Json::parse(ToJson(plain));
  shown["object"] = "job";
  if (!job.reply) return DumpJson(shown);
  Json body = ObjectOrNull(job.reply->body);
  if (body.is_null() && !job.reply->body.empty()) body = job.reply->body;
  const bool wraps_error = !job.reply->executed && body.is_object() && body.contains("error");
  if (wraps_error) body = Json(body["error"]);
  shown[job.reply->executed ? "result" : "error"] = std::move(body);
  return DumpJson(shown);
}

Awaitable<void> SendJob(GatewayCall& call, const absl::StatusOr<Job>& job, int status = 200) {
  if (!job.ok()) co_return co_await SendMissing(call, job.status());
  HttpHeaders headers;
  if (status == 202) {
    headers.emplace_back("location", fmt::format("/v1/jobs/{}", job->id));
    headers.emplace_back("preference-applied", "respond-async");
  }
  co_await SendJson(call, status, Shown(*job), std::move(headers));
}

// The states of a job as they become known. Ends with the job, its follower, or the door.
class Following {
 public:
  explicit Following(GatewayCall& call) : call_(call) {}

  Awaitable<void> Run() {
    auto job = co_await AskAbout(call_, AboutJob::Op::kResult);
    if (!job.ok()) co_return co_await SendMissing(call_, job.status());
    if (!(co_await call_.responder.SendHead(200, EventStreamHeaders(call_))).ok()) co_return;
    Milliseconds pause = kLookEvery;
    while (co_await Tell(job) && !IsOver(job)) {
      if (!co_await Sleep(Now() + pause) || call_.state.stopping) break;
      if (!call_.state.options.access->StillHolds(*call_.caller)) break;
      pause = std::min(pause * 5 / 4, kLookAtMostEvery);
      job = co_await AskAbout(call_, AboutJob::Op::kResult);
    }
    if (!co_await Cancelled()) (void)co_await call_.responder.Finish();
  }

 private:
  static bool IsOver(const absl::StatusOr<Job>& job) { return !job.ok() || IsFinal(job->state); }

  // What is new; false: nobody listens.
  Awaitable<bool> Tell(const absl::StatusOr<Job>& job) {
    if (!job.ok()) {
      co_return (co_await call_.responder.Write(SseText("error", FailureBody(call_, job.status())))).ok();
    }
    std::string shown = Shown(*job);
    std::string frame;
    if (shown != told_) {
      frame = SseText(contract::NameOf(job->state), shown);
    } else if (Now() - told_at_ > call_.state.options.ping_every) {
      frame = PingFrame(call_.dialect);
    } else {
      co_return true;
    }
    told_at_ = Now();
    told_ = std::move(shown);
    co_return (co_await call_.responder.Write(std::move(frame))).ok();
  }

  GatewayCall& call_;
  std::string told_;
  TimePoint told_at_ = Now();
};

}  // namespace

Awaitable<absl::StatusOr<std::string>> AskJobs(GatewayCall& call, std::string question) {
  const absl::Status allowed = CheckAccess(*call.caller, Verb::kSendQuery, contract::kJobsChannel);
  if (!allowed.ok()) {
    call.state.options.access->NoteDenial(allowed, kHttpDoor, call.request.remote);
    co_return allowed;
  }
  Query query(Kind::kQuery, Message(std::string(contract::kJobsChannel), std::move(question)),
              Now() + kPatience);
  query.message.id = NewId();
  query.message.client_id = kHttpDoor;
  query.message.tags[std::string(tag::kTenant)] = call.caller->tenant;
  auto reply = co_await call.state.broker.Request(std::move(query));
  if (co_await Cancelled() && co_await call.responder.HasLastWord()) co_return DoorCloses();
  if (const absl::Status why = FailureOfReply(reply); !why.ok()) co_return why;
  co_return std::move(reply->message.body);
}

Awaitable<void> SubmitAsJob(GatewayCall& call, std::string route, Tags tags) {
  contract::SubmitJob ask;
  ask.route = std::move(route);
  ask.body = std::move(call.request.body);
  ask.tags = std::move(tags);
  const auto body = co_await AskJobs(call, ToJson(ask));
  if (!body.ok()) co_return co_await SendFailure(call, body.status());
  const auto json = contract::ParseObject(*body, "a job");
  const auto job = json.ok() ? contract::ParseJob(*json) : json.status();
  co_await SendJob(call, job, 202);
}

Awaitable<void> GetJob(GatewayCall& call) {
  co_await SendJob(call, co_await AskAbout(call, AboutJob::Op::kResult));
}

Awaitable<void> CancelJob(GatewayCall& call) {
  co_await SendJob(call, co_await AskAbout(call, AboutJob::Op::kCancel));
}

Awaitable<void> FollowJob(GatewayCall& call) {
  Following following(call);
  co_await following.Run();
}

}  // namespace llm_router
