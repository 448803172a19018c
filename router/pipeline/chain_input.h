// ChainInput: what of a caller's chat goes into a chain's steps. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "router/dialects/chat.h"

namespace llm_router {

struct ChainInput {
  ChainInput() = default;

  std::string text;    // {input}: of a text query all of it, of a chat its last user message
  std::string system;  // for every step, as is the temperature
  std::optional<double> temperature;
  std::optional<int64_t> max_tokens;  // of the answer: for the last step
};

// What a chain has no place for goes into `warnings`.
ChainInput ReadChainInput(const Chat& chat, Warnings& warnings);

}  // namespace llm_router
