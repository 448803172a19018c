#include "client/cli/commands.h"

#include "client/cli/command_table.h"

namespace llm_router::cli {

void AddClientCommands(CLI::App& app, std::function<int()>& action) {
  AddAsk(app, action);
  AddChat(app, action);
  AddJob(app, action);
  AddBatch(app, action);
  AddRoutes(app, action);
}

}  // namespace llm_router::cli
