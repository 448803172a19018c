// ProgressLine: how far a run of many questions is, on a terminal as a bar that moves, elsewhere as a line
// for every tenth part. One thread.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

namespace llm_router::cli {

class ProgressLine {
 public:
  enum class Form { kBar, kLines, kNone };

  ProgressLine(Form form, std::ostream& err) : form_(form), err_(err) {}

  // `done` of `total`, above 0, have ended, `failed` of them badly; `pace` is said after it.
  void Show(size_t done, size_t failed, size_t total, const std::string& pace = {});
  // Takes the bar off the terminal, so that something else can be written; Show brings it back.
  void Clear();

 private:
  const Form form_;
  std::ostream& err_;
  bool is_shown_ = false;
  size_t told_tenths_ = 0;
};

// "[#####---------------]  10/40, 1 failed"
std::string BarOf(size_t done, size_t failed, size_t total);

}  // namespace llm_router::cli
