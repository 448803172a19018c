// `llm-router chat`: a conversation, line by line, until /quit or the end of input.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

#include "client/client.h"

namespace llm_router::cli {

struct ChatOptions {
  client::Options server;
  std::string route;  // empty: lists them, and the first line of input chooses
  std::string model;
  std::string system;
  std::optional<double> temperature;
  std::optional<std::int64_t> max_tokens;
  std::size_t max_history = 256 * 1024;  // bytes of what was said that are sent along
  bool at_terminal = false;              // show prompts
};

// What a signal looks at and does: shared with the thread that gets it.
struct ChatState {
  client::Canceller canceller;          // ends the answer under way, and then the chat
  std::atomic<bool> answering = false;  // else it waits for somebody to type
};

// Writes the answers to `out` as they come, everything else to `err`. Gives the exit code (console.h):
// kFailed when a question failed and nobody at a terminal saw it, kInterrupted when its canceller ended an
// answer.
int RunChat(const ChatOptions& options, ChatState& state, std::istream& in, std::ostream& out,
            std::ostream& err);

}  // namespace llm_router::cli
