#include "client/batch_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "client/batch_convert.h"
#include "client/batch_pages.h"
#include "proto/fault.h"

namespace llm_router::client {
namespace {

absl::Status TooLarge(std::string_view what) {
  return MakeFault(Fault::kTooLarge,
                   fmt::format("the input has more than {}: split it into several batches", what));
}

absl::StatusOr<contract::Batch> ReadBatch(const absl::StatusOr<std::string>& body) {
  RETURN_IF_ERROR(body.status());
  ASSIGN_OR_RETURN(const contract::Json json, contract::ParseObject(*body, "a batch"));
  return contract::ParseBatch(json);
}

class Upload {
 public:
  Upload(JobsLink& link, const BatchOptions& options, const contract::BatchOptions& converted)
      : link_(link), options_(options), converted_(converted) {}

  // What was not sealed is given up, whatever the reason.
  ~Upload() {
    if (!id_.empty() && !sealed_) GiveUp();
  }
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  absl::StatusOr<contract::Batch> Run(const LineSource& lines);

 private:
  absl::Status Take(std::string line);
  absl::Status Flush();
  absl::Status Create();
  absl::StatusOr<contract::Batch> Seal();
  absl::Status TellBadLines();
  void GiveUp();

  JobsLink& link_;
  const BatchOptions& options_;
  const contract::BatchOptions& converted_;
  std::string id_;  // empty: not created yet
  bool sealed_ = false;
  std::string piece_;       // lines read and not sent
  int64_t first_line_ = 1;  // of the piece
  int64_t lines_ = 0;
  int64_t bytes_ = 0;
  int64_t bad_at_server_ = 0;
  std::vector<BadLine> bad_here_;  // in order; they would not arrive as they are
};

absl::StatusOr<contract::Batch> Upload::Run(const LineSource& lines) {
  while (true) {
    ASSIGN_OR_RETURN(std::optional<std::string> line, lines());
    if (!line) break;
    RETURN_IF_ERROR(Take(*std::move(line)));
  }
  if (lines_ == 0)
    return MakeFault(Fault::kInvalidRequest, "the input is empty: a batch needs a line at least");
  RETURN_IF_ERROR(Flush());
  if (!bad_here_.empty()) return TellBadLines();
  ASSIGN_OR_RETURN(contract::Batch batch, Seal());
  bad_at_server_ = batch.bad_lines;
  if (batch.state != contract::BatchState::kFailed) return batch;
  if (bad_at_server_ > 0 || batch.errors.empty()) return TellBadLines();
  return MakeFault(Fault::kInvalidRequest, batch.errors.front().message);  // of the batch as a whole
}

absl::Status Upload::Take(std::string line) {
  if (++lines_ > contract::kMostBatchLines)
    return TooLarge(fmt::format("{} lines", contract::kMostBatchLines));
  bytes_ += static_cast<int64_t>(line.size()) + 1;
  if (bytes_ > contract::kMostBatchBytes) return TooLarge("200 MB");
  if (!piece_.empty() && piece_.size() + line.size() + 1 > contract::kMostAppendBytes) {
    --lines_;  // it is not part of what is sent now
    RETURN_IF_ERROR(Flush());
    ++lines_;
  }
  if (const auto bad = FirstBadUtf8(line)) {
    bad_here_.push_back(BadLine{lines_, "invalid_utf8",
                                fmt::format("is not UTF-8 at byte {}: save the file as UTF-8", *bad + 1),
                                ""});
  }
  piece_.append(line).push_back('\n');
  return absl::OkStatus();
}

// Only now is there a batch at all: an input that can't be read, or is empty, leaves no trace.
absl::Status Upload::Create() {
  contract::CreateBatch ask;
  ask.options = converted_;
  ask.idempotency_key = NewId();  // the question may be repeated
  ASSIGN_OR_RETURN(const contract::Batch batch,
                   ReadBatch(link_.Ask(ToJson(ask), Repeat::kYes, options_.canceller)));
  id_ = batch.id;
  return absl::OkStatus();
}

absl::Status Upload::Flush() {
  if (id_.empty()) RETURN_IF_ERROR(Create());
  contract::AppendLines ask;
  ask.batch = id_;
  ask.first_line = first_line_;
  ask.data = std::exchange(piece_, {});
  ASSIGN_OR_RETURN(const std::string body, link_.Ask(ToJson(ask), Repeat::kYes, options_.canceller));
  ASSIGN_OR_RETURN(const contract::Appended appended, contract::ParseAppended(body));
  bad_at_server_ = appended.bad_lines;
  first_line_ = lines_ + 1;
  if (appended.next_line != first_line_) {
    return MakeFault(Fault::kInternal, fmt::format("the server asks for line {} of batch {} after line {}",
                                                   appended.next_line, id_, lines_));
  }
  if (options_.on_upload) options_.on_upload(lines_);
  return absl::OkStatus();
}

absl::StatusOr<contract::Batch> Upload::Seal() {
  auto batch = ReadBatch(link_.Ask(ToJson(contract::AboutBatch(contract::AboutBatch::Op::kSeal, id_)),
                                   Repeat::kYes, options_.canceller));
  sealed_ = batch.ok();
  return batch;
}

// Those that the server found and those found here, in order; as a failure.
absl::Status Upload::TellBadLines() {
  std::vector<BadLine> all = bad_here_;
  const auto is_ours = [this](int64_t line) {
    return std::ranges::binary_search(bad_here_, line, {}, &BadLine::line);
  };
  if (bad_at_server_ > 0) {
    const auto read = ReadErrorPages(link_, id_, [&](const BadLine& bad) {
      if (!is_ours(bad.line)) all.push_back(bad);
    });
    RETURN_IF_ERROR(read.status());
  }
  std::ranges::sort(all, {}, &BadLine::line);
  for (const BadLine& bad : all) {
    if (options_.on_bad_line) options_.on_bad_line(bad);
  }
  std::string sentence =
      fmt::format("{} of {} lines can't be used, so nothing of batch {} runs", all.size(), lines_, id_);
  if (!all.empty() && !options_.on_bad_line) {
    sentence += fmt::format("; line {}: {}", all.front().line, all.front().message);
  }
  return MakeFault(Fault::kInvalidRequest, sentence);
}

// What can't be told to the server now, it sees itself: a batch that is never sealed never runs.
void Upload::GiveUp() {
  constexpr std::chrono::seconds kPatience{5};
  const contract::AboutBatch ask(contract::AboutBatch::Op::kCancel, id_);
  (void)link_.Ask(ToJson(ask), Repeat::kNo, Canceller(), Now() + kPatience);
}

}  // namespace

absl::StatusOr<contract::Batch> UploadBatch(JobsLink& link, const BatchOptions& options,
                                            const contract::BatchOptions& converted,
                                            const LineSource& lines) {
  return Upload(link, options, converted).Run(lines);
}

}  // namespace llm_router::client
