// Batches against a jobs service, over the wire.
#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "client/client.h"
#include "tests/support/catch.h"
#include "tests/unit/client/jobs_service.h"
#include "tests/unit/client/server.h"

namespace llm_router::client {
namespace {

Options At(const Server& server) {
  Options options;
  options.address = server.address();
  options.timeout = std::chrono::seconds(30);
  return options;
}

std::string LineOf(const std::string& id) {
  return fmt::format(R"({{"custom_id":"{0}","method":"POST","url":"/v1/chat/completions",)"
                     R"("body":{{"model":"openai","messages":[{{"role":"user","content":"about {0}"}}]}}}})",
                     id);
}

std::string Lines(int count) {
  std::string lines;
  for (int i = 1; i <= count; ++i) lines += LineOf(fmt::format("{}", i)) + "\n";
  return lines;
}

TEST_CASE("a batch of JSON lines is submitted, followed to its end, and read") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  std::istringstream in(Lines(7) + LineOf("bad"));
  BatchOptions options;
  options.batch_size = 5;
  options.concurrency = 3;
  options.metadata = {{"team", "search"}};
  const auto batch = client.SubmitBatch(in, options);
  REQUIRE(batch.ok());
  std::vector<std::int64_t> done;
  BatchWait wait;
  wait.on_progress = [&](const BatchStatus& status) { done.push_back(status.done()); };
  const auto end = batch->Wait(wait);
  REQUIRE(end.ok());
  CHECK(end->state == BatchState::kCompleted);
  CHECK(end->total == 8);
  CHECK(end->completed == 7);
  CHECK(end->failed == 1);
  CHECK(done == std::vector<std::int64_t>{4, 8});

  std::set<std::string> answered;
  const auto read = batch->Results([&](const BatchResult& result) {
    if (result.custom_id == "bad") {
      CHECK(result.answer.error().code == ErrorCode::kProviderBusy);
      return;
    }
    REQUIRE(result.answer.ok());
    CHECK(result.answer->text == "about " + result.custom_id);
    CHECK(result.answer->model == "m");
    CHECK(result.answer->input_tokens == 3);
    CHECK(result.answer->output_tokens == 5);
    answered.insert(result.custom_id);
  });
  CHECK(*read == 8);
  CHECK(answered.size() == 7);
  std::ostringstream rows, errors;
  CHECK(*batch->Results(rows, Lines::kCompleted) == 7);
  CHECK(*batch->Results(errors, Lines::kFailed) == 1);
  const std::string text = rows.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 7);
  CHECK_THAT(errors.str(), Catch::Contains(R"("custom_id":"bad")"));

  const auto sent = service.batch_options().front();
  CHECK(sent.batch_size == 5);
  CHECK(sent.concurrency == 3);
  CHECK(TagOr(sent.metadata, "team") == "search");
}

TEST_CASE("a large input arrives in pieces, whole and in order") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  std::string input = "\xEF\xBB\xBF";
  for (int i = 0; i < 40; ++i) input += fmt::format("prompt {} {}\r\n", i, std::string(50'000, 'x'));
  input += std::string(700'000, 'y');
  std::istringstream in(input);
  BatchOptions options;
  options.text = true;
  options.route = "openai";
  options.model = "m-1";
  options.temperature = 0.5;
  std::vector<std::int64_t> uploaded;
  options.on_upload = [&](std::int64_t lines) { uploaded.push_back(lines); };
  const auto batch = client.SubmitBatch(in, options);
  REQUIRE(batch.ok());
  const auto lines = service.batches().front();
  REQUIRE(lines.size() == 41);
  CHECK_THAT(lines.front(), Catch::StartsWith("prompt 0 x") && Catch::EndsWith("x"));
  CHECK_THAT(lines[39], Catch::StartsWith("prompt 39 x"));
  CHECK(lines.back() == std::string(700'000, 'y'));
  CHECK(service.largest_append() == 700'001);
  CHECK(uploaded == std::vector<std::int64_t>{10, 20, 30, 40, 41});
  CHECK(TagOr(service.batch_options().front().tags, "model") == "m-1");
  CHECK(TagOr(service.batch_options().front().tags, "temperature") == "0.5");
}

TEST_CASE("prompts in memory are lines of their own, whatever is in them") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  BatchOptions options;
  options.route = "openai";
  options.model = "gpt-4o-mini";
  options.system = "Be brief";
  const std::vector<std::string> prompts = {"two\nlines", "a \"quote\""};
  const auto batch = client.SubmitBatch(prompts, options);
  REQUIRE(batch.ok());
  CHECK(batch->Wait()->completed == 2);
  std::map<std::string, std::string> answers;
  REQUIRE(batch->Results([&](const BatchResult& result) { answers[result.custom_id] = result.answer->text; })
              .ok());
  CHECK(answers == std::map<std::string, std::string>{{"1", prompts[0]}, {"2", prompts[1]}});
  CHECK_THAT(service.batches().front().front(),
             Catch::Contains(R"("model":"openai/gpt-4o-mini")") && Catch::Contains("Be brief"));
}

TEST_CASE("every bad line is told by its number, and nothing of the batch runs") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  const std::string input =
      LineOf("1") + "\nnonsense\n" + LineOf("b\xff") + "\nmore\n" + LineOf("5") + "\nagain\n";
  std::vector<std::int64_t> bad;
  BatchOptions options;
  options.on_bad_line = [&](const BadLine& line) { bad.push_back(line.line); };
  std::istringstream in(input);
  const auto batch = client.SubmitBatch(in, options);
  CHECK(batch.error().code == ErrorCode::kInvalidRequest);
  CHECK_THAT(batch.error().message, Catch::Contains("4 of 6 lines"));
  CHECK(bad == std::vector<std::int64_t>{2, 3, 4, 6});
  CHECK(client.Batches()->front().state == BatchState::kCancelled);

  std::istringstream without_bytes(LineOf("1") + "\nnonsense\n");
  const auto sealed = client.SubmitBatch(without_bytes);
  CHECK_THAT(sealed.error().message,
             Catch::Contains("1 of 2 lines") && Catch::Contains("line 2: the line is not"));
  const auto failed = client.FindBatch("batch-2");
  REQUIRE(failed.ok());
  CHECK(failed->Progress()->state == BatchState::kFailed);
  CHECK(*failed->Errors([&](const BadLine& line) { CHECK(line.code == "invalid_json_line"); }) == 1);
}

TEST_CASE("an answer lost in the middle of an upload doubles no line") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  BatchOptions options;
  options.text = true;
  options.route = "openai";
  options.on_upload = [&](std::int64_t) {
    service.LoseAnswer(Fault::kWorkerLost);
    service.LoseAnswer(Fault::kEngineUnavailable);
  };
  std::string input;
  for (int i = 0; i < 30; ++i) input += fmt::format("{} {}\n", i, std::string(50'000, 'x'));
  std::istringstream in(input);
  REQUIRE(client.SubmitBatch(in, options).ok());
  REQUIRE(service.batches().size() == 1);
  CHECK(service.batches().front().size() == 30);
}

TEST_CASE("a server that restarts in the middle of an upload loses nothing and doubles nothing") {
  JobsService service;
  auto server = std::make_unique<Server>();
  service.ServeOn(*server);
  const int port = server->port();
  Client client(At(*server));
  BatchOptions options;
  options.text = true;
  options.route = "openai";
  options.on_upload = [&](std::int64_t lines) {
    if (lines > 10) return;
    server.reset();
    server = std::make_unique<Server>(port);
    service.ServeOn(*server);
  };
  std::string input;
  for (int i = 0; i < 30; ++i) input += fmt::format("{} {}\n", i, std::string(50'000, 'x'));
  std::istringstream in(input);
  REQUIRE(client.SubmitBatch(in, options).ok());
  REQUIRE(service.batches().size() == 1);
  CHECK(service.batches().front().size() == 30);
}

TEST_CASE("an input over a limit is refused and leaves nothing that runs") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  BatchOptions options;
  options.text = true;
  options.route = "openai";
  std::string many;
  for (int i = 0; i < 50'001; ++i) many += "x\n";
  std::istringstream too_many(many);
  const auto lines = client.SubmitBatch(too_many, options);
  CHECK(lines.error().code == ErrorCode::kTooLarge);
  CHECK_THAT(lines.error().message, Catch::Contains("50000 lines"));
  const auto all = client.Batches();
  REQUIRE(all.ok());
  for (const BatchStatus& left : *all) CHECK(left.state == BatchState::kCancelled);

  Options small = At(server);
  small.max_body = 100'000;
  std::istringstream long_line("short\n" + std::string(100'001, 'x'));
  const auto line = Client(small).SubmitBatch(long_line, options);
  CHECK(line.error().code == ErrorCode::kTooLarge);
  CHECK_THAT(line.error().message, Catch::Contains("line 2"));
}

TEST_CASE("what can't be a batch is refused, and nothing of it runs") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  std::istringstream empty("");
  CHECK_THAT(client.SubmitBatch(empty).error().message, Catch::Contains("empty"));
  BatchOptions text;
  text.text = true;
  text.route = "openai";
  std::istringstream blank("\n\n");
  CHECK_THAT(client.SubmitBatch(blank, text).error().message, Catch::Contains("has no lines"));
  CHECK_THAT(client.SubmitBatch("no-such-file.jsonl").error().message,
             Catch::Contains("no-such-file.jsonl: can't be read: No such file"));
  CHECK_THAT(client.SubmitBatch(std::string("/")).error().message, Catch::Contains("can't be read"));
  BatchOptions no_route;
  no_route.text = true;
  std::istringstream prompts("one\n");
  CHECK_THAT(client.SubmitBatch(prompts, no_route).error().message, Catch::Contains("no route"));
  BatchOptions model_of_json;
  model_of_json.model = "m";
  CHECK(client.SubmitBatch(prompts, model_of_json).error().code == ErrorCode::kInvalidRequest);
  CHECK(service.batches().size() == 1);  // the blank one, which failed
}

TEST_CASE("a canceller used during the upload leaves nothing that runs") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  BatchOptions options;
  options.text = true;
  options.route = "openai";
  options.on_upload = [&](std::int64_t) { options.canceller.Cancel(); };
  std::istringstream in("one\n");
  CHECK(client.SubmitBatch(in, options).error().code == ErrorCode::kCancelled);
  CHECK(client.Batches()->front().state == BatchState::kCancelled);
}

TEST_CASE("a batch is cancelled, found and listed, and a wait for it has an end") {
  JobsService service;
  Server server;
  service.ServeOn(server);
  Client client(At(server));
  BatchOptions options;
  options.text = true;
  options.route = "hold";
  for (int i = 0; i < 3; ++i) {
    std::istringstream in("one\ntwo\n");
    REQUIRE(client.SubmitBatch(in, options).ok());
  }
  const auto batches = client.Batches(2);
  REQUIRE(batches->size() == 2);
  CHECK(batches->front().id == "batch-3");
  const auto batch = client.FindBatch("batch-1");
  REQUIRE(batch.ok());
  BatchWait wait;
  wait.timeout = std::chrono::milliseconds(150);
  const auto late = batch->Wait(wait);
  CHECK(late.error().code == ErrorCode::kTimeout);
  CHECK_THAT(late.error().message, Catch::Contains("in_progress") && Catch::Contains("0 of 2"));
  CHECK(batch->Cancel()->state == BatchState::kCancelled);
  CHECK(batch->Wait()->state == BatchState::kCancelled);
  CHECK(client.FindBatch("batch-9").error().code == ErrorCode::kInvalidRequest);
}

}  // namespace
}  // namespace llm_router::client
