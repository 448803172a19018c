#include "proto/jobs_question.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router::contract {
namespace {

constexpr int64_t kMostReadLines = 10'000;
constexpr size_t kMostKey = 512;  // bytes
constexpr size_t kMostMetadata = 16;
constexpr int64_t kMostWindow = 7 * 24 * 60 * 60;  // seconds
constexpr int64_t kMostAtOnce = 1'000'000;
constexpr size_t kLongestFilename = 1'024;  // bytes

absl::Status Wrong(std::string_view field, std::string_view takes) {
  return MakeFault(Fault::kInvalidRequest, fmt::format("{} takes {}", field, takes));
}

absl::StatusOr<int64_t> Bounded(const Json& json, std::string_view field, int64_t fallback, int64_t least,
                                int64_t most) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return fallback;
  if (found->is_number_integer() && *found >= least && *found <= most) return found->get<int64_t>();
  return Wrong(field, fmt::format("a whole number from {} to {}", least, most));
}

absl::StatusOr<std::string> Required(const Json& json, std::string_view field, std::string_view takes) {
  std::string value = StringOr(json, field);
  if (value.empty()) return Wrong(field, takes);
  return value;
}

absl::StatusOr<JobsQuestion> ParseSubmit(const Json& json) {
  SubmitJob ask;
  ASSIGN_OR_RETURN(ask.route, Required(json, "route", "the name of a route"));
  RETURN_IF_ERROR(CheckRouteName(ask.route));
  ask.body = StringOr(json, "body");
  ask.tags = TagsOf(json, "tags");
  return ask;
}

template <AboutJob::Op kOp>
absl::StatusOr<JobsQuestion> ParseAboutJob(const Json& json) {
  ASSIGN_OR_RETURN(std::string job, Required(json, "job", "the id of a job"));
  return AboutJob(kOp, std::move(job));
}

absl::StatusOr<JobsQuestion> ParseListJobs(const Json& json) {
  ListJobs ask;
  if (const std::string state = StringOr(json, "state"); !state.empty()) {
    ask.state = JobStateNamed(state);
    if (!ask.state) return Wrong("state", "queued, running, completed, failed or cancelled");
  }
  ask.route = StringOr(json, "route");
  ask.after = StringOr(json, "after");
  ASSIGN_OR_RETURN(ask.limit, Bounded(json, "limit", ask.limit, 1, kMostListed));
  return ask;
}

absl::StatusOr<JobsQuestion> ParseCreateBatch(const Json& json) {
  CreateBatch ask;
  ask.idempotency_key = StringOr(json, "idempotency_key");
  if (ask.idempotency_key.size() > kMostKey) return Wrong("idempotency_key", "at most 512 bytes");
  BatchOptions& options = ask.options;
  const std::string format = StringOr(json, "format", NameOf(options.format));
  if (format != NameOf(BatchFormat::kOpenAi) && format != NameOf(BatchFormat::kText))
    return Wrong("format", "openai or text");
  if (format == NameOf(BatchFormat::kText)) options.format = BatchFormat::kText;
  options.route = StringOr(json, "route");
  if (options.format == BatchFormat::kText && options.route.empty())
    return Wrong("route", "the name of the route that the prompts are for");
  if (!options.route.empty()) RETURN_IF_ERROR(CheckRouteName(options.route));
  options.tags = TagsOf(json, "tags");
  RETURN_IF_ERROR(ParseQueryTags(options.tags).status());
  options.metadata = TagsOf(json, "metadata");
  if (options.metadata.size() > kMostMetadata)
    return Wrong("metadata", fmt::format("at most {} pairs", kMostMetadata));
  options.input_file = StringOr(json, "input_file_id");
  if (!options.input_file.empty() && options.format != BatchFormat::kOpenAi)
    return Wrong("input_file_id", "a file of lines of the format openai");
  options.endpoint = StringOr(json, "endpoint");
  options.routes = StringsOf(json, "routes");
  ASSIGN_OR_RETURN(options.batch_size, Bounded(json, "batch_size", 0, 0, kMostAtOnce));
  ASSIGN_OR_RETURN(options.concurrency, Bounded(json, "concurrency", 0, 0, kMostAtOnce));
  ASSIGN_OR_RETURN(options.completion_window,
                   Bounded(json, "completion_window", options.completion_window, 1, kMostWindow));
  return ask;
}

absl::StatusOr<JobsQuestion> ParseAppend(const Json& json) {
  AppendLines ask;
  ASSIGN_OR_RETURN(ask.batch, Required(json, "batch", "the id of a batch"));
  ASSIGN_OR_RETURN(ask.first_line, Bounded(json, "first_line", 1, 1, kMostBatchLines + 1));
  ASSIGN_OR_RETURN(ask.data, Required(json, "data", "whole lines"));
  if (ask.data.back() != '\n') return Wrong("data", "whole lines, each ended by a newline");
  if (ask.data.size() > kMostAppendBytes && ask.data.find('\n') != ask.data.size() - 1)
    return Wrong("data", fmt::format("at most {} bytes of lines at a time, or one line", kMostAppendBytes));
  return ask;
}

template <AboutBatch::Op kOp>
absl::StatusOr<JobsQuestion> ParseAboutBatch(const Json& json) {
  ASSIGN_OR_RETURN(std::string batch, Required(json, "batch", "the id of a batch"));
  return AboutBatch(kOp, std::move(batch));
}

absl::StatusOr<JobsQuestion> ParseReadLines(const Json& json) {
  ReadLines ask;
  ASSIGN_OR_RETURN(ask.batch, Required(json, "batch", "the id of a batch"));
  const std::string which = StringOr(json, "which", "all");
  if (which != "all" && which != "completed" && which != "failed")
    return Wrong("which", "all, completed or failed");
  if (which == "completed") ask.which = ReadLines::Which::kCompleted;
  if (which == "failed") ask.which = ReadLines::Which::kFailed;
  ASSIGN_OR_RETURN(ask.after, Bounded(json, "after", 0, 0, INT64_MAX));
  ASSIGN_OR_RETURN(ask.limit, Bounded(json, "limit", ask.limit, 1, kMostReadLines));
  return ask;
}

absl::StatusOr<JobsQuestion> ParseReadErrors(const Json& json) {
  ReadErrors ask;
  ASSIGN_OR_RETURN(ask.batch, Required(json, "batch", "the id of a batch"));
  ASSIGN_OR_RETURN(ask.after, Bounded(json, "after", 0, 0, kMostBatchLines));
  ASSIGN_OR_RETURN(ask.limit, Bounded(json, "limit", ask.limit, 1, kMostReadLines));
  return ask;
}

absl::StatusOr<JobsQuestion> ParseListBatches(const Json& json) {
  ListBatches ask;
  ask.after = StringOr(json, "after");
  ASSIGN_OR_RETURN(ask.limit, Bounded(json, "limit", ask.limit, 1, kMostListed));
  return ask;
}

absl::StatusOr<JobsQuestion> ParseCreateFile(const Json& json) {
  CreateFile ask;
  ask.filename = StringOr(json, "filename");
  if (ask.filename.size() > kLongestFilename)
    return Wrong("filename", fmt::format("at most {} bytes", kLongestFilename));
  ask.purpose = StringOr(json, "purpose");
  if (ask.purpose != kBatchPurpose) return Wrong("purpose", "\"batch\", the only one that is served here");
  ASSIGN_OR_RETURN(ask.bytes, Bounded(json, "bytes", 0, 1, kMostFileBytes));
  if (ask.bytes == 0) return Wrong("bytes", "the size of the file");
  return ask;
}

absl::StatusOr<JobsQuestion> ParseAppendFile(const Json& json) {
  AppendFile ask;
  ASSIGN_OR_RETURN(ask.file, Required(json, "file", "the id of a file"));
  ASSIGN_OR_RETURN(ask.offset, Bounded(json, "offset", 0, 0, kMostFileBytes));
  ASSIGN_OR_RETURN(ask.data, Required(json, "data", "a piece of the file"));
  if (ask.data.size() > kMostPieceBytes)
    return Wrong("data", fmt::format("at most {} bytes at a time", kMostPieceBytes));
  return ask;
}

template <AboutFile::Op kOp>
absl::StatusOr<JobsQuestion> ParseAboutFile(const Json& json) {
  ASSIGN_OR_RETURN(std::string file, Required(json, "file", "the id of a file"));
  return AboutFile(kOp, std::move(file));
}

absl::StatusOr<JobsQuestion> ParseReadFile(const Json& json) {
  ReadFile ask;
  ASSIGN_OR_RETURN(ask.file, Required(json, "file", "the id of a file"));
  ASSIGN_OR_RETURN(ask.offset, Bounded(json, "offset", 0, 0, kMostFileBytes));
  return ask;
}

absl::StatusOr<JobsQuestion> ParseListFiles(const Json& json) {
  ListFiles ask;
  ask.purpose = StringOr(json, "purpose");
  ask.after = StringOr(json, "after");
  ASSIGN_OR_RETURN(ask.limit, Bounded(json, "limit", ask.limit, 1, kMostListed));
  return ask;
}

struct OpRow {
  std::string_view name;
  absl::StatusOr<JobsQuestion> (*parse)(const Json& json);
};
constexpr std::array kOps = {
    OpRow{"batch_append", ParseAppend},
    OpRow{"batch_cancel", ParseAboutBatch<AboutBatch::Op::kCancel>},
    OpRow{"batch_create", ParseCreateBatch},
    OpRow{"batch_errors", ParseReadErrors},
    OpRow{"batch_lines", ParseReadLines},
    OpRow{"batch_list", ParseListBatches},
    OpRow{"batch_seal", ParseAboutBatch<AboutBatch::Op::kSeal>},
    OpRow{"batch_status", ParseAboutBatch<AboutBatch::Op::kStatus>},
    OpRow{"cancel", ParseAboutJob<AboutJob::Op::kCancel>},
    OpRow{"file_append", ParseAppendFile},
    OpRow{"file_create", ParseCreateFile},
    OpRow{"file_delete", ParseAboutFile<AboutFile::Op::kDelete>},
    OpRow{"file_list", ParseListFiles},
    OpRow{"file_read", ParseReadFile},
    OpRow{"file_status", ParseAboutFile<AboutFile::Op::kStatus>},
    OpRow{"list", ParseListJobs},
    OpRow{"result", ParseAboutJob<AboutJob::Op::kResult>},
    OpRow{"retry", ParseAboutJob<AboutJob::Op::kRetry>},
    OpRow{"status", ParseAboutJob<AboutJob::Op::kStatus>},
    OpRow{"submit", ParseSubmit},
};

}  // namespace

absl::StatusOr<JobsQuestion> ParseJobsQuestion(std::string_view body) {
  ASSIGN_OR_RETURN(const Json json, ParseObject(body, "a question to llm_jobs"));
  const std::string op = StringOr(json, "op");
  std::vector<std::string_view> known;
  for (const OpRow& row : kOps) {
    if (row.name == op) return row.parse(json);
    known.push_back(row.name);
  }
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("op is \"{}\": there are {}", op.substr(0, 64), fmt::join(known, ", ")));
}

}  // namespace llm_router::contract
