// Batch: many jobs with one progress.
//
//   auto batch = client.SubmitBatch("questions.jsonl");      // OpenAI's Batch format; on disk now
//   if (batch.ok() && batch->Wait().ok()) batch->Results(std::cout);
//
// The input is JSON Lines, {"custom_id", "method", "url", "body"} each, as OpenAI's Batch API has it, with
// any mix of routes and models; or plain text, a prompt a line; or prompts in memory. A handle is small, may
// be dropped (the batch goes on; Client::FindBatch finds it again), and uses the connection of its Client, as
// a Job does. Any thread. Every call may be repeated; a server that restarts in the middle is waited for, at
// most Options::timeout. C++17, standard library only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/canceller.h"
#include "client/question.h"
#include "client/result.h"

namespace llm_router::client {

class JobsLink;

inline constexpr std::int64_t kMostLinesOfABatch = 50'000;
inline constexpr std::int64_t kMostBytesOfABatch = std::int64_t{200} * 1024 * 1024;

enum class BatchState {
  kValidating,  // its lines are coming in
  kFailed,      // it had bad lines: nothing of it ran
  kInProgress,
  kFinalizing,
  kCompleted,
  kExpired,
  kCancelling,
  kCancelled,
};
// "in_progress" for kInProgress, and so on. Lives as long as the process.
std::string_view NameOf(BatchState state);
bool IsFinal(BatchState state);

// What is wrong with a line of the input.
struct BadLine {
  std::int64_t line = 0;  // from 1; 0: the batch as a whole
  std::string code;       // invalid_json, duplicate_custom_id, ...
  std::string message;
  std::string param;  // the field; empty: the line as a whole
};

struct BatchOptions {
  bool text = false;   // each line is a prompt for `route`, not JSON
  std::string route;   // empty: Options::route. Of JSON lines: where their model names no route
  std::string model;   // of prompts: one that the route lists; empty: its first
  std::string system;  // of prompts
  std::optional<double> temperature;       // of prompts, 0 to 2
  std::optional<std::int64_t> max_tokens;  // of prompts, above 0
  std::size_t batch_size = 0;   // lines handed to the workers at a time, at most; 0: what keeps them busy
  std::size_t concurrency = 0;  // lines at work at a time, at most; 0: what the routes allow
  std::chrono::seconds completion_window{24 * 60 *
                                         60};   // what is not finished then has expired; at most a week
  std::map<std::string, std::string> metadata;  // yours, at most 16
  // Called with every bad line, in order, before SubmitBatch returns its error.
  std::function<void(const BadLine&)> on_bad_line;
  // Called as the input is taken over: how many of its lines the server has.
  std::function<void(std::int64_t lines)> on_upload;
  // Used before SubmitBatch returned: nothing of the batch runs.
  Canceller canceller;
};

// Times are Unix seconds, 0: not (yet).
struct BatchStatus {
  std::string id;
  BatchState state = BatchState::kValidating;
  std::int64_t total = 0;      // lines
  std::int64_t completed = 0;  // with a result
  std::int64_t failed = 0;     // without: failed, expired and cancelled ones
  std::int64_t running = 0;    // at a worker now
  std::int64_t bad_lines = 0;
  bool text = false;
  std::string route;
  std::size_t batch_size = 0;
  std::size_t concurrency = 0;
  std::map<std::string, std::string> metadata;
  std::int64_t created_at = 0;
  std::int64_t in_progress_at = 0;
  std::int64_t expires_at = 0;
  std::int64_t finalizing_at = 0;
  std::int64_t completed_at = 0;
  std::int64_t failed_at = 0;
  std::int64_t expired_at = 0;
  std::int64_t cancelling_at = 0;
  std::int64_t cancelled_at = 0;

  std::int64_t done() const { return completed + failed; }
};

struct BatchWait {
  std::optional<std::chrono::milliseconds> timeout;  // empty: until it is over
  Canceller canceller;                               // ends the wait; the batch goes on
  // Called whenever it got further, and once at the start, on the thread that waits. What it throws leaves
  // Wait.
  std::function<void(const BatchStatus&)> on_progress;
};

enum class Lines { kAll, kCompleted, kFailed };

// One finished line.
struct BatchResult {
  std::string custom_id;  // prompts in memory: "1", "2", ...
  Result<Answer> answer;
  std::string row;  // of OpenAI's output or error file, JSON
};

class Batch {
 public:
  // Made by Client::SubmitBatch and Client::FindBatch.
  Batch(std::string id, std::shared_ptr<JobsLink> link);

  const std::string& id() const { return id_; }

  // The counts are exact.
  Result<BatchStatus> Progress() const;
  // Waits for its end, however it ends: look at the state. kTimeout where the wait is over first.
  Result<BatchStatus> Wait(const BatchWait& wait = {}) const;

  // The lines finished so far, in the order they finished, each once, page by page, on the calling thread:
  // as BatchResult, or as rows of OpenAI's output and error files. Gives how many there were.
  Result<std::int64_t> Results(const std::function<void(const BatchResult&)>& on_result,
                               Lines which = Lines::kAll) const;
  Result<std::int64_t> Results(std::ostream& rows, Lines which = Lines::kAll) const;
  // Every bad line of the input, in order. Gives how many there were.
  Result<std::int64_t> Errors(const std::function<void(const BadLine&)>& on_bad_line) const;

  // Its queued lines never run, its running ones are aborted; what is finished stays readable.
  Result<BatchStatus> Cancel() const;

 private:
  std::string id_;
  std::shared_ptr<JobsLink> link_;
};

}  // namespace llm_router::client
