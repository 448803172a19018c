// `llm-router chat`: a conversation, line by line, until /quit or the end of input.
#pragma once

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

// Writes the answers to `out`, everything else to `err`. Gives the exit code (console.h): kFailed when a
// question failed and nobody at a terminal saw it.
int RunChat(const ChatOptions& options, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace llm_router::cli
