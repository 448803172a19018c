#include "client/cli/prompts.h"

#include <fmt/format.h>

#include <istream>
#include <utility>

#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"

namespace llm_router::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kMostComplaints = 20;

// What is wrong with a line; empty when nothing is.
std::string WrongWith(const std::string& text, size_t max_bytes) {
  if (text.size() > max_bytes) {
    return fmt::format("has {} bytes, the limit is {}: shorten it", text.size(), max_bytes);
  }
  const auto bad = FirstBadUtf8(text);
  return bad ? fmt::format("is not UTF-8 at byte {}: save the file as UTF-8", *bad + 1) : std::string();
}

void Tidy(std::string& text, bool is_first) {
  if (is_first && text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  if (text.ends_with('\r')) text.pop_back();
}

}  // namespace

absl::StatusOr<std::vector<Prompt>> ReadPrompts(std::istream& in, const std::string& name, size_t max_bytes) {
  std::vector<Prompt> prompts;
  std::string complaints;
  size_t wrong = 0;
  std::string text;
  for (size_t line = 1; std::getline(in, text); ++line) {
    Tidy(text, line == 1);
    if (text.find_first_not_of(" \t") == std::string::npos) continue;
    const std::string complaint = WrongWith(text, max_bytes);
    if (complaint.empty()) {
      prompts.push_back({line, std::exchange(text, {})});
    } else if (++wrong <= kMostComplaints) {
      complaints += fmt::format("{}{}:{}: {}", complaints.empty() ? "" : "\n", name, line, complaint);
    }
  }
  if (wrong > kMostComplaints) complaints += fmt::format("\nand {} more", wrong - kMostComplaints);
  if (wrong > 0) return MakeFault(Fault::kInvalidRequest, complaints);
  if (prompts.empty()) {
    return MakeFault(Fault::kInvalidRequest, fmt::format("{}: holds no prompt: write one a line", name));
  }
  return prompts;
}

}  // namespace llm_router::cli
