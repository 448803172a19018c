#include "router/dialects/notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace llm_router {
namespace {

constexpr size_t kMaxNotes = 32;

}  // namespace

void AddNote(std::vector<std::string>& notes, std::string note) {
  if (notes.size() >= kMaxNotes || std::ranges::find(notes, note) != notes.end()) return;
  notes.push_back(notes.size() + 1 == kMaxNotes ? "more of the kind" : std::move(note));
}

void WarnOfUnknown(const std::vector<std::string>& unknown, Warnings& warnings) {
  for (const std::string& name : unknown) AddNote(warnings, fmt::format("{} dropped", name));
}

bool HasTools(const Chat& chat, Warnings& warnings) {
  if (!chat.tools.empty()) return true;
  if (chat.tool_choice) AddNote(warnings, "tool_choice without tools dropped");
  if (chat.parallel_tool_calls) AddNote(warnings, "parallel_tool_calls without tools dropped");
  return false;
}

}  // namespace llm_router
