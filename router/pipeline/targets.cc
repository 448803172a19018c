#include "router/pipeline/targets.h"

#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

// `model` as the caller wrote it may be empty, the route's name, one of its models, or both joined by a
// slash.
std::string_view WantedModel(const Exchange& exchange) {
  const std::string_view asked = exchange.chat.model;
  const std::string_view route = exchange.route.name;
  if (asked == route) return {};
  if (asked.size() > route.size() && asked.starts_with(route) && asked[route.size()] == '/') {
    return asked.substr(route.size() + 1);
  }
  return asked;
}

absl::StatusOr<std::vector<const Target*>> Candidates(const Exchange& exchange) {
  const std::string_view wanted = WantedModel(exchange);
  std::vector<const Target*> candidates;
  std::vector<std::string_view> models;
  for (const Target& target : exchange.route.targets) {
    models.push_back(target.model);
    if (wanted.empty() || wanted == target.model) candidates.push_back(&target);
  }
  if (!candidates.empty()) return candidates;
  return MakeFault(Fault::kUnknownModel,
                   fmt::format("route {} has no model \"{}\": it lists {}; or leave the model out",
                               exchange.route.name, wanted.substr(0, 64), fmt::join(models, ", ")));
}

bool NextMayHelp(const absl::Status& failure) { return RowOf(FaultOf(failure)).next; }

// One failure speaks for itself; several are told apart.
absl::Status Combine(const std::vector<absl::Status>& failures) {
  if (failures.size() == 1) return failures.front();
  std::vector<std::string_view> messages;
  for (const absl::Status& failure : failures) messages.push_back(MessageOf(failure));
  const absl::Status& last = failures.back();
  return MakeFault(FaultOf(last),
                   fmt::format("{} targets failed: {}", failures.size(), fmt::join(messages, "; ")),
                   RetryAfterOf(last));
}

class TargetsStage final : public Stage {
 public:
  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next next) override {
    CO_ASSIGN_OR_RETURN(const std::vector<const Target*> candidates, Candidates(exchange));
    std::vector<absl::Status> failures;
    for (const Target* target : candidates) {
      exchange.target = target;
      absl::StatusOr<Reply> result = co_await next();
      if (result.ok()) co_return result;
      failures.push_back(result.status());
      const bool time_is_left = Now() < exchange.deadline && !co_await Cancelled();
      if (!NextMayHelp(failures.back()) || !time_is_left || exchange.output_begun()) break;
    }
    co_return Combine(failures);
  }
};

}  // namespace

std::unique_ptr<Stage> MakeTargetsStage() { return std::make_unique<TargetsStage>(); }

}  // namespace llm_router
