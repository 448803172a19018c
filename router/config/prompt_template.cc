#include "router/config/prompt_template.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

absl::Status Refuse(std::string_view complaint) { return MakeFault(Fault::kInvalidRequest, complaint); }

}  // namespace

void PromptTemplate::AddText(std::string_view text) {
  if (pieces_.empty() || pieces_.back().kind != Kind::kText) pieces_.push_back({Kind::kText, {}});
  pieces_.back().text += text;
}

absl::StatusOr<PromptTemplate> PromptTemplate::Parse(std::string_view text) {
  PromptTemplate made;
  while (!text.empty()) {
    const size_t brace = std::min(text.find_first_of("{}"), text.size());
    if (brace > 0) made.AddText(text.substr(0, brace));
    text.remove_prefix(brace);
    if (text.empty()) break;
    if (text.size() > 1 && text[1] == text[0]) {
      made.AddText(text.substr(0, 1));
      text.remove_prefix(2);
      continue;
    }
    if (text[0] == '}') return Refuse("holds a } that closes nothing: write }} for the text }");
    const size_t close = text.find_first_of("{}", 1);
    if (close == std::string_view::npos || text[close] != '}')
      return Refuse("holds a { that is not closed: write {{ for the text {");
    const std::string_view name = text.substr(1, close - 1);
    if (name != "input" && name != "previous") {
      return Refuse(
          fmt::format("holds {{{0}}}, which is no placeholder: there are {{input}} and {{previous}}; "
                      "write {{{{{0}}}}} for the text {{{0}}}",
                      Excerpt(name, 40)));
    }
    made.pieces_.push_back({name == "input" ? Kind::kInput : Kind::kPrevious, {}});
    text.remove_prefix(close + 1);
  }
  return made;
}

bool PromptTemplate::uses_previous() const {
  return std::ranges::any_of(pieces_, [](const Piece& piece) { return piece.kind == Kind::kPrevious; });
}

absl::StatusOr<std::string> PromptTemplate::Render(std::string_view input, std::string_view previous,
                                                   size_t max_bytes) const {
  const auto text_of = [&](const Piece& piece) -> std::string_view {
    if (piece.kind == Kind::kText) return piece.text;
    return piece.kind == Kind::kInput ? input : previous;
  };
  size_t bytes = 0;
  for (const Piece& piece : pieces_) bytes += text_of(piece).size();
  if (bytes > max_bytes) {
    return MakeFault(Fault::kTooLarge,
                     fmt::format("its prompt would have {} bytes, limits.body is {}: send less, "
                                 "or raise the limit",
                                 bytes, max_bytes));
  }
  std::string prompt;
  prompt.reserve(bytes);
  for (const Piece& piece : pieces_) prompt += text_of(piece);
  return prompt;
}

absl::Status CheckPrompt(std::string_view prompt) { return PromptTemplate::Parse(prompt).status(); }

}  // namespace llm_router
