// What the client's commands share: exit codes, how a failure and a note look, reading standard input.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>

#include "client/client.h"

namespace llm_router::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;         // the query failed
inline constexpr int kUsage = 2;          // the command was called wrongly
inline constexpr int kInterrupted = 130;  // what a shell says of a program that Ctrl-C ended

// Writes "error: <message>" and gives the exit code: kFailed.
int Fail(const client::Error& error, std::ostream& err);
// The same for a command called wrongly: kUsage.
int FailUsage(const std::string& message, std::ostream& err);

bool IsSimulated(const client::Answer& answer);
void WriteSimulatedNote(std::ostream& err);
// One line each: a simulated answer, and what the provider could not be told.
void WriteNotes(const client::Answer& answer, std::ostream& err);

// All of `in`; nothing when it is longer than `limit` bytes.
std::optional<std::string> ReadAll(std::istream& in, size_t limit);

}  // namespace llm_router::cli
