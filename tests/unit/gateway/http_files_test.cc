// OpenAI's files and batches over HTTP, by a real jobs service.
#include <fmt/format.h>

#include "proto/contract.h"
#include "proto/journal.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/http_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFormType = "Content-Type: multipart/form-data; boundary=XX\r\n";

std::string Form(std::string_view content, std::string_view purpose = "batch") {
  return fmt::format(
      "--XX\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n{}\r\n"
      "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"in.jsonl\"\r\n\r\n{}\r\n--XX--\r\n",
      purpose, content);
}

HttpAnswer Upload(HttpRig& rig, std::string_view content) {
  return rig.Post("/v1/files", Form(content), kFormType);
}

std::string Line(std::string_view id, std::string_view model = "gpt", std::string_view url = kChat) {
  return fmt::format(R"({{"custom_id":"{}","method":"POST","url":"{}","body":{}}})", id, url,
                     ChatBody(model));
}

HttpAnswer Batch(HttpRig& rig, const std::string& file, std::string_view endpoint = kChat) {
  return rig.Post("/v1/batches", Json({{"input_file_id", file},
                                       {"endpoint", endpoint},
                                       {"completion_window", "24h"},
                                       {"metadata", {{"k", "v"}}}})
                                     .dump());
}

// Does the next jobs of the route, as a worker does.
void RunJobs(HttpRig& rig, int count, std::string_view result) {
  rig.loop().RunTask([&]() -> Awaitable<void> {
    JobsRig& jobs = rig.jobs();
    jobs.Beat("w");
    for (int done = 0; done < count; ++done) {
      const auto taken = co_await jobs.Receive();
      REQUIRE(taken.size() == 1);
      const std::string job(TagOr(taken[0].message.tags, contract::tag::kJob, taken[0].message.id));
      REQUIRE((co_await jobs.Begin(job, "run", "w")).ok());
      contract::Finish finish = ResultOf(job, "run");
      finish.reply.body = result;
      REQUIRE((co_await jobs.Finish(std::move(finish))).ok());
      REQUIRE((co_await jobs.Settle(taken[0], Settlement::Verdict::kAck)).ok());
    }
  });
}

Json Await(HttpRig& rig, const std::string& batch, std::string_view status) {
  Json seen;
  for (const TimePoint until = Now() + std::chrono::seconds(20); Now() < until;) {
    seen = rig.Get(fmt::format("/v1/batches/{}", batch)).json();
    if (seen["status"] == status) break;
  }
  return seen;
}

}  // namespace

TEST_CASE("a file is uploaded, found, listed, read and deleted") {
  HttpRig rig;
  std::string content = Line("ä") + "\n";
  while (content.size() < 600'000) content += content;  // several pieces
  const HttpAnswer made = Upload(rig, content);
  CHECK(made.status == 200);
  const Json file = made.json();
  const std::string id = file["id"];
  CHECK(file["object"] == "file");
  CHECK(file["bytes"] == content.size());
  CHECK(file["filename"] == "in.jsonl");
  CHECK(file["purpose"] == "batch");
  CHECK(file["status"] == "processed");
  CHECK(file["created_at"] > 0);
  CHECK(rig.Get("/v1/files/" + id).json() == file);
  const Json list = rig.Get("/v1/files").json();
  CHECK(list["object"] == "list");
  CHECK(list["data"] == Json::array({file}));
  CHECK(list["first_id"] == id);
  CHECK(list["has_more"] == false);
  CHECK(rig.Get("/v1/files?purpose=vision").json()["data"].empty());
  CHECK(rig.Get("/v1/files/" + id + "/content").body == content);
  CHECK(rig.Send("DELETE", "/v1/files/" + id).json() ==
        Json({{"id", id}, {"object", "file"}, {"deleted", true}}));
  CHECK(rig.Get("/v1/files/" + id).status == 404);
  CHECK(rig.Get("/v1/files/" + id + "/content").status == 404);
  CHECK(rig.Send("DELETE", "/v1/files/" + id).status == 404);
}

TEST_CASE("files are listed in pages, newest first") {
  HttpRig rig;
  std::vector<std::string> ids;
  for (int number = 0; number < 3; ++number) ids.push_back(Upload(rig, "{}\n").json()["id"]);
  const Json first = rig.Get("/v1/files?limit=2").json();
  CHECK(first["has_more"] == true);
  CHECK(first["first_id"] == ids[2]);
  CHECK(first["last_id"] == ids[1]);
  const Json rest = rig.Get("/v1/files?limit=2&after=" + ids[1]).json();
  CHECK(rest["has_more"] == false);
  CHECK(rest["data"][0]["id"] == ids[0]);
  CHECK(rig.Get("/v1/files?limit=101").status == 400);
}

TEST_CASE("an upload that is no form, or no file for a batch, is refused") {
  HttpRig rig;
  CHECK(rig.Post("/v1/files", "{}", "Content-Type: application/json\r\n").status == 400);
  CHECK(rig.Post("/v1/files", Form("{}", "vision"), kFormType).status == 400);
  CHECK(rig.Post("/v1/files", Form(""), kFormType).status == 400);
  CHECK_THAT(Upload(rig, "\xff\n").body, Catch::Contains("not UTF-8 at byte 1"));
  CHECK(rig.Get("/v1/files").json()["data"].empty());
}

TEST_CASE("an upload may be larger than a request to a model") {
  HttpGatewayOptions options;
  options.max_body = 1'000;
  HttpRig rig(options);
  CHECK(Upload(rig, std::string(200'000, 'x')).status == 200);
  CHECK(rig.Post(kChat, ChatBody(std::string(200'000, 'x'))).status == 413);
}

TEST_CASE("a batch runs the lines of its file, whichever endpoint they are for") {
  HttpRig rig;
  const auto [endpoint, dialect] =
      GENERATE(table<std::string_view, std::string_view>({{kChat, "openai.chat"},
                                                          {"/v1/messages", "anthropic.messages"},
                                                          {"/v1/embeddings", "openai.embeddings"}}));
  std::string lines = Line("a", "gpt", endpoint) + "\n\n" + Line("b", "openai", endpoint);
  if (endpoint == "/v1/messages") {
    for (size_t at = 0; (at = lines.find("\"messages\"", at)) != lines.npos; at += 32)
      lines.insert(at, "\"max_tokens\":9,");
  }
  const std::string file = Upload(rig, lines).json()["id"];
  const HttpAnswer made = Batch(rig, file, endpoint);
  INFO(made.body);
  CHECK(made.status == 200);
  const Json batch = made.json();
  CHECK(batch["object"] == "batch");
  CHECK(batch["status"] == "in_progress");
  CHECK(batch["endpoint"] == endpoint);
  CHECK(batch["input_file_id"] == file);
  CHECK(batch["completion_window"] == "24h");
  CHECK(batch["errors"].is_null());
  CHECK(batch["output_file_id"].is_null());
  CHECK(batch["metadata"]["k"] == "v");
  CHECK(batch["request_counts"]["total"] == 2);
  RunJobs(rig, 2, R"({"ok":true})");
  const Json over = Await(rig, batch["id"], "completed");
  CHECK(over["status"] == "completed");
  CHECK(over["request_counts"]["completed"] == 2);
  CHECK(over["error_file_id"].is_null());
  const std::string output = over["output_file_id"];
  const std::string content = rig.Get("/v1/files/" + output + "/content").body;
  CHECK(rig.Get("/v1/files/" + output).json()["bytes"] == content.size());
  const Json row = Json::parse(content.substr(0, content.find('\n')));
  CHECK(row["response"]["status_code"] == 200);
  CHECK(row["response"]["body"]["ok"] == true);
  CHECK(rig.Get("/v1/batches").json()["data"][0]["id"] == batch["id"]);
}

TEST_CASE("a batch with bad lines fails as a whole, and says which") {
  HttpRig rig;
  const std::string file =
      Upload(rig, Line("a") + "\n{}\n" + Line("a") + "\n" + Line("c", "gpt", kMessages) + "\n").json()["id"];
  const Json batch = Batch(rig, file).json();
  CHECK(batch["status"] == "failed");
  std::vector<int> lines;
  for (const Json& error : batch["errors"]["data"]) lines.push_back(error["line"]);
  CHECK(lines == std::vector<int>{2, 3, 4});
  CHECK(batch["errors"]["data"][2]["code"] == "mismatched_endpoint");
}

TEST_CASE("a batch that can't be made is refused with what is wrong") {
  HttpRig rig;
  const std::string file = Upload(rig, Line("a")).json()["id"];
  CHECK(Batch(rig, "file-none").status == 400);
  CHECK_THAT(Batch(rig, file, "/v1/images").body, Catch::Contains("/v1/embeddings"));
  CHECK(rig.Post("/v1/batches", Json({{"input_file_id", file}, {"endpoint", kChat}}).dump()).status == 400);
  CHECK(rig.Post("/v1/batches", "{").status == 400);
  CHECK(rig.Get("/v1/batches/none").status == 404);
  CHECK(rig.Post("/v1/batches/none/cancel", "").status == 404);
}

TEST_CASE("a batch is cancelled, and its open lines are in the error file") {
  HttpRig rig;
  const std::string file = Upload(rig, Line("a")).json()["id"];
  const std::string id = Batch(rig, file).json()["id"];
  const Json cancelled = rig.Post(fmt::format("/v1/batches/{}/cancel", id), "").json();
  CHECK((cancelled["status"] == "cancelling" || cancelled["status"] == "cancelled"));
  const Json over = Await(rig, id, "cancelled");
  CHECK(over["status"] == "cancelled");
  CHECK_THAT(rig.Get("/v1/files/" + over["error_file_id"].get<std::string>() + "/content").body,
             Catch::Contains("\"custom_id\":\"a\""));
}

TEST_CASE("a key's batches ask its routes alone, and its files are its tenant's") {
  HttpGatewayOptions options;
  KeyConfig key;
  key.hash = Sha256Hex("k");
  key.tenant = "acme";
  key.routes = {"claude"};
  KeyConfig other = key;
  other.hash = Sha256Hex("o");
  other.tenant = "other";
  options.access = std::make_shared<Access>(std::vector<KeyConfig>{key, other});
  HttpRig rig(options);
  const std::string bearer = "Authorization: Bearer k\r\n";
  const std::string file =
      rig.Post("/v1/files", Form(Line("a")), bearer + std::string(kFormType)).json()["id"];
  const Json batch =
      rig.Post("/v1/batches",
               Json({{"input_file_id", file}, {"endpoint", kChat}, {"completion_window", "24h"}}).dump(),
               bearer)
          .json();
  CHECK(batch["status"] == "failed");
  CHECK(batch["errors"]["data"][0]["code"] == "model_not_found");
  CHECK(rig.Get("/v1/files/" + file, "Authorization: Bearer o\r\n").status == 404);
}

}  // namespace llm_router::test
