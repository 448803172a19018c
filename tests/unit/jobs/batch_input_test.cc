#include "router/jobs/batch_input.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

std::vector<contract::RouteModels> Routes() {
  contract::RouteModels openai, claude;
  openai.route = "openai";
  openai.models = {"gpt-4o-mini"};
  claude.route = "claude";
  claude.models = {"claude-sonnet-4-5"};
  return {openai, claude};
}

auto Read(std::string_view line, const contract::BatchOptions& options = contract::BatchOptions()) {
  return ReadBatchLine(line, 7, options, Routes());
}

std::string LineFor(std::string_view body) {
  return R"({"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":)" + std::string(body) + "}";
}

constexpr std::string_view kMessages = R"("messages":[{"role":"user","content":"hi"}])";

std::string BodyWith(std::string_view members) {
  return "{" + std::string(members) + (members.empty() ? "" : ",") + std::string(kMessages) + "}";
}

TEST_CASE("a line becomes the query of its body, byte for byte, on the route that its model means") {
  struct Row {
    std::string model, route;
  };
  for (const Row& row :
       {Row{"gpt-4o-mini", "openai"}, Row{"claude", "claude"}, Row{"openai/gpt-4o-mini", "openai"}}) {
    const std::string body =
        R"({ "model": ")" + row.model + R"(", "temperature":1.50, )" + std::string(kMessages) + " }";
    const auto read = Read(LineFor(body));
    REQUIRE(std::holds_alternative<BatchLine>(read));
    const auto& line = std::get<BatchLine>(read);
    CHECK(line.custom_id == "a");
    CHECK(line.route == row.route);
    CHECK(line.body == body);
    CHECK(TagOr(line.tags, contract::tag::kDialect) == contract::dialect::kOpenAiChat);
  }
}

TEST_CASE("a line without a model goes to the batch's route") {
  contract::BatchOptions options;
  options.route = "claude";
  CHECK(std::get<BatchLine>(Read(LineFor(BodyWith("")), options)).route == "claude");
}

TEST_CASE("each thing that can be wrong with a line is named, with its number") {
  const std::string good = BodyWith(R"("model":"openai")");
  struct Row {
    std::string line;
    std::string_view code, param, says;
  };
  const Row rows[] = {
      {"no JSON", "invalid_json_line", "", "JSON"},
      {"[]", "invalid_json_line", "", "custom_id"},
      {"\xff", "invalid_json_line", "", "UTF-8"},
      {R"({"custom_id":"a","custom_id":"b"})", "invalid_json_line", "", "custom_id"},
      {R"({"method":"POST"})", "missing_required_parameter", "custom_id", "1 to 512"},
      {R"({"custom_id":7})", "missing_required_parameter", "custom_id", "string"},
      {R"({"custom_id":")" + std::string(513, 'x') + R"("})", "missing_required_parameter", "custom_id",
       "512"},
      {R"({"custom_id":"a","method":"GET"})", "invalid_method", "method", "POST"},
      {R"({"custom_id":"a","method":"POST","url":"/v1/images"})", "invalid_url", "url",
       "/v1/chat/completions"},
      {R"({"custom_id":"a","method":"POST","url":"/v1/chat/completions"})", "missing_required_parameter",
       "body", "object"},
      {LineFor("3"), "missing_required_parameter", "body", "object"},
      {LineFor("{}"), "invalid_request", "body", "messages"},
      {LineFor(BodyWith("")), "missing_required_parameter", "body.model", "model"},
      {LineFor(BodyWith(R"("model":"nobody")")), "model_not_found", "body.model", "gpt-4o-mini"},
      {LineFor(BodyWith(R"("model":"openai","stream":true)")), "invalid_request", "body.stream",
       "leave stream out"},
  };
  for (const Row& row : rows) {
    INFO(row.line.substr(0, 100));
    const auto read = Read(row.line);
    REQUIRE(std::holds_alternative<contract::BatchError>(read));
    const auto& error = std::get<contract::BatchError>(read);
    CHECK(error.line == 7);
    CHECK(error.code == row.code);
    CHECK(error.param == row.param);
    INFO(error.message);
    CHECK(error.message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("a line of text is a prompt for the batch's route, with the batch's tags") {
  contract::BatchOptions options;
  options.format = contract::BatchFormat::kText;
  options.route = "openai";
  options.tags = {{"model", "gpt-4o-mini"}};
  const auto line = std::get<BatchLine>(Read("What is {this}?", options));
  CHECK(line.custom_id == "line-7");
  CHECK(line.route == "openai");
  CHECK(line.body == "What is {this}?");
  CHECK(line.tags == options.tags);
  CHECK(std::get<contract::BatchError>(Read("\xc3(", options)).code == "invalid_request");
}

TEST_CASE("lines end with a newline, with or without a carriage return, and blank ones count") {
  CHECK(LinesOf("a\r\n\n b \nc") == std::vector<std::string_view>{"a", "", " b ", "c"});
  CHECK(LinesOf("").empty());
  CHECK(IsBlank(" \t"));
  CHECK_FALSE(IsBlank(" b "));
}

}  // namespace
}  // namespace llm_router
