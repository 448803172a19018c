// Each noun's commands: a file <noun>_command.cc has the flags, commands.cc puts them together. Main thread.
#pragma once

#include "client/cli/command_line.h"

namespace llm_router::cli {

// Each registers its command on `app`; parsing it sets `action`, which outlives `app`.
void AddAsk(CLI::App& app, Action& action);
void AddBatch(CLI::App& app, Action& action);
void AddChat(CLI::App& app, Action& action);
void AddJob(CLI::App& app, Action& action);
void AddRoutes(CLI::App& app, Action& action);

}  // namespace llm_router::cli
