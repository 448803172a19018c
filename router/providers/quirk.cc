#include "router/providers/quirk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "broker_adapters/base/text.h"
#include "router/dialects/json_members.h"
#include "router/dialects/notes.h"

namespace llm_router {
namespace {

constexpr std::string_view kMessages = "messages";

bool AsksForNothing(const Quirk& quirk, std::string_view value) {
  const std::string_view neutral = quirk.neutral.empty() ? "false" : quirk.neutral;
  if (value == "null" || value == neutral) return true;
  const auto number = ParseNumber<double>(value);
  return number && number == ParseNumber<double>(neutral);
}

void Rename(const Quirk& quirk, JsonMembers& members, Warnings& warnings) {
  if (!members.Find(quirk.field)) return;
  if (const auto rival = members.Find(quirk.to)) {
    if (*rival != "null") AddNote(warnings, fmt::format("{} dropped", quirk.to));
    members.Erase(quirk.to);
  }
  members.Rename(quirk.field, quirk.to);
}

void Drop(const Quirk& quirk, JsonMembers& members, Warnings& warnings) {
  const auto value = members.Find(quirk.field);
  if (!value || (!quirk.beside.empty() && members.Find(quirk.beside).value_or("null") == "null")) return;
  if (!AsksForNothing(quirk, *value)) AddNote(warnings, fmt::format("{} dropped", quirk.field));
  members.Erase(quirk.field);
}

void Clamp(const Quirk& quirk, JsonMembers& members, Warnings& warnings) {
  const auto value = members.Find(quirk.field);
  const auto number = value ? ParseNumber<double>(*value) : std::nullopt;
  if (!number || (*number >= quirk.least && *number <= quirk.most)) return;
  const double clamped = std::clamp(*number, quirk.least, quirk.most);
  AddNote(warnings, fmt::format("{} {} sent as {}", quirk.field, *number, clamped));
  members.Replace(quirk.field, fmt::format("{}", clamped));
}

// Calls `edit` with the members of each message, and puts together what it changed.
template <class Edit>
void EditMessages(JsonMembers& members, Edit&& edit) {
  const auto messages = members.Find(kMessages);
  if (!messages) return;
  std::vector<std::string_view> items = JsonItems(*messages);
  std::deque<std::string> edited;  // a deque leaves them in place
  for (std::string_view& item : items) {
    if (!item.starts_with('{')) continue;
    JsonMembers message(item);
    edit(message);
    if (message.changed()) item = edited.emplace_back(message.Text());
  }
  if (!edited.empty()) members.Replace(kMessages, fmt::format("[{}]", fmt::join(items, ",")));
}

void RenameRole(const Quirk& quirk, JsonMembers& members) {
  EditMessages(members, [&quirk](JsonMembers& message) {
    if (IsJsonString(message.Find("role").value_or(""), quirk.field))
      message.Replace("role", fmt::format("\"{}\"", quirk.to));
  });
}

void DropFromMessages(const Quirk& quirk, JsonMembers& members, Warnings& warnings) {
  EditMessages(members, [&](JsonMembers& message) {
    const auto value = message.Find(quirk.field);
    if (!value) return;
    if (!AsksForNothing(quirk, *value))
      AddNote(warnings, fmt::format("{} of a message dropped", quirk.field));
    message.Erase(quirk.field);
  });
}

void Apply(const Quirk& quirk, JsonMembers& members, Warnings& warnings) {
  switch (quirk.kind) {
    case Quirk::Kind::kRename:
      return Rename(quirk, members, warnings);
    case Quirk::Kind::kDrop:
      return Drop(quirk, members, warnings);
    case Quirk::Kind::kRange:
      return Clamp(quirk, members, warnings);
    case Quirk::Kind::kRole:
      return RenameRole(quirk, members);
    case Quirk::Kind::kMessageField:
      return DropFromMessages(quirk, members, warnings);
  }
}

}  // namespace

bool HoldsFor(const Quirk& quirk, std::string_view model) {
  const auto begins = [model](std::string_view prefix) { return model.starts_with(prefix); };
  const auto holds = [model](std::string_view part) { return model.find(part) != model.npos; };
  return (quirk.models.empty() || std::ranges::any_of(quirk.models, begins)) &&
         std::ranges::none_of(quirk.except, holds);
}

std::string ApplyQuirks(std::span<const Quirk> quirks, std::string_view model, std::string body,
                        Warnings& warnings) {
  std::optional<JsonMembers> members;  // taken apart once, for the first quirk that holds
  for (const Quirk& quirk : quirks) {
    if (!HoldsFor(quirk, model)) continue;
    if (!members) members.emplace(body);
    Apply(quirk, *members, warnings);
  }
  if (!members || !members->changed()) return body;
  return members->Text();
}

}  // namespace llm_router
