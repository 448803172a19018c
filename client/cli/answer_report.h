// AnswerReport: what a run of many questions shows: answers in the order of their lines, failures by number,
// progress, and a summary. One thread.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "client/cli/progress_line.h"
#include "client/cli/prompts.h"
#include "client/client.h"

namespace llm_router::cli {

struct ReportForm {
  bool json = false;   // answers and failures as JSON lines on `out`; else the answers' text
  bool quiet = false;  // no summary, no warnings
  ProgressLine::Form progress = ProgressLine::Form::kLines;
};

class AnswerReport {
 public:
  // `prompts` and the streams outlive it.
  AnswerReport(ReportForm form, const std::vector<Prompt>& prompts, std::ostream& out, std::ostream& err);

  // Takes the result of one prompt, and writes every one whose turn has come. What was cancelled is not done:
  // it is neither written nor counted.
  void Take(size_t index, client::Result<client::Answer> result);
  // After the last one.
  void Finish();

  size_t answered() const { return answered_; }
  size_t failed() const { return failed_.size(); }

 private:
  void Write(size_t index, const client::Result<client::Answer>& result);
  void WriteAnswer(size_t line, const client::Answer& answer);
  void WriteFailure(size_t line, const client::Error& error);
  void WriteLine(size_t line, const nlohmann::ordered_json& fields);
  std::string Summary() const;

  const ReportForm form_;
  const std::vector<Prompt>& prompts_;
  std::ostream& out_;
  std::ostream& err_;
  ProgressLine progress_;
  std::map<size_t, client::Result<client::Answer>> early_;  // whose turn has not come
  size_t next_ = 0;                                         // whose turn it is
  size_t done_ = 0;                                         // taken, written or not
  size_t failures_ = 0;                                     // of these
  size_t answered_ = 0;                                     // written
  std::vector<size_t> failed_;                              // lines of the failures written
  std::map<std::string, size_t> warnings_;
  bool is_simulated_ = false;
};

}  // namespace llm_router::cli
