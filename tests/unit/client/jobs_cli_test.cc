// `job` and `batch` against a jobs service, with streams for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "broker_adapters/base/ids.h"
#include "client/cli/batch.h"
#include "client/cli/batch_submit.h"
#include "client/cli/batch_watch.h"
#include "client/cli/console.h"
#include "client/cli/job.h"
#include "client/cli/pace.h"
#include "client/cli/table.h"
#include "tests/support/catch.h"
#include "tests/unit/client/jobs_service.h"
#include "tests/unit/client/server.h"

namespace llm_router::cli {
namespace {

using client::JobsService;
using client::Server;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

template <class Run>
Outcome Of(Run run) {
  std::ostringstream out, err;
  const int code = run(out, err);
  return {code, out.str(), err.str()};
}

// A server with a jobs service on it, and the commands that find it.
struct Place {
  Place() {
    service.ServeOn(server);
    options.address = server.address();
  }

  Outcome Submit(const std::string& text) {
    JobSubmitOptions job;
    job.server = options;
    job.question.route = "openai";
    job.question.text = text;
    std::istringstream in;
    return Of([&](auto& out, auto& err) { return RunJobSubmit(job, in, out, err); });
  }
  JobIdOptions About(const std::string& id, bool json = false) { return JobIdOptions{options, id, json}; }
  Outcome Show(const std::string& id, bool json = false) {
    return Of([&](auto& out, auto& err) { return RunJobShow(About(id, json), out, err); });
  }
  Outcome Wait(const std::string& id) {
    JobWaitOptions wait;
    wait.job = About(id);
    return Of([&](auto& out, auto& err) { return RunJobWait(wait, out, err); });
  }
  Outcome SubmitBatch(BatchSubmitOptions batch, const std::string& input) {
    batch.server = options;
    batch.file = "-";
    std::istringstream in(input);
    return Of([&](auto& out, auto& err) { return RunBatchSubmit(batch, client::Canceller(), in, out, err); });
  }
  Outcome Status(const std::string& id, bool json = false) {
    return Of(
        [&](auto& out, auto& err) { return RunBatchStatus(BatchIdOptions{options, id, json}, out, err); });
  }
  Outcome Results(BatchResultsOptions results) {
    results.server = options;
    return Of([&](auto& out, auto& err) { return RunBatchResults(results, out, err); });
  }

  JobsService service;
  Server server;
  client::Options options;
};

std::string LineOf(const std::string& id) {
  return fmt::format(R"({{"custom_id":"{}","body":{{"messages":[{{"role":"user","content":"Hi"}}]}}}})", id) +
         "\n";
}

TEST_CASE("job submit prints the id, wait the answer, show both and what is known") {
  Place place;
  const Outcome submitted = place.Submit("Hello");
  CHECK(submitted.code == kDone);
  CHECK(submitted.out == "job-1\n");
  CHECK(place.Submit("hold").out == "job-2\n");
  CHECK_THAT(place.Show("job-2").out,
             Catch::Contains("state     queued\n") && Catch::Contains("position  4\n") &&
                 Catch::Contains("created   2023-11-14 22:13:20\n") && Catch::Contains("finished  -\n"));
  CHECK(place.Wait("job-1").out == "|Hello\n");
  CHECK_THAT(place.Show("job-1").out,
             Catch::Contains("state     completed\n") && Catch::EndsWith("\n\n|Hello\n"));
  CHECK_THAT(
      place.Show("job-1", /*json=*/true).out,
      Catch::StartsWith(R"({"id":"job-1","route":"openai","state":"completed","created_at":1700000000)") &&
          Catch::Contains(R"("response":"|Hello")"));
  CHECK(place.Submit("").code == kUsage);
}

TEST_CASE("a job that failed is exit code 1 for who waits, and is retried or cancelled by id") {
  Place place;
  place.Submit("bad");
  const Outcome waited = place.Wait("job-1");
  CHECK(waited.code == kFailed);
  CHECK(waited.err == "error: the provider broke\n");
  CHECK_THAT(place.Show("job-1").out, Catch::Contains("provider_failed: the provider broke\n") &&
                                          Catch::EndsWith("error: the provider broke\n"));
  CHECK_THAT(place.Show("job-1", /*json=*/true).out,
             Catch::Contains(R"("error":{"message":"the provider broke")"));
  const auto retry = [&](auto& out, auto& err) { return RunJobRetry(place.About("job-1"), out, err); };
  CHECK(Of(retry).out == "job-1 queued\n");
  CHECK(Of(retry).code == kFailed);
  place.Submit("hold");
  const auto cancel = [&](auto& out, auto& err) {
    return RunJobCancel(place.About("job-2", true), out, err);
  };
  CHECK_THAT(Of(cancel).out, Catch::Contains(R"("state":"cancelled")"));
  CHECK(place.Show("job-7").code == kFailed);
}

TEST_CASE("job list is a table, JSON, or a note that there is none") {
  Place place;
  JobListOptions options;
  options.server = place.options;
  const auto list = [&](auto& out, auto& err) { return RunJobList(options, out, err); };
  CHECK_THAT(Of(list).err, Catch::Contains("no such job"));
  place.Submit("hold");
  CHECK(Of(list).out ==
        "ID     STATE   ROUTE   RUNS  CREATED (UTC)        FINISHED (UTC)\n"
        "job-1  queued  openai  0     2023-11-14 22:13:20  -\n");
  options.json = true;
  CHECK_THAT(Of(list).out, Catch::StartsWith(R"([{"id":"job-1",)"));
}

TEST_CASE("batch submit prints the id, and with --watch how it goes and ends") {
  Place place;
  CHECK(place.SubmitBatch({}, LineOf("1")).out == "batch-1\n");
  BatchSubmitOptions watched;
  watched.watch = true;
  const Outcome good = place.SubmitBatch(watched, LineOf("1") + LineOf("2"));
  CHECK(good.code == kDone);
  CHECK(good.out == "batch-2\n");
  CHECK_THAT(good.err, Catch::Contains("1 of 2 done") &&
                           Catch::Contains("batch-2 completed: 2 of 2 done\n") &&
                           Catch::Contains("llm-router batch results batch-2 -o FILE"));
  watched.json = true;
  const Outcome bad = place.SubmitBatch(watched, LineOf("1") + LineOf("bad"));
  CHECK(bad.code == kFailed);
  CHECK_THAT(bad.out, Catch::StartsWith(R"({"id":"batch-3","object":"batch","status":"completed")") &&
                          Catch::Contains(R"({"total":2,"completed":1,"failed":1,"running":0})"));
}

TEST_CASE("bad lines of a batch are named by file and number, and the exit code is 2") {
  Place place;
  const Outcome outcome = place.SubmitBatch({}, LineOf("1") + "nonsense\n" + LineOf("3") + "\xff\n");
  CHECK(outcome.code == kUsage);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Catch::StartsWith("standard input:2: the line is not a JSON object\n"
                                            "standard input:4: is not UTF-8 at byte 1") &&
                              Catch::Contains("error: 2 of 4 lines can't be used"));
  place.SubmitBatch({}, "nonsense\n");
  CHECK_THAT(place.Status("batch-2").out, Catch::Contains("state     failed\n") &&
                                              Catch::EndsWith("line 1: the line is not a JSON object\n"));
  CHECK_THAT(place.Status("batch-2", true).out, Catch::Contains(R"("errors":[{"line":1,)"));
  CHECK(place.SubmitBatch({}, "").code == kUsage);
}

TEST_CASE("batch results writes the rows, those without an answer into a file of their own") {
  Place place;
  BatchSubmitOptions watched;
  watched.watch = true;
  place.SubmitBatch(watched, LineOf("1") + LineOf("bad") + LineOf("3") + LineOf("4") + LineOf("5"));
  BatchResultsOptions results;
  results.id = "batch-1";
  const Outcome all = place.Results(results);
  CHECK(all.code == kDone);
  CHECK(std::count(all.out.begin(), all.out.end(), '\n') == 5);
  CHECK(all.err == "5 rows in standard output\n");

  results.errors = std::filesystem::temp_directory_path() / fmt::format("errors-{}.jsonl", NewId());
  const Outcome apart = place.Results(results);
  CHECK(std::count(apart.out.begin(), apart.out.end(), '\n') == 4);
  std::stringstream errors;
  errors << std::ifstream(results.errors).rdbuf();
  std::filesystem::remove(results.errors);
  CHECK_THAT(errors.str(), Catch::Contains(R"("custom_id":"bad")"));
  results.output = "/no/such/folder/results.jsonl";
  const Outcome nowhere = place.Results(results);
  CHECK(nowhere.code == kUsage);
  CHECK_THAT(nowhere.err, Catch::Contains("No such file or directory"));
}

TEST_CASE("batch cancel, list and an interrupted watch") {
  Place place;
  BatchSubmitOptions held;
  held.batch.text = true;
  held.batch.route = "hold";
  place.SubmitBatch(held, "one\ntwo\n");
  BatchListOptions list;
  list.server = place.options;
  const auto listed = [&](auto& out, auto& err) { return RunBatchList(list, out, err); };
  CHECK(Of(listed).out ==
        "ID       STATE        DONE  FAILED  TOTAL  CREATED (UTC)\n"
        "batch-1  in_progress  0     0       2      2023-11-14 22:13:20\n");
  BatchWatchOptions watch;
  watch.server = place.options;
  watch.id = "batch-1";
  client::Canceller canceller;
  canceller.Cancel();
  const Outcome cut = Of([&](auto& out, auto& err) { return RunBatchWatch(watch, canceller, out, err); });
  CHECK(cut.code == kInterrupted);
  CHECK_THAT(cut.err, Catch::Contains("llm-router batch watch batch-1"));
  const auto cancel = [&](auto& out, auto& err) {
    return RunBatchCancel(BatchIdOptions{place.options, "batch-1", false}, out, err);
  };
  CHECK(Of(cancel).out == "batch-1 cancelled, 0 of 2 done\n");
  const Outcome over =
      Of([&](auto& out, auto& err) { return RunBatchWatch(watch, client::Canceller(), out, err); });
  CHECK(over.code == kFailed);
}

TEST_CASE("a pace is told once something was done, and says when the rest will be") {
  const TimePoint start = Now();
  Pace pace;
  pace.Add(start, 10);
  CHECK(pace.Words(100).empty());
  pace.Add(start + std::chrono::seconds(2), 30);
  CHECK(pace.Words(100) == "10.0/s, 7 s left");
  CHECK(pace.Words(3'030) == "10.0/s, 5 min 0 s left");
  CHECK(pace.Words(30) == "10.0/s");
  pace.Add(start + std::chrono::seconds(40), 30);
  pace.Add(start + std::chrono::seconds(50), 50);
  CHECK(pace.Words(100) == "0.4/s, 2 min 0 s left");
  CHECK(Lasting(std::chrono::seconds(7'500)) == "2 h 5 min");
}

TEST_CASE("a table lines its columns up") {
  CHECK(ToTable({{"A", "LONG", "Z"}, {"wide", "x", "1"}}) == "A     LONG  Z\nwide  x     1\n");
  CHECK(TimeOf(0) == "-");
  CHECK(TimeOf(1'700'000'000) == "2023-11-14 22:13:20");
}

}  // namespace
}  // namespace llm_router::cli
