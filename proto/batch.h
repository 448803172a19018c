// Batches: many jobs with one progress, on `llm_jobs` like jobs (job.h).
//
// A batch is created, filled by appending lines, sealed (only then does it run, and only if every line is
// valid), and read while it runs. States, counts and errors are named as OpenAI's Batch API names them.
// Values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/base/tags.h"
#include "proto/json_fields.h"

namespace llm_router::contract {

inline constexpr int64_t kMostBatchLines = 50'000;
inline constexpr int64_t kMostBatchBytes = int64_t{200} * 1024 * 1024;
// Of one append; more only where a single line is longer.
inline constexpr size_t kMostAppendBytes = size_t{512} * 1024;
inline constexpr int64_t kMostBatchErrorsListed = 100;

enum class BatchState {
  kValidating,  // lines are being appended
  kFailed,      // sealed with bad lines: nothing of it ran
  kInProgress,
  kFinalizing,
  kCompleted,
  kExpired,
  kCancelling,  // its running lines are being aborted
  kCancelled,
};
std::string_view NameOf(BatchState state);
std::optional<BatchState> BatchStateNamed(std::string_view name);
bool IsFinal(BatchState state);

// What lines are: objects {custom_id, method, url, body}, or prompts for one route.
enum class BatchFormat { kOpenAi, kText };
std::string_view NameOf(BatchFormat format);

struct BatchError {
  BatchError() = default;

  std::string code;  // invalid_json, duplicate_custom_id, unknown_model, ...
  std::string message;
  std::string param;  // the field; empty: the line as a whole
  int64_t line = 0;   // from 1; 0 = the batch as a whole
};

struct RequestCounts {
  int64_t total = 0;
  int64_t completed = 0;  // with a result
  int64_t failed = 0;     // without: failed, expired and cancelled ones
  int64_t running = 0;    // at a worker now
};

struct BatchOptions {
  BatchOptions() = default;

  BatchFormat format = BatchFormat::kOpenAi;
  std::string route;        // of text lines; of others: of those whose body names no model
  Tags tags;                // of text lines' queries: model, system, temperature, max-tokens
  int64_t batch_size = 0;   // lines handed to the workers at a time, at most; 0 = as many as keep them busy
  int64_t concurrency = 0;  // lines at work at a time, at most; 0 = no bound of its own
  int64_t completion_window = 24 * 60 * 60;  // seconds; what is not finished then has expired
  Tags metadata;                             // the caller's own, at most 16
  // A whole file (file.h) whose lines are the batch's: it is sealed then when `create` is answered.
  std::string input_file;
  std::string endpoint;             // the url that every line must have; empty: any
  std::vector<std::string> routes;  // those that lines may ask; empty: all
};

// What the lines of the format openai may ask, and in which dialect.
struct BatchUrl {
  std::string_view url;
  std::string_view dialect;
};
std::span<const BatchUrl> BatchUrls();

// A batch as its caller sees it. Times are Unix seconds, 0 = not (yet).
struct Batch {
  Batch() = default;

  std::string id;
  BatchState state = BatchState::kValidating;
  BatchOptions options;
  RequestCounts counts;
  int64_t bad_lines = 0;           // all of them
  std::vector<BatchError> errors;  // the first kMostBatchErrorsListed
  int64_t created_at = 0;
  int64_t in_progress_at = 0;
  int64_t expires_at = 0;
  int64_t finalizing_at = 0;
  int64_t completed_at = 0;
  int64_t failed_at = 0;
  int64_t expired_at = 0;
  int64_t cancelling_at = 0;
  int64_t cancelled_at = 0;
};
// Its members that are times and may be 0, by their names.
struct BatchTime {
  std::string_view name;
  int64_t Batch::* member;
};
std::span<const BatchTime> BatchTimes();
Json ToJsonValue(const Batch& batch);
std::string ToJson(const Batch& batch);
absl::StatusOr<Batch> ParseBatch(const Json& object);

// ---- questions ----

struct CreateBatch {
  CreateBatch() = default;

  std::string idempotency_key;  // the same of the same tenant is the same batch; empty: always another
  BatchOptions options;
};

// Whole lines, the first of which is number `first_line` (from 1). May be repeated: lines that are there
// already are passed over; a gap is refused, naming the line that comes next.
struct AppendLines {
  AppendLines() = default;

  std::string batch;
  int64_t first_line = 1;
  std::string data;  // UTF-8, each line ended by \n
};
struct Appended {
  int64_t next_line = 1;
  int64_t bad_lines = 0;  // so far
};

struct AboutBatch {
  enum class Op { kSeal, kStatus, kCancel };
  AboutBatch() = default;
  AboutBatch(Op wanted, std::string which) : op(wanted), batch(std::move(which)) {}

  Op op = Op::kStatus;
  std::string batch;
};

// Finished lines in the order they finished; readable before the end.
struct ReadLines {
  enum class Which { kAll, kCompleted, kFailed };
  ReadLines() = default;

  std::string batch;
  Which which = Which::kAll;
  int64_t after = 0;  // LinePage::next of the page before
  int64_t limit = 1000;
};
// `lines` are rows of an OpenAI output or error file, JSON without a newline. A page has about 1 MB at most.
struct LinePage {
  LinePage() = default;

  std::vector<std::string> lines;
  int64_t next = 0;
  bool has_more = false;  // now; a batch that is not over may have more later
};

// Every bad line, in order.
struct ReadErrors {
  ReadErrors() = default;

  std::string batch;
  int64_t after = 0;  // the last line of the page before
  int64_t limit = 1000;
};
struct ErrorPage {
  ErrorPage() = default;

  std::vector<BatchError> errors;
  bool has_more = false;
};

struct ListBatches {
  ListBatches() = default;

  std::string after;  // a batch's id; empty: from the newest on
  int64_t limit = 20;
};
struct BatchPage {
  BatchPage() = default;

  std::vector<Batch> batches;
  bool has_more = false;
};

std::string ToJson(const CreateBatch& ask);
std::string ToJson(const AppendLines& ask);
std::string ToJson(const AboutBatch& ask);
std::string ToJson(const ReadLines& ask);
std::string ToJson(const ReadErrors& ask);
std::string ToJson(const ListBatches& ask);

std::string ToJson(const Appended& answer);
std::string ToJson(const LinePage& page);
std::string ToJson(const ErrorPage& page);
std::string ToJson(const BatchPage& page);
absl::StatusOr<Appended> ParseAppended(std::string_view body);
absl::StatusOr<LinePage> ParseLinePage(std::string_view body);
absl::StatusOr<ErrorPage> ParseErrorPage(std::string_view body);
absl::StatusOr<BatchPage> ParseBatchPage(std::string_view body);

}  // namespace llm_router::contract
