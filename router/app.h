// App: the composition root. The only place that names concrete classes, wires them, and stops them in
// reverse order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "router/config/load.h"
#include "router/simulate/simulator.h"

namespace llm_router {

struct ServeArguments {
  ServeArguments() = default;

  std::optional<std::string> file;    // -c
  std::vector<std::string> settings;  // --set PATH=VALUE
  std::vector<std::string> roles;     // gateway, worker, jobs; empty: all, on an embedded broker
  bool simulate = false;              // answer for providers that have no key
};

// Where a process's configuration comes from, and what it is checked against.
LoadRequest LoadRequestOf(const std::optional<std::string>& file, const std::vector<std::string>& settings);

// What `serve` would refuse to start with, all of it; else one sentence for each thing that will not work all
// the same, such as a provider without its key.
absl::StatusOr<std::vector<std::string>> CheckConfiguration(const ServeArguments& arguments);

// Runs until SIGTERM or SIGINT, then takes no more, finishes what it has and returns; a second signal ends at
// once. Returns the process's exit code: 0, 1 when it could not run, 2 when it was told something wrong.
int Serve(const ServeArguments& arguments);

// Runs a provider simulator alone, until a signal.
int Simulate(const SimulatorOptions& options);

}  // namespace llm_router
