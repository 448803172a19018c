// The journal's two questions, on `llm_journal`: a worker asks `begin` before it runs a job and `finish`
// after.
//
// Each may be repeated: the answer to the same run is the same. Values and pure functions; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/tags.h"
#include "proto/job.h"

namespace llm_router::contract {

// What lies in <route>_jobs without the tag `job`: a client of another make put it there.
struct ForeignMessage {
  ForeignMessage() = default;

  std::string id;       // its sender's
  int64_t sent_at = 0;  // Unix ns; with the id and the tenant it tells the same message from a new one
  std::string body;
  Tags tags;  // `tenant` among them
};

// May this run of the job start? A foreign message comes whole, and the journal takes it over.
struct Begin {
  Begin() = default;

  std::string job;     // empty: `message` is there
  std::string run;     // chosen by the worker, unique
  std::string worker;  // as in its heartbeats
  std::string route;

  std::optional<ForeignMessage> message;
};

enum class BeginVerdict {
  kGo,
  kUnknown,      // no job of that id: who put the message there named it; begin again with the message
  kAdopted,      // the foreign message is a job now and comes again as one: acknowledge it
  kDone,         // it has its result: acknowledge
  kBusy,         // another run lives: nack, with `wait`
  kCancelled,    // acknowledge
  kInterrupted,  // at_most_once, and its run died: it failed; acknowledge
  kExhausted,    // it used up its runs: it failed; acknowledge
};
std::string_view NameOf(BeginVerdict verdict);

struct Begun {
  Begun() = default;
  explicit Begun(BeginVerdict given) : verdict(given) {}

  BeginVerdict verdict = BeginVerdict::kGo;
  std::chrono::milliseconds wait{0};  // before it is worth asking again
};

enum class Outcome {
  kResult,  // `reply` is the job's
  kFailed,  // `reply` says how; another run is the journal's to decide
  kAgain,   // the provider is busy: uses up no run; the worker nacks with delay
};
std::string_view NameOf(Outcome outcome);

struct Finish {
  Finish() = default;

  std::string job;
  std::string run;
  Outcome outcome = Outcome::kResult;
  JobReply reply;
  absl::Status failure;  // of kFailed and kAgain
};

enum class FinishVerdict {
  kKept,   // on disk
  kStale,  // another run superseded this one, or it was cancelled: its outcome was dropped
};
std::string_view NameOf(FinishVerdict verdict);

std::string ToJson(const Begin& begin);
std::string ToJson(const Begun& begun);
std::string ToJson(const Finish& finish);
std::string ToJson(FinishVerdict verdict);

// Each reads what ToJson wrote; fault invalid_request naming what is missing.
absl::StatusOr<std::variant<Begin, Finish>> ParseJournalQuestion(std::string_view body);
absl::StatusOr<Begun> ParseBegun(std::string_view body);
absl::StatusOr<FinishVerdict> ParseFinishVerdict(std::string_view body);

}  // namespace llm_router::contract
