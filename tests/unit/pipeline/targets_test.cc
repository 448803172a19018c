#include "router/pipeline/targets.h"

#include <map>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

// An innermost stage that answers each model as the test wrote down, and notes which it was asked for.
class Scripted final : public Stage {
 public:
  Scripted(std::map<std::string, absl::Status> failures, std::vector<std::string>& asked)
      : failures_(std::move(failures)), asked_(asked) {}

  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next) override {
    asked_.push_back(exchange.target->model);
    if (const auto it = failures_.find(exchange.target->model); it != failures_.end()) co_return it->second;
    Reply reply;
    reply.message.body = exchange.target->model;
    co_return reply;
  }

 private:
  std::map<std::string, absl::Status> failures_;
  std::vector<std::string>& asked_;
};

struct Outcome {
  absl::StatusOr<Reply> reply;
  std::vector<std::string> asked;
};

Route ThreeTargets() {
  Route route;
  route.name = "chat";
  for (const char* model : {"a", "b", "c"}) route.targets.emplace_back(nullptr, model);
  return route;
}

Outcome Try(std::map<std::string, absl::Status> failures, std::string wanted = {}) {
  Outcome outcome;
  Run([&](Loop&) -> Awaitable<void> {
    std::vector<std::unique_ptr<Stage>> stages;
    stages.push_back(MakeTargetsStage());
    stages.push_back(std::make_unique<Scripted>(failures, outcome.asked));
    const Pipeline pipeline(std::move(stages));
    const Route route = ThreeTargets();
    Exchange exchange(route, Query());
    exchange.chat.model = wanted;
    exchange.deadline = Now() + std::chrono::hours(1);
    outcome.reply = co_await pipeline.Run(exchange);
  });
  return outcome;
}

using Asked = std::vector<std::string>;

TEST_CASE("the first target answers when it can") {
  const auto outcome = Try({});
  CHECK(outcome.reply->message.body == "a");
  CHECK(outcome.asked == Asked{"a"});
}

TEST_CASE("the next target is tried for every fault that another target may mend, and for no other") {
  for (const FaultRow& row : AllFaults()) {
    INFO(row.name);
    const auto outcome = Try({{"a", MakeFault(row.fault, "why")}});
    CHECK(outcome.asked == (row.next ? Asked{"a", "b"} : Asked{"a"}));
    CHECK(outcome.reply.ok() == row.next);
  }
}

TEST_CASE("when all targets fail, the error tells them apart and carries the last one's fault and wait") {
  const auto outcome = Try({{"a", MakeFault(Fault::kProviderFailed, "a broke")},
                            {"b", MakeFault(Fault::kProviderFailed, "b broke")},
                            {"c", MakeFault(Fault::kProviderBusy, "c is busy", std::chrono::seconds(2))}});
  CHECK(MessageOf(outcome.reply.status()) == "3 targets failed: a broke; b broke; c is busy");
  CHECK(FaultOf(outcome.reply.status()) == Fault::kProviderBusy);
  CHECK(RetryAfterOf(outcome.reply.status()) == std::chrono::seconds(2));
}

TEST_CASE("a model picks its target; the route's name, or none, picks any") {
  CHECK(Try({}, "b").asked == Asked{"b"});
  CHECK(Try({}, "chat/c").asked == Asked{"c"});
  CHECK(Try({}, "chat").asked == Asked{"a"});
  const auto unknown = Try({}, "d");
  CHECK(unknown.asked.empty());
  CHECK(MessageOf(unknown.reply.status()) ==
        "route chat has no model \"d\": it lists a, b, c; or leave the model out");
}

}  // namespace
}  // namespace llm_router
