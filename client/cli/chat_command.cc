// The flags of `chat`.
#include <cstdlib>
#include <iostream>
#include <memory>

#include "client/cli/chat.h"
#include "client/cli/command_line.h"
#include "client/cli/command_table.h"
#include "client/cli/console.h"
#include "client/cli/interrupt.h"

namespace llm_router::cli {

namespace {

// On the main thread, before the client makes threads of its own.
int RunChatOnStandardStreams(const ChatOptions& options) {
  ChatState state;
  const Interrupt interrupt([&state] {
    if (!state.answering) std::_Exit(kInterrupted);  // nothing else ends a wait for the keyboard
    state.canceller.Cancel();
  });
  return RunChat(options, state, std::cin, std::cout, std::cerr);
}

}  // namespace

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
      return RunChatOnStandardStreams(*options);
    };
  });
}

}  // namespace llm_router::cli
