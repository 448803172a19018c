// Notes: short phrases about what could not be carried over, each once, few enough for a tag. Pure; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "router/dialects/chat.h"

namespace llm_router {

// Adds `note` unless it is there; from the 32nd different one on only that there are more.
void AddNote(std::vector<std::string>& notes, std::string note);

// "<name> dropped" for each of what a parse had no place for.
void WarnOfUnknown(const std::vector<std::string>& unknown, Warnings& warnings);

// Whether there are tools to send. Without any, providers refuse what is asked about them: it is dropped.
bool HasTools(const Chat& chat, Warnings& warnings);

}  // namespace llm_router
