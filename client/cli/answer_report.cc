#include "client/cli/answer_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "client/cli/answer_json.h"
#include "client/cli/console.h"

namespace llm_router::cli {
namespace {

using client::ErrorCode;

bool IsCancelled(const client::Result<client::Answer>& result) {
  return !result.ok() && result.error().code == ErrorCode::kCancelled;
}

std::string LinesOf(const std::vector<size_t>& lines) {
  constexpr size_t kMostNamed = 20;
  const size_t named = std::min(lines.size(), kMostNamed);
  return fmt::format("{} {}{}", lines.size() == 1 ? "line" : "lines",
                     fmt::join(lines.data(), lines.data() + named, ", "),
                     named < lines.size() ? ", ..." : "");
}

}  // namespace

AnswerReport::AnswerReport(ReportForm form, const std::vector<Prompt>& prompts, std::ostream& out,
                           std::ostream& err)
    : form_(form), prompts_(prompts), out_(out), err_(err), progress_(form.progress, err) {}

void AnswerReport::Take(size_t index, client::Result<client::Answer> result) {
  const bool is_done = !IsCancelled(result);
  if (is_done) ++done_;
  if (is_done && !result.ok()) ++failures_;
  early_.emplace(index, std::move(result));
  if (early_.begin()->first == next_) progress_.Clear();
  for (; !early_.empty() && early_.begin()->first == next_; ++next_) {
    Write(next_, early_.begin()->second);
    early_.erase(early_.begin());
  }
  if (is_done) progress_.Show(done_, failures_, prompts_.size());
}

void AnswerReport::Finish() {
  progress_.Clear();
  if (form_.quiet) return;
  for (const auto& [warning, count] : warnings_) {
    err_ << "warning: " << warning << (count > 1 ? fmt::format(" ({} answers)", count) : "") << '\n';
  }
  if (is_simulated_) WriteSimulatedNote(err_);
  err_ << Summary() << '\n';
}

void AnswerReport::Write(size_t index, const client::Result<client::Answer>& result) {
  if (result.ok()) {
    WriteAnswer(prompts_[index].line, *result);
  } else if (!IsCancelled(result)) {
    WriteFailure(prompts_[index].line, result.error());
  }
}

void AnswerReport::WriteAnswer(size_t line, const client::Answer& answer) {
  ++answered_;
  if (form_.json) {
    WriteLine(line, ToJson(answer));
  } else {
    out_ << answer.text << std::endl;
  }
  for (const std::string& warning : answer.warnings) ++warnings_[warning];
  is_simulated_ = is_simulated_ || IsSimulated(answer);
}

void AnswerReport::WriteFailure(size_t line, const client::Error& error) {
  failed_.push_back(line);
  if (form_.json) WriteLine(line, ToJson(error));
  err_ << "error: line " << line << ": " << error.message << std::endl;
}

void AnswerReport::WriteLine(size_t line, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json numbered = {{"line", line}};
  numbered.update(fields);
  out_ << OneLine(numbered) << std::endl;
}

std::string AnswerReport::Summary() const {
  std::string summary = fmt::format("{} of {} answered", answered_, prompts_.size());
  if (!failed_.empty()) summary += fmt::format(", {} failed: {}", failed_.size(), LinesOf(failed_));
  const size_t rest = prompts_.size() - answered_ - failed_.size();
  return rest == 0 ? summary : summary + fmt::format(", {} not done", rest);
}

}  // namespace llm_router::cli
