// The flags of `routes`.
#include <iostream>
#include <memory>

#include "client/cli/command_line.h"
#include "client/cli/command_table.h"
#include "client/cli/routes.h"

namespace llm_router::cli {

void AddRoutes(CLI::App& app, Action& action) {
  CLI::App* command = AddCommand(app, "routes", "List the routes that workers serve now",
                                 "  llm-router routes\n  llm-router routes --json | jq '.[].route'\n");
  const auto options = std::make_shared<RoutesOptions>();
  AddJson(*command, options->json, "Print a JSON array");
  AddServer(*command, options->server);
  command->callback(
      [options, &action] { action = [options] { return RunRoutes(*options, std::cout, std::cerr); }; });
}

}  // namespace llm_router::cli
