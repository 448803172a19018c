#include "router/simulate/fault_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "proto/fault.h"
#include "router/simulate/json_view.h"

namespace llm_router::simulate {
namespace {

constexpr size_t kMaxEntries = 10'000;
constexpr int64_t kMaxMilliseconds = 3'600'000;

struct MisbehaviourRow {
  std::string_view name;
  Misbehaviour misbehaviour;
};

constexpr std::array kMisbehaviours = {
    MisbehaviourRow{"bad_utf8", Misbehaviour::kBadUtf8},
    MisbehaviourRow{"cut_stream", Misbehaviour::kCutStream},
    MisbehaviourRow{"empty", Misbehaviour::kEmpty},
    MisbehaviourRow{"error_in_200", Misbehaviour::kErrorIn200},
    MisbehaviourRow{"error_in_stream", Misbehaviour::kErrorInStream},
    MisbehaviourRow{"hang_after_headers", Misbehaviour::kHangAfterHeaders},
    MisbehaviourRow{"hang_before_headers", Misbehaviour::kHangBeforeHeaders},
    MisbehaviourRow{"hang_in_stream", Misbehaviour::kHangInStream},
    MisbehaviourRow{"html", Misbehaviour::kHtml},
    MisbehaviourRow{"huge", Misbehaviour::kHuge},
    MisbehaviourRow{"none", Misbehaviour::kNone},
    MisbehaviourRow{"reset", Misbehaviour::kReset},
    MisbehaviourRow{"reset_mid_body", Misbehaviour::kResetMidBody},
    MisbehaviourRow{"short_stream", Misbehaviour::kShortStream},
    MisbehaviourRow{"slow", Misbehaviour::kSlow},
    MisbehaviourRow{"truncated_json", Misbehaviour::kTruncatedJson},
    MisbehaviourRow{"wrong_types", Misbehaviour::kWrongTypes},
};

absl::Status UnknownFault(std::string_view fault) {
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("there is no simulated fault \"{}\"; there are {}", fault, FaultNames()));
}

// The value of `sim-<what>-<value>` in a model's name: letters, digits and '_'.
std::string_view InModelName(std::string_view model, std::string_view what) {
  const std::string key = fmt::format("sim-{}-", what);
  const auto at = model.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = model.substr(at + key.size());
  const auto end = std::find_if(rest.begin(), rest.end(),
                                [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; });
  return rest.substr(0, static_cast<size_t>(end - rest.begin()));
}

std::optional<Milliseconds> ToLatency(std::string_view text) {
  const auto number = ParseNumber<int64_t>(text);
  if (!number.has_value()) return std::nullopt;
  return Milliseconds(std::clamp<int64_t>(*number, 0, kMaxMilliseconds));
}

// What was asked for in one place, by a function that looks a setting up there.
template <class Lookup>
absl::StatusOr<std::optional<FaultPlan>> PlanFrom(const Lookup& lookup) {
  const std::string_view fault = lookup("fault");
  const auto latency = ToLatency(lookup("latency"));
  const auto tokens = ParseNumber<size_t>(lookup("tokens"));
  const auto after = ParseNumber<size_t>(lookup("after"));
  const std::string_view gate = lookup("gate");
  const bool asked = latency.has_value() || tokens.has_value() || after.has_value() || !gate.empty();
  if (fault.empty() && !asked) return std::optional<FaultPlan>();
  auto plan = PlanNamed(fault.empty() ? "none" : fault);
  if (!plan.has_value()) return UnknownFault(fault);
  if (const std::string_view wait = lookup("retry_after"); !wait.empty()) plan->retry_after = wait;
  plan->latency = latency;
  plan->tokens = tokens;
  plan->after = after;
  plan->gate = gate;
  return plan;
}

// `weaker` fills in what `plan` left open.
void Merge(std::optional<FaultPlan>& plan, std::optional<FaultPlan> weaker) {
  if (!weaker.has_value()) return;
  if (!plan.has_value()) {
    plan = std::move(weaker);
    return;
  }
  if (!plan->latency.has_value()) plan->latency = weaker->latency;
  if (!plan->tokens.has_value()) plan->tokens = weaker->tokens;
  if (!plan->after.has_value()) plan->after = weaker->after;
  if (plan->gate.empty()) plan->gate = weaker->gate;
  if (plan->misbehaviour == Misbehaviour::kNone) {
    plan->misbehaviour = weaker->misbehaviour;
    plan->status = weaker->status;
    plan->name = weaker->name;
    plan->retry_after = weaker->retry_after;
  }
}

// "retry_after" may be a number of seconds or any text.
std::string ScalarText(const Json& value) { return value.is_string() ? Text(value) : Dump(value); }

}  // namespace

std::optional<FaultPlan> PlanNamed(std::string_view fault) {
  FaultPlan plan;
  plan.name = fault;
  if (const auto status = ParseNumber<int>(fault)) {
    if (*status < 400 || *status > 599) return std::nullopt;
    plan.misbehaviour = Misbehaviour::kStatus;
    plan.status = *status;
    return plan;
  }
  for (const MisbehaviourRow& row : kMisbehaviours) {
    if (row.name != fault) continue;
    plan.misbehaviour = row.misbehaviour;
    return plan;
  }
  return std::nullopt;
}

bool IsStreamFault(Misbehaviour misbehaviour) {
  return misbehaviour == Misbehaviour::kCutStream || misbehaviour == Misbehaviour::kErrorInStream ||
         misbehaviour == Misbehaviour::kHangInStream || misbehaviour == Misbehaviour::kShortStream;
}

std::string FaultNames() {
  std::string names;
  for (const MisbehaviourRow& row : kMisbehaviours) names += fmt::format("{}, ", row.name);
  return names + "or a status from 400 to 599";
}

absl::Status FaultScript::Append(std::string_view json) {
  const Json list = Json::parse(json, nullptr, false);
  if (!list.is_array()) {
    return MakeFault(Fault::kInvalidRequest,
                     R"(a script is a JSON list, such as [{"fault": "429", "times": 2}])");
  }
  if (entries_.size() + list.size() > kMaxEntries) {
    return MakeFault(Fault::kTooLarge, fmt::format("a script has at most {} entries", kMaxEntries));
  }
  std::deque<Entry> added;
  for (const Json& item : list) {
    const std::string fault = ScalarText(At(item, "fault"));
    const auto plan = PlanNamed(fault);
    if (!plan.has_value()) return Annotate(UnknownFault(fault), fmt::format("entry {}", added.size()));
    Entry entry;
    entry.plan = *plan;
    entry.path = Text(At(item, "path"));
    entry.model = Text(At(item, "model"));
    if (const Json& times = At(item, "times"); times.is_number_integer()) entry.times = times.get<int64_t>();
    if (const Json& every = At(item, "every"); every.is_number_integer())
      entry.every = std::max<int64_t>(every.get<int64_t>(), 1);
    if (const Json& wait = At(item, "retry_after"); !wait.is_null())
      entry.plan.retry_after = ScalarText(wait);
    entry.plan.latency = ToLatency(ScalarText(At(item, "latency_ms")));
    entry.plan.tokens = ParseNumber<size_t>(ScalarText(At(item, "tokens")));
    entry.plan.after = ParseNumber<size_t>(ScalarText(At(item, "after")));
    added.push_back(std::move(entry));
  }
  entries_.insert(entries_.end(), added.begin(), added.end());
  return absl::OkStatus();
}

std::optional<FaultPlan> FaultScript::Take(std::string_view path, std::string_view model) {
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (!entry->path.empty() && entry->path != path) continue;
    if (!entry->model.empty() && entry->model != model) continue;
    if (++entry->fitting % entry->every != 0) continue;
    FaultPlan plan = entry->plan;
    if (--entry->times <= 0) entries_.erase(entry);
    return plan;
  }
  return std::nullopt;
}

absl::StatusOr<FaultPlan> PlanFor(const HttpRequest& request, std::string_view model, FaultScript& script) {
  const auto in_headers = [&](std::string_view what) {
    if (what == "latency") return HeaderOr(request.headers, "x-simulate-latency-ms");
    if (what == "retry_after") return HeaderOr(request.headers, "x-simulate-retry-after");
    return HeaderOr(request.headers, fmt::format("x-simulate-{}", what));
  };
  const auto in_model = [&](std::string_view what) { return InModelName(model, what); };
  ASSIGN_OR_RETURN(std::optional<FaultPlan> plan, PlanFrom(in_headers));
  ASSIGN_OR_RETURN(std::optional<FaultPlan> of_model, PlanFrom(in_model));
  Merge(plan, std::move(of_model));
  if (script.size() > 0) Merge(plan, script.Take(request.path, model));
  return plan.value_or(FaultPlan());
}

}  // namespace llm_router::simulate
