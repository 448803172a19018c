#include "client/cli/pace.h"

#include <fmt/format.h>

#include <cmath>

namespace llm_router::cli {

void Pace::Add(TimePoint now, size_t done) {
  constexpr std::chrono::seconds kWindow{30};
  constexpr size_t kMostMarks = 1'000;
  marks_.push_back(Mark{now, done});
  while (marks_.size() > 2 && (marks_[1].at + kWindow <= now || marks_.size() > kMostMarks))
    marks_.pop_front();
}

std::optional<double> Pace::rate() const {
  if (marks_.empty()) return std::nullopt;
  const std::chrono::duration<double> time = marks_.back().at - marks_.front().at;
  const size_t done = marks_.back().done - marks_.front().done;
  if (time.count() <= 0 || done == 0) return std::nullopt;
  return static_cast<double>(done) / time.count();
}

std::string Pace::Words(size_t total) const {
  const auto per_second = rate();
  if (!per_second) return {};
  const size_t left = total - marks_.back().done;
  if (left == 0) return fmt::format("{:.1f}/s", *per_second);
  const auto seconds = static_cast<int64_t>(std::ceil(static_cast<double>(left) / *per_second));
  return fmt::format("{:.1f}/s, {} left", *per_second, Lasting(std::chrono::seconds(seconds)));
}

std::string Lasting(std::chrono::seconds time) {
  const int64_t seconds = time.count();
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3'600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3'600, seconds / 60 % 60);
}

}  // namespace llm_router::cli
