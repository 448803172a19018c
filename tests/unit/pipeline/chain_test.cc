// The chain stage between decode and a worker of the test on an embedded broker.
#include "router/pipeline/chain.h"

#include <fmt/format.h>

#include <map>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "proto/fault.h"
#include "router/pipeline/decode.h"
#include "router/telemetry/tracer.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

ChainStep Step(std::string route, std::string_view prompt) {
  ChainStep step;
  step.route = std::move(route);
  step.prompt = *PromptTemplate::Parse(prompt);
  return step;
}

Route Opinion() {
  Route route;
  route.name = "opinion";
  route.chain = {Step("one", "Summarize: {input}"), Step("two", "{input}/{previous}")};
  return route;
}

// What a step's worker answers: its route and what it was asked.
Reply Answered(const Query& query, std::string_view route) {
  contract::TextReply text;
  text.response = fmt::format("<{}:{}>", route, query.message.body);
  text.model = fmt::format("model-{}", route);
  text.provider = "test";
  text.usage = contract::Usage{2, 3};
  Reply reply;
  reply.executed = true;
  reply.message.body = contract::ToJson(text);
  reply.message.tags = {{"content-type", "application/json"},
                        {"attempts", "2"},
                        {"warnings", fmt::format("both; only {}", route)}};
  return reply;
}

struct Rig {
  explicit Rig(Loop& loop) : broker(MakeEmbeddedBroker(loop.executor(), EmbeddedOptions())) {}

  Awaitable<void> Serve(std::string route, QueryHandler handler) {
    auto subscription = co_await broker->Serve(
        ServeOptions(Kind::kQuery, contract::RequestsChannel(route), "workers", 4), std::move(handler));
    REQUIRE(subscription.ok());
    subscriptions.push_back(*std::move(subscription));
  }
  Awaitable<void> ServeAnswers(std::string route) {
    return Serve(route, [this, route](Query query) { return Note(std::move(query), route); });
  }
  Awaitable<absl::StatusOr<Reply>> Note(Query query, std::string route) {
    asked.push_back(query.message);
    co_return Answered(query, route);
  }
  Awaitable<void> Stop() {
    subscriptions.clear();
    co_await broker->Stop();
  }

  Awaitable<absl::StatusOr<Reply>> Ask(Message message, size_t max_body = 10'000) {
    std::vector<std::unique_ptr<Stage>> stages;
    stages.push_back(MakeDecodeStage());
    stages.push_back(MakeChainStage(*broker, max_body));
    const Pipeline pipeline(std::move(stages));
    const Route route = Opinion();
    Exchange exchange(route, Query(Kind::kQuery, std::move(message), deadline));
    exchange.span = BeginSpan(nullptr, SpanKind::kServer, traceparent);
    auto reply = co_await pipeline.Run(exchange);
    attempts = exchange.attempts;
    warnings = exchange.warnings;
    co_return reply;
  }

  std::unique_ptr<Broker> broker;
  std::vector<SubscriptionPtr> subscriptions;
  std::vector<Message> asked;
  std::string traceparent;  // of its span
  TimePoint deadline = Now() + std::chrono::hours(1);
  int attempts = 0;
  Warnings warnings;
};

Message Text(std::string body, Tags tags = {}) {
  Message message("opinion_requests", std::move(body));
  message.tags = std::move(tags);
  return message;
}

// Asks with both steps served.
absl::StatusOr<Reply> AskOnce(Message message, std::vector<Message>* asked = nullptr,
                              size_t max_body = 10'000) {
  absl::StatusOr<Reply> reply = absl::UnknownError("did not run");
  Run([&](Loop& loop) -> Awaitable<void> {
    Rig rig(loop);
    co_await rig.ServeAnswers("one");
    co_await rig.ServeAnswers("two");
    reply = co_await rig.Ask(std::move(message), max_body);
    if (asked != nullptr) *asked = rig.asked;
    co_await rig.Stop();
  });
  return reply;
}

TEST_CASE("steps are asked in order, and the reply is the last one's with the sum of all") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Rig rig(loop);
    co_await rig.ServeAnswers("one");
    co_await rig.ServeAnswers("two");
    const auto reply = co_await rig.Ask(Text("{in}"));
    REQUIRE(reply.ok());
    const auto text = contract::ParseTextReply("application/json", reply->message.body);
    REQUIRE(text.ok());
    CHECK(text->response == "<two:{in}/<one:Summarize: {in}>>");
    CHECK(text->model == "model-two");
    CHECK(text->provider == "test");
    CHECK(text->usage->input_tokens == 4);
    CHECK(text->usage->output_tokens == 6);
    CHECK(TagOr(reply->message.tags, "input-tokens") == "4");
    CHECK(TagOr(reply->message.tags, "output-tokens") == "6");
    CHECK(rig.attempts == 4);
    CHECK(rig.warnings == Warnings{"both", "only one", "only two"});
    co_await rig.Stop();
  });
}

TEST_CASE("steps are told who asks, how long there is, and the parameters that are theirs") {
  std::vector<Message> asked;
  const Tags tags = {{"tenant", "t"},         {"request-id", "r"}, {"traceparent", "p"},
                     {"priority", "batch"},   {"query", "q"},      {"system", "S"},
                     {"temperature", "0.5"},  {"max-tokens", "9"}, {"fail-fast", "true"},
                     {"idempotency-key", "k"}};
  REQUIRE(AskOnce(Text("in", tags), &asked).ok());
  REQUIRE(asked.size() == 2);
  for (const Message& step : asked) {
    for (const char* key :
         {"tenant", "request-id", "traceparent", "priority", "system", "temperature", "fail-fast"}) {
      CHECK(TagOr(step.tags, key) == TagOr(tags, key));
    }
    CHECK(TagOr(step.tags, "hops") == "1");
    CHECK_FALSE(TagOr(step.tags, "deadline").empty());
    CHECK(TagOr(step.tags, "idempotency-key").empty());  // names the whole, not each of its steps
    CHECK(TagOr(step.tags, "query") != "q");
  }
  CHECK(TagOr(asked[0].tags, "query") != TagOr(asked[1].tags, "query"));
  CHECK(TagOr(asked[0].tags, "max-tokens").empty());
  CHECK(TagOr(asked[1].tags, "max-tokens") == "9");
}

TEST_CASE("the steps of a chain are below its own span") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Rig rig(loop);
    rig.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    co_await rig.ServeAnswers("one");
    co_await rig.ServeAnswers("two");
    REQUIRE((co_await rig.Ask(Text("in", {{"traceparent", "p"}, {"tracestate", "a=b"}}))).ok());
    for (const Message& step : rig.asked) {
      CHECK(TagOr(step.tags, "traceparent") == rig.traceparent);
      CHECK(TagOr(step.tags, "tracestate") == "a=b");
    }
    co_await rig.Stop();
  });
}

TEST_CASE("of a chat the last user message goes in, and the answer comes in its dialect") {
  std::vector<Message> asked;
  Message chat = Text(
      R"({"model":"opinion","top_p":0.5,"messages":[{"role":"system","content":"S"},{"role":"user","content":"old"},)"
      R"({"role":"assistant","content":"said"},{"role":"user","content":[{"type":"text","text":"new"}]}]})",
      {{"dialect", "openai.chat"}});
  Run([&](Loop& loop) -> Awaitable<void> {
    Rig rig(loop);
    co_await rig.ServeAnswers("one");
    co_await rig.ServeAnswers("two");
    const auto reply = co_await rig.Ask(std::move(chat));
    REQUIRE(reply.ok());
    const auto answer = FindDialect("openai.chat")->ParseReply(reply->message.body);
    REQUIRE(answer.ok());
    CHECK(std::get<TextPart>(answer->parts.at(0)).text == "<two:new/<one:Summarize: new>>");
    CHECK(answer->usage->input_tokens == 4);
    CHECK(TagOr(rig.asked.at(0).tags, "system") == "S");
    CHECK(rig.warnings ==
          Warnings{"all but the last user message dropped", "top_p dropped", "both", "only one", "only two"});
    co_await rig.Stop();
  });
}

TEST_CASE("a step that fails names itself and keeps its fault, and no step follows") {
  const auto fails_itself = GENERATE(true, false);
  Run([&](Loop& loop) -> Awaitable<void> {
    Rig rig(loop);
    co_await rig.ServeAnswers("one");
    const auto failure = MakeFault(Fault::kProviderBusy, "busy: later", Milliseconds(7));
    co_await rig.Serve("two", [&](Query) -> Awaitable<absl::StatusOr<Reply>> {
      if (fails_itself) co_return failure;
      Reply reply;
      reply.error = MessageOf(failure);
      reply.message.body = contract::ErrorBody("", failure);
      co_return reply;
    });
    const auto reply = co_await rig.Ask(Text("in"));
    CHECK(MessageOf(reply.status()) == "step 2 (route two): busy: later");
    CHECK(FaultOf(reply.status()) == Fault::kProviderBusy);
    CHECK(RetryAfterOf(reply.status()) == Milliseconds(7));
    CHECK(rig.attempts == 2);
    co_await rig.Stop();
  });
}

TEST_CASE("a step that nobody answers ends with the query's own deadline") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Rig rig(loop);
    rig.deadline = Now() + std::chrono::seconds(1);
    const auto reply = co_await rig.Ask(Text("in"));
    CHECK(FaultOf(reply.status()) == Fault::kTimeout);
    CHECK_THAT(std::string(MessageOf(reply.status())), Catch::StartsWith("step 1 (route one): "));
    co_await rig.Stop();
  });
}

TEST_CASE("cancelling the query cancels the step that runs") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Rig rig(loop);
    OneShot<bool> came(loop.executor()), cancelled(loop.executor());
    co_await rig.ServeAnswers("two");
    co_await rig.Serve("one", [&](Query) -> Awaitable<absl::StatusOr<Reply>> {
      came.Set(true);
      (void)co_await Sleep(TimePoint::max());
      cancelled.Set(true);
      co_return MakeFault(Fault::kCancelled, "gone");
    });
    absl::StatusOr<Reply> reply = absl::UnknownError("did not end");
    TaskGroup tasks(loop.executor());
    const auto ask = [](Rig& asking, absl::StatusOr<Reply>& into) -> Awaitable<void> {
      into = co_await asking.Ask(Text("in"));
    };
    const auto task = tasks.Spawn(ask(rig, reply));
    (void)co_await came.Wait(TimePoint::max());
    tasks.Cancel(task);
    (void)co_await cancelled.Wait(TimePoint::max());
    co_await tasks.Join();
    CHECK_FALSE(reply.ok());
    CHECK(rig.asked.empty());  // the second step was not begun
    co_await rig.Stop();
  });
}

TEST_CASE("chains inside chains are counted, and end somewhere") {
  std::vector<Message> asked;
  REQUIRE(AskOnce(Text("in", {{"hops", "7"}}), &asked).ok());
  CHECK(TagOr(asked.at(0).tags, "hops") == "8");
  for (const char* hops : {"8", "-1", "many", "99999999999999"}) {
    const auto reply = AskOnce(Text("in", {{"hops", hops}}));
    CHECK(FaultOf(reply.status()) == Fault::kInvalidRequest);
  }
}

TEST_CASE("a chain takes no model but its own name, and no prompt over the limit") {
  CHECK(AskOnce(Text("in", {{"model", "opinion"}})).ok());
  CHECK(FaultOf(AskOnce(Text("in", {{"model", "gpt-4o"}})).status()) == Fault::kUnknownModel);
  const auto large = AskOnce(Text("0123456789"), nullptr, 15);
  CHECK(FaultOf(large.status()) == Fault::kTooLarge);
  CHECK_THAT(std::string(MessageOf(large.status())), Catch::StartsWith("step 1 (route one): "));
}

}  // namespace
}  // namespace llm_router
