// Jobs against a jobs service, over the wire.
#include <fmt/format.h>

#include <future>
#include <memory>
#include <thread>

#include "client/client.h"
#include "tests/support/catch.h"
#include "tests/unit/client/jobs_service.h"
#include "tests/unit/client/server.h"

namespace llm_router::client {
namespace {

Options At(const Server& server) {
  Options options;
  options.address = server.address();
  options.route = "openai";
  options.timeout = std::chrono::seconds(30);
  return options;
}

Question About(std::string text) {
  Question question;
  question.text = std::move(text);
  return question;
}

TEST_CASE("a submitted job is waited for, and its answer is the worker's") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  Question question = About("Hello");
  question.system = "Be brief";
  JobOptions options;
  options.deadline = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'900'000'000'123));
  options.reply_to = "results";
  options.idempotency_key = "mine";
  const auto job = client.Submit(question, options);
  REQUIRE(job.ok());
  const auto status = job->Status();
  REQUIRE(status.ok());
  CHECK(status->id == job->id());
  CHECK(status->state == JobState::kQueued);
  CHECK(status->position == 4);
  CHECK_FALSE(IsFinal(status->state));
  const auto answer = job->Wait();
  REQUIRE(answer.ok());
  CHECK(answer->text == "Be brief|Hello");
  CHECK(answer->provider == "test");
  CHECK(job->Status()->state == JobState::kCompleted);

  REQUIRE(service.submitted().size() == 1);
  const auto asked = service.submitted().front();
  CHECK(asked.route == "openai");
  CHECK(asked.body == "Hello");
  CHECK(TagOr(asked.tags, "deadline") == "1900000000123");
  CHECK(TagOr(asked.tags, "reply-to") == "results");
  CHECK(TagOr(asked.tags, "idempotency-key") == "mine");
  CHECK_FALSE(asked.tags.contains("fail-fast"));
}

TEST_CASE("a job is found again by its id, and a dialect's answer is read without knowing which it was") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  const std::string id = client.Submit("claude", "Hello")->id();
  Client other(At(server));
  const auto found = other.FindJob(id);
  REQUIRE(found.ok());
  CHECK(found->Wait()->text == "|Hello");
  CHECK(client.FindJob("job-99").error().code == ErrorCode::kInvalidRequest);
  CHECK_THAT(client.FindJob("job-99").error().message, Catch::Contains("job-99"));
}

TEST_CASE("why a job failed is the error of waiting for it, and it can be queued again") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  const auto job = client.Submit(About("bad"));
  REQUIRE(job.ok());
  const auto answer = job->Wait();
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::kProviderFailed);
  CHECK(answer.error().message == "the provider broke");
  CHECK(job->Status()->failures.front().why.message == "the provider broke");
  CHECK(job->Retry()->state == JobState::kQueued);
  CHECK(job->Retry().error().code == ErrorCode::kInvalidRequest);
}

TEST_CASE("a wait ends with its timeout or its canceller, and the job goes on") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  const auto job = client.Submit(About("hold"));
  REQUIRE(job.ok());
  JobWait brief;
  brief.timeout = std::chrono::milliseconds(150);
  const auto late = job->Wait(brief);
  CHECK(late.error().code == ErrorCode::kTimeout);
  CHECK_THAT(late.error().message, Catch::Contains("queued"));

  JobWait wait;
  auto ended = std::async(std::launch::async, [&] { return job->Wait(wait); });
  wait.canceller.Cancel();
  CHECK(ended.get().error().code == ErrorCode::kCancelled);
  CHECK(job->Status()->state == JobState::kQueued);

  CHECK(job->Cancel()->state == JobState::kCancelled);
  CHECK(job->Wait().error().code == ErrorCode::kCancelled);
}

TEST_CASE("jobs are listed newest first, across pages, by state and route") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  for (int i = 0; i < 130; ++i) REQUIRE(client.Submit(i % 2 == 0 ? "openai" : "claude", "hold").ok());
  JobFilter filter;
  filter.most = 120;
  const auto jobs = client.Jobs(filter);
  REQUIRE(jobs.ok());
  REQUIRE(jobs->size() == 120);
  CHECK(jobs->front().id == "job-130");
  CHECK(jobs->back().id == "job-11");
  filter.route = "claude";
  CHECK(client.Jobs(filter)->size() == 65);
  filter.state = JobState::kFailed;
  CHECK(client.Jobs(filter)->empty());
}

TEST_CASE("an answer that is lost on the way makes no second job") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  for (const Fault lost : {Fault::kWorkerLost, Fault::kShuttingDown}) {
    service.LoseAnswer(lost);
    REQUIRE(client.Submit(About("hold")).ok());
  }
  service.LoseAnswer(Fault::kEngineUnavailable);  // of a jobs service that was met
  REQUIRE(client.Submit(About("hold")).ok());
  CHECK(service.submitted().size() == 3);

  service.LoseAnswer(Fault::kStorageFailed);  // that is an answer
  CHECK(client.Submit(About("hold")).error().code == ErrorCode::kStorageFailed);
}

TEST_CASE("a server that restarts in the middle is waited for") {
  JobsService service;
  auto server = std::make_unique<Server>();
  service.ServeOn(*server);
  const int port = server->port();
  Client client(At(*server));
  const auto job = client.Submit(About("Hello"));
  REQUIRE(job.ok());
  server.reset();
  auto second = std::async(std::launch::async, [&] { return client.Submit(About("again")); });
  auto answer = std::async(std::launch::async, [&] { return job->Wait(); });
  server = std::make_unique<Server>(port);
  service.ServeOn(*server);
  CHECK(second.get().ok());
  CHECK(answer.get()->text == "|Hello");
  CHECK(service.submitted().size() == 2);
}

TEST_CASE("a server that was never there is not waited for") {
  Options options;
  options.address = fmt::format("127.0.0.1:{}", UnusedPort());
  Client client(options);
  const auto job = client.Submit("openai", "Hello");
  CHECK(job.error().code == ErrorCode::kEngineUnavailable);
  CHECK_THAT(job.error().message, Catch::Contains("llm-router serve"));
}

TEST_CASE("a server without a jobs service is told from one that is slow") {
  Server server;
  Options options = At(server);
  options.timeout = std::chrono::milliseconds(200);
  Client client(options);
  const auto job = client.Submit("openai", "Hello");
  CHECK(job.error().code == ErrorCode::kTimeout);
  CHECK_THAT(job.error().message, Catch::Contains("no jobs service") && Catch::Contains("--roles"));
}

TEST_CASE("what can't be a job is refused before it is sent") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  JobOptions to_ours;
  to_ours.reply_to = "openai_jobs";
  CHECK(client.Submit(About(" ")).error().code == ErrorCode::kInvalidRequest);
  CHECK(client.Submit(About("Hello"), to_ours).error().code == ErrorCode::kInvalidRequest);
  CHECK_THAT(client.Submit(About("Hell\xff")).error().message, Catch::Contains("not UTF-8 at byte 5"));
  CHECK(client.Submit("open ai", "Hello").error().code == ErrorCode::kInvalidRequest);
  CHECK(service.submitted().empty());
}

TEST_CASE("a handle whose Client is gone fails with cancelled") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  auto client = std::make_unique<Client>(At(server));
  const auto job = client->Submit(About("hold"));
  REQUIRE(job.ok());
  client.reset();
  CHECK(job->Status().error().code == ErrorCode::kCancelled);
  CHECK(job->Wait().error().code == ErrorCode::kCancelled);
}

}  // namespace
}  // namespace llm_router::client
