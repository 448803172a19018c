// The client's commands on a command line.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace llm_router::cli {

// Registers `ask`, `chat`, `job`, `batch` and `routes` on `app`. Parsing one of them sets `action` to what
// runs it on the standard streams and gives the exit code. `action` outlives `app`.
void AddClientCommands(CLI::App& app, std::function<int()>& action);

}  // namespace llm_router::cli
