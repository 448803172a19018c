#include "router/config/place.h"

#include <algorithm>

namespace llm_router {
namespace {

// How many characters of `path` can be the step `name` of a pattern, most first. A name with dots in it has
// to have a setting after it: what follows the dot in `routes.openai.concurency` is a mistyped setting, not
// part of a name.
std::vector<size_t> StepEnds(std::string_view name, std::string_view path, bool is_last) {
  std::vector<size_t> ends;
  if (name == "[]") {
    const size_t close = path.find_first_not_of("0123456789", 1);
    if (path.starts_with('[') && close > 1 && close < path.size() && path[close] == ']')
      ends.push_back(close + 1);
  } else if (name == "*" && is_last) {
    if (path.find_first_of(".[") == std::string_view::npos && !path.empty()) ends.push_back(path.size());
  } else if (name == "*") {
    for (size_t end = path.size(); end > 0; --end) {
      if (end == path.size() || path[end] == '.' || path[end] == '[') ends.push_back(end);
    }
  } else if (path.starts_with(name)) {
    ends.push_back(name.size());
  }
  return ends;
}

// Takes the first step off a pattern.
std::string_view TakeStep(std::string_view& pattern) {
  if (pattern.starts_with('.')) pattern.remove_prefix(1);
  const size_t end = std::min(pattern.find_first_of(".[", 1), pattern.size());
  const std::string_view step = pattern.substr(0, end);
  pattern.remove_prefix(end);
  return step;
}

bool Match(std::string_view pattern, std::string_view path, std::vector<std::string>& steps) {
  if (pattern.empty()) return path.empty();
  if (pattern.starts_with('.')) {
    if (!path.starts_with('.')) return false;
    path.remove_prefix(1);
  }
  const std::string_view step = TakeStep(pattern);
  for (const size_t end : StepEnds(step, path, pattern.empty())) {
    steps.emplace_back(path.substr(0, end));
    if (Match(pattern, path.substr(end), steps)) return true;
    steps.pop_back();
  }
  return false;
}

}  // namespace

std::optional<SettingPlace> FindPlace(std::string_view path) {
  for (const Setting& row : AllSettings()) {
    SettingPlace place{&row, {}};
    if (Match(row.path, path, place.steps)) return place;
  }
  return std::nullopt;
}

std::string JoinSteps(std::span<const std::string> steps) {
  std::string path;
  for (const std::string& step : steps) path = JoinPath(path, step);
  return path;
}

}  // namespace llm_router
