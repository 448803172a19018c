// The flags of `chat`.
#include <iostream>
#include <memory>

#include "client/cli/chat.h"
#include "client/cli/command_line.h"
#include "client/cli/command_table.h"

namespace llm_router::cli {

void AddChat(CLI::App& app, Action& action) {
  CLI::App* command = AddCommand(app, "chat", "Talk with a model; it is told what was said before",
                                 "  llm-router chat\n  llm-router chat -r claude --system \"Be brief\"\n");
  const auto options = std::make_shared<ChatOptions>();
  AddRoute(*command, options->route, "Which route to ask; else chat lists them and asks");
  AddModelFlags(*command, *options);
  AddServer(*command, options->server);
  AddTimeout(*command, options->server);
  command->footer("In a chat: /reset forgets what was said, /quit or Ctrl-D ends.");
  command->callback([options, &action] {
    action = [options] {
      options->at_terminal = AtTerminal();
      return RunChat(*options, std::cin, std::cout, std::cerr);
    };
  });
}

}  // namespace llm_router::cli
