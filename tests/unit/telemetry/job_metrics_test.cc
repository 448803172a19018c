#include "router/telemetry/job_metrics.h"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include "tests/support/catch.h"

namespace llm_router {
namespace {

using Catch::Matchers::Contains;

std::string TextOf(const JobMetrics& metrics) {
  std::vector<prometheus::MetricFamily> families;
  metrics.Collect(families);
  return prometheus::TextSerializer().Serialize(families);
}

RouteBacklog Backlog(std::string route, int64_t depth, double oldest_seconds) {
  RouteBacklog backlog;
  backlog.route = std::move(route);
  backlog.depth = depth;
  backlog.oldest_seconds = oldest_seconds;
  return backlog;
}

TEST_CASE("jobs are shown by route and state") {
  JobMetrics metrics;
  RouteJobs jobs;
  jobs.route = "chat";
  jobs.resting = 4;
  jobs.completed = 9;
  metrics.SetJobs({jobs});
  const std::string text = TextOf(metrics);
  CHECK_THAT(text, Contains(R"(llm_router_jobs{route="chat",state="resting"} 4)"));
  CHECK_THAT(text, Contains(R"(llm_router_jobs{route="chat",state="completed"} 9)"));
  CHECK_THAT(text, Contains(R"(llm_router_jobs{route="chat",state="failed"} 0)"));
}

TEST_CASE("a backlog is shown with the age of its oldest job, and goes when it is no more") {
  JobMetrics metrics;
  metrics.SetBacklogs({Backlog("chat", 12, 3.5), Backlog("gone", 1, 1)});
  CHECK_THAT(TextOf(metrics), Contains(R"(llm_router_queue_depth{route="gone"} 1)"));
  metrics.SetBacklogs({Backlog("chat", 13, 4.5)});
  const std::string text = TextOf(metrics);
  CHECK_THAT(text, Contains(R"(llm_router_queue_depth{route="chat"} 13)"));
  CHECK_THAT(text, Contains(R"(llm_router_queue_oldest_age_seconds{route="chat"} 4.5)"));
  CHECK_THAT(text, !Contains("gone"));
}

TEST_CASE("the open batches of a tenant are shown by state, and their lines as one progress") {
  JobMetrics metrics;
  BatchFigures running;
  running.tenant = "acme";
  running.state = "in_progress";
  running.batches = 2;
  running.waiting = 50;
  running.completed = 40;
  BatchFigures ending = running;
  ending.state = "cancelling";
  ending.batches = 1;
  metrics.SetBatches({running, ending});
  const std::string text = TextOf(metrics);
  CHECK_THAT(text, Contains(R"(llm_router_batches{state="in_progress",tenant="acme"} 2)"));
  CHECK_THAT(text, Contains(R"(llm_router_batches{state="cancelling",tenant="acme"} 1)"));
  CHECK_THAT(text, Contains(R"(llm_router_batch_lines{state="completed",tenant="acme"} 80)"));
  CHECK_THAT(text, Contains(R"(llm_router_batch_lines{state="waiting",tenant="acme"} 100)"));
}

TEST_CASE("routes beyond the cap are one: their depths are added, the oldest of them is the oldest") {
  JobMetrics metrics(/*most_labels=*/2);
  std::vector<RouteBacklog> backlogs;
  for (int i = 0; i < 10; ++i) backlogs.push_back(Backlog(fmt::format("r{}", i), 1, i));
  metrics.SetBacklogs(backlogs);
  const std::string text = TextOf(metrics);
  CHECK_THAT(text, Contains(R"(llm_router_queue_depth{route="other"} 8)"));
  CHECK_THAT(text, Contains(R"(llm_router_queue_oldest_age_seconds{route="other"} 9)"));
  CHECK_THAT(text, !Contains("r2\""));
}

TEST_CASE("before anything was told there is nothing") { CHECK(TextOf(JobMetrics()).empty()); }

}  // namespace
}  // namespace llm_router
