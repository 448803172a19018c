#include "router/simulate/stream_writer.h"

namespace llm_router::simulate {
namespace {

constexpr size_t kArgumentBytes = 8;

// A word with the white space before it; the last one also with what is behind it.
size_t EndOfWord(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && IsSpace(text[end])) ++end;
  while (end < text.size() && !IsSpace(text[end])) ++end;
  return text.find_first_not_of(" \n\t\r", end) == std::string_view::npos ? text.size() : end;
}

// A few bytes, not ending inside a character.
size_t EndOfFragment(std::string_view text) {
  size_t end = std::min(kArgumentBytes, text.size());
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return end;
}

void Split(Piece::Kind kind, size_t part, std::string_view text, std::vector<Piece>& pieces) {
  while (!text.empty()) {
    const size_t end = kind == Piece::Kind::kArguments ? EndOfFragment(text) : EndOfWord(text);
    pieces.push_back({kind, part, text.substr(0, end)});
    text.remove_prefix(end);
  }
}

}  // namespace

std::vector<Piece> PiecesOf(const Answer& answer) {
  std::vector<Piece> pieces;
  Split(Piece::Kind::kReasoning, 0, answer.reasoning, pieces);
  Split(Piece::Kind::kText, 0, answer.text, pieces);
  for (size_t i = 0; i < answer.others.size(); ++i) {
    Split(Piece::Kind::kText, i + 1, answer.others[i].text, pieces);
  }
  for (size_t i = 0; i < answer.calls.size(); ++i) {
    Split(Piece::Kind::kArguments, i, answer.calls[i].arguments, pieces);
  }
  return pieces;
}

}  // namespace llm_router::simulate
