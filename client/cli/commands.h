// The client's commands on a command line: the one place that knows their flags and help.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace llm_router::cli {

// Registers `ask`, `chat` and `routes` on `app`. Parsing one of them sets `action` to what runs it on the
// standard streams and gives the exit code. `action` outlives `app`.
void AddClientCommands(CLI::App& app, std::function<int()>& action);

}  // namespace llm_router::cli
