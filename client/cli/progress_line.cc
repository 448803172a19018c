#include "client/cli/progress_line.h"

#include <fmt/format.h>

#include <ostream>

namespace llm_router::cli {
namespace {

constexpr size_t kBarWidth = 30;

std::string WithComma(const std::string& pace) { return pace.empty() ? "" : ", " + pace; }

std::string FailedOf(size_t failed) { return failed == 0 ? "" : fmt::format(", {} failed", failed); }

}  // namespace

std::string BarOf(size_t done, size_t failed, size_t total) {
  const size_t filled = kBarWidth * done / total;
  return fmt::format("[{:#<{}}{:-<{}}]  {}/{}{}", "", filled, "", kBarWidth - filled, done, total,
                     FailedOf(failed));
}

void ProgressLine::Show(size_t done, size_t failed, size_t total, const std::string& pace) {
  if (form_ == Form::kBar) {
    err_ << "\r\033[K" << BarOf(done, failed, total) << WithComma(pace) << std::flush;
    is_shown_ = true;
  } else if (const size_t tenths = 10 * done / total; form_ == Form::kLines && tenths > told_tenths_) {
    told_tenths_ = tenths;
    err_ << done << " of " << total << " done" << FailedOf(failed) << WithComma(pace) << std::endl;
  }
}

void ProgressLine::Clear() {
  if (is_shown_) err_ << "\r\033[K" << std::flush;
  is_shown_ = false;
}

}  // namespace llm_router::cli
