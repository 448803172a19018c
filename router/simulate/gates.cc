#include "router/simulate/gates.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/simulate/json_view.h"

namespace llm_router::simulate {
namespace {

constexpr size_t kMaxGates = 1000;
constexpr size_t kMaxName = 64;

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

}  // namespace

Awaitable<bool> Gate::Pass(size_t count) {
  while (!IsOpen(count)) {
    if (co_await Cancelled()) co_return false;
    (void)co_await changed_.async_wait(kUseTuple);
  }
  co_return true;
}

void Gate::Allow(uint64_t count) {
  allowed_ = std::max(allowed_, count);
  changed_.cancel();
}

absl::StatusOr<std::shared_ptr<Gate>> Gates::Find(std::string_view name) {
  if (!IsName(name)) {
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("a gate's name is 1 to {} letters and digits", kMaxName));
  }
  const auto found = gates_.find(name);
  if (found != gates_.end()) return found->second;
  if (gates_.size() >= kMaxGates) {
    return MakeFault(Fault::kTooLarge, fmt::format("there are {} gates already: POST /simulate/reset forgets "
                                                   "them",
                                                   kMaxGates));
  }
  return gates_.emplace(name, std::make_shared<Gate>(executor_)).first->second;
}

absl::Status Gates::Allow(std::string_view json) {
  const Json body = Json::parse(json, nullptr, false);
  const Json& count = At(body, "frames");
  if (!count.is_number_unsigned()) {
    return MakeFault(Fault::kInvalidRequest,
                     R"(a gate is told {"name": "a", "frames": 3}, all those so far)");
  }
  ASSIGN_OR_RETURN(const std::shared_ptr<Gate> gate, Find(Text(At(body, "name"))));
  gate->Allow(count.get<uint64_t>());
  return absl::OkStatus();
}

std::string Gates::StateJson() const {
  Json gates = Json::object();
  for (const auto& [name, gate] : gates_) {
    gates[name] = {{"frames", gate->allowed()}, {"sent", gate->sent()}};
  }
  return Dump({{"gates", std::move(gates)}});
}

void Gates::Clear() {
  for (const auto& [name, gate] : gates_) gate->Allow(std::numeric_limits<uint64_t>::max());
  gates_.clear();
}

}  // namespace llm_router::simulate
