// The account stage around a stage of the test's.
#include "router/pipeline/account.h"

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "proto/json_fields.h"
#include "router/pipeline/query_log.h"
#include "router/telemetry/metrics.h"
#include "router/telemetry/tracer.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using Catch::Matchers::Contains;
using test::Run;

// Chooses the route's first target and ends as it was told, having looked at the metrics meanwhile.
class Ends final : public Stage {
 public:
  Ends(const Metrics& metrics, absl::Status how, std::string& seen)
      : metrics_(metrics), how_(std::move(how)), seen_(seen) {}

  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next) override {
    seen_ = metrics_.Text();
    if (!exchange.route.targets.empty()) exchange.target = &exchange.route.targets.front();
    exchange.dialect = FindDialect("openai.chat");
    exchange.attempts = 1;
    exchange.span.Below(SpanKind::kClient).End();
    if (!how_.ok()) co_return how_;
    exchange.usage.emplace().input_tokens = 11;
    exchange.BeginOutput();
    co_return Reply();
  }

 private:
  const Metrics& metrics_;
  const absl::Status how_;
  std::string& seen_;
};

struct Bench {
  Bench() {
    route.name = "chat";
    route.series = &metrics.queries().Route("chat", 8);
    route.targets.emplace_back(nullptr, "gpt").series = &metrics.queries().Target("chat", "openai", "gpt");
  }

  absl::StatusOr<Reply> Ask(const absl::Status& how) {
    absl::StatusOr<Reply> reply;
    test::Run([&](Loop&) -> Awaitable<void> {
      std::vector<std::unique_ptr<Stage>> stages;
      stages.push_back(MakeAccountStage());
      stages.push_back(std::make_unique<Ends>(metrics, how, meanwhile));
      const Pipeline pipeline(std::move(stages));
      Message message("chat_requests", "the secret words of a prompt");
      message.tags = {{"query", "q1"}, {"tenant", "acme"}, {"request-id", "r\"1"}};
      if (!traceparent.empty()) message.tags["traceparent"] = traceparent;
      Exchange exchange(route, Query(Kind::kQuery, std::move(message), Now() + std::chrono::hours(1)));
      reply = co_await pipeline.Run(exchange);
      line = QueryLine(exchange, exchange.failure, 1.5, 7);
    });
    return reply;
  }

  Metrics metrics;
  Route route;
  std::string traceparent;
  std::vector<contract::Json> spans;
  Tracer tracer{100, [this](std::string_view span) { spans.push_back(contract::Json::parse(span)); }};
  std::string meanwhile;  // metrics, as the query ran
  std::string line;
};

TEST_CASE("a query is in flight while it runs, then counted with its tokens and its stream's begin") {
  Bench bench;
  REQUIRE(bench.Ask(absl::OkStatus()).ok());
  CHECK_THAT(bench.meanwhile, Contains(R"(llm_router_queries_in_flight{route="chat",tenant="acme"} 1)"));
  const std::string after = bench.metrics.Text();
  CHECK_THAT(after, Contains(R"(llm_router_queries_in_flight{route="chat",tenant="acme"} 0)"));
  const std::string target =
      R"(gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt")";
  CHECK_THAT(after, Contains("llm_router_queries_total{" + target + R"(,route="chat",tenant="acme"} 1)"));
  CHECK_THAT(after, Contains(target + R"(,gen_ai_token_type="input",route="chat",tenant="acme"} 11)"));
  CHECK_THAT(after, Contains("gen_ai_server_time_to_first_token_seconds_count{" + target));
}

TEST_CASE("a query that failed is a reply that says why, counted by its fault") {
  Bench bench;
  const auto reply = bench.Ask(MakeFault(Fault::kProviderBusy, "come back later"));
  REQUIRE(reply.ok());
  CHECK(reply->error == "come back later");
  CHECK_FALSE(reply->executed);
  CHECK_THAT(bench.metrics.Text(), Contains(R"(llm_router_queries_total{error_type="provider_busy",)"));
  CHECK_THAT(bench.metrics.Text(), !Contains("llm_router_tokens_total{"));
}

TEST_CASE("a route that nobody counts is served all the same") {
  Bench bench;
  bench.route.series = nullptr;
  bench.route.targets.front().series = nullptr;
  CHECK(bench.Ask(absl::OkStatus()).ok());
  CHECK_THAT(bench.metrics.Text(), !Contains("llm_router_queries"));
}

TEST_CASE("a query that no stage saw is counted by its route") {
  Bench bench;
  Message message("chat_requests", "prompt");
  message.tags = {{"query", "q1"}, {"tenant", "acme"}};
  AccountUnrun(bench.route, Query(Kind::kQuery, std::move(message), Now()),
               MakeFault(Fault::kTimeout, "too late"));
  CHECK_THAT(bench.metrics.Text(), Contains(R"(llm_router_queries_total{error_type="timeout",)"));
}

TEST_CASE("the log has a line of JSON about a query: whose, where, how long, how much, and no body") {
  Bench bench;
  REQUIRE(bench.Ask(absl::OkStatus()).ok());
  const auto line = contract::Json::parse(bench.line);
  CHECK(line.at("event") == "query");
  CHECK(line.at("query") == "q1");
  CHECK(line.at("request_id") == "r\"1");
  CHECK(line.at("route") == "chat");
  CHECK(line.at("model") == "gpt");
  CHECK(line.at("tenant") == "acme");
  CHECK(line.at("dialect") == "openai.chat");
  CHECK(line.at("outcome") == "ok");
  CHECK(line.at("attempts") == 1);
  CHECK(line.at("queue_ms") == 7);
  CHECK(line.at("ms") == 1500.0);
  CHECK(line.at("input_tokens") == 11);
  CHECK(line.contains("first_token_ms"));
  CHECK_FALSE(line.contains("reasoning_tokens"));
  CHECK_THAT(bench.line, !Contains("secret words"));
}

constexpr std::string_view kTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const contract::Json* Attribute(const contract::Json& span, std::string_view key) {
  for (const contract::Json& attribute : span.at("attributes")) {
    if (attribute.at("key") == key) return &*attribute.at("value").begin();
  }
  return nullptr;
}

TEST_CASE("a query is a span below what its caller sent, with those of its attempts below it") {
  Bench bench;
  bench.route.tracer = &bench.tracer;
  bench.traceparent = kTraceparent;
  const auto reply = bench.Ask(absl::OkStatus());
  REQUIRE(reply.ok());
  CHECK(TagOr(reply->message.tags, "traceparent") == kTraceparent);
  REQUIRE(bench.spans.size() == 2);
  const contract::Json& query = bench.spans[1];
  CHECK(query.at("traceId") == "0af7651916cd43dd8448eb211c80319c");
  CHECK(query.at("parentSpanId") == "b7ad6b7169203331");
  CHECK(bench.spans[0].at("parentSpanId") == query.at("spanId"));
  CHECK(query.at("name") == "chat gpt");
  CHECK(query.at("kind") == 2);
  CHECK(*Attribute(query, "gen_ai.operation.name") == "chat");
  CHECK(*Attribute(query, "gen_ai.request.model") == "gpt");
  CHECK(*Attribute(query, "gen_ai.usage.input_tokens") == "11");
  CHECK(*Attribute(query, "llm_router.route") == "chat");
  CHECK(*Attribute(query, "llm_router.tenant") == "acme");
  CHECK(Attribute(query, "error.type") == nullptr);
  CHECK_THAT(query.dump(), !Contains("secret words"));
  CHECK(contract::Json::parse(bench.line).at("trace_id") == "0af7651916cd43dd8448eb211c80319c");
}

TEST_CASE("the span of a query that failed says so, but none of what was said") {
  Bench bench;
  bench.route.tracer = &bench.tracer;
  REQUIRE(bench.Ask(MakeFault(Fault::kProviderBusy, "come back later")).ok());
  REQUIRE(bench.spans.size() == 2);
  CHECK(*Attribute(bench.spans[1], "error.type") == "provider_busy");
  CHECK_THAT(bench.spans[1].dump(), !Contains("come back"));
}

TEST_CASE("a query that no stage saw is a span too") {
  Bench bench;
  bench.route.tracer = &bench.tracer;
  Message message("chat_requests", "prompt");
  message.tags = {{"job", "j1"}, {"query", "j1"}};
  AccountUnrun(bench.route, Query(Kind::kQuery, std::move(message), Now()),
               MakeFault(Fault::kTimeout, "too late"));
  REQUIRE(bench.spans.size() == 1);
  CHECK(bench.spans[0].at("name") == "unknown chat");
  CHECK(bench.spans[0].at("kind") == 5);
  CHECK(*Attribute(bench.spans[0], "llm_router.job") == "j1");
  CHECK(*Attribute(bench.spans[0], "error.type") == "timeout");
}

TEST_CASE("without tracing the log names the trace of a caller who sent one, and of no other") {
  Bench bench;
  const bool sent = GENERATE(true, false);
  bench.traceparent = sent ? kTraceparent : "00-not-one";
  REQUIRE(bench.Ask(absl::OkStatus()).ok());
  CHECK(contract::Json::parse(bench.line).contains("trace_id") == sent);
  CHECK(bench.spans.empty());
}

TEST_CASE("the line of a query that failed says why") {
  Bench bench;
  REQUIRE(bench.Ask(MakeFault(Fault::kProviderAuth, "provider openai refuses the key")).ok());
  const auto line = contract::Json::parse(bench.line);
  CHECK(line.at("outcome") == "provider_auth");
  CHECK(line.at("error") == "provider openai refuses the key");
  CHECK_FALSE(line.contains("input_tokens"));
}

}  // namespace
}  // namespace llm_router
