#include "router/config/problems.h"

#include <fmt/format.h>

#include <algorithm>

#include "proto/fault.h"

namespace llm_router {

void Problems::Add(std::string_view path, std::string_view complaint, std::string_view origin) {
  std::string line(path);
  if (!line.empty()) line += ": ";
  line += complaint;
  if (!origin.empty()) line += fmt::format(" ({})", origin);
  lines_.push_back(std::move(line));
}

absl::Status Problems::ToStatus() const {
  if (lines_.empty()) return absl::OkStatus();
  if (lines_.size() == 1) {
    return MakeFault(Fault::kInvalidRequest, fmt::format("configuration: {}", lines_.front()));
  }
  constexpr size_t kMost = 50;
  const size_t shown = std::min(lines_.size(), kMost);
  std::string text = fmt::format("configuration has {} problems:", lines_.size());
  for (size_t i = 0; i < shown; ++i) text += "\n  " + lines_[i];
  if (shown < lines_.size()) text += fmt::format("\n  and {} more", lines_.size() - shown);
  return MakeFault(Fault::kInvalidRequest, text);
}

}  // namespace llm_router
