// Control: what callers tell the workers about queries under way, on `llm_control` (all workers) or
// `llm_control.<worker>` (one). Cancel and Credit are events; Resume is a query to one worker, whose reply is
// the ordinary reply of the stream. They count for queries of their sender's own tenant. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"

namespace llm_router::contract {

struct Cancel {
  Cancel() = default;
  Cancel(std::string cancelled_query, int64_t deadline)
      : query(std::move(cancelled_query)), deadline_ms(deadline) {}
  std::string query;        // the `query` tag, stamped by the door
  int64_t deadline_ms = 0;  // Unix ms; after it the query is over anyhow
  bool gone = false;        // its caller went away: a stream that has begun goes on for its `linger`
};

// How far the reader of a stream is: the worker keeps at most a window ahead of it.
struct Credit {
  Credit() = default;
  Credit(std::string credited_query, int64_t last, std::string channel)
      : query(std::move(credited_query)), seq(last), stream_to(std::move(channel)) {}
  std::string query;
  int64_t seq = -1;       // the last chunk taken; -1: none yet
  std::string stream_to;  // the reader's channel; empty: the query's own
};

// Asks for a stream's chunks again from the one after `after`, and for those to come.
struct Resume {
  Resume() = default;
  std::string query;
  int64_t after = -1;
  std::string stream_to;
  std::string stream_tag;  // may be empty
};

using Control = std::variant<Cancel, Credit>;

std::string ToJson(const Cancel& cancel);
std::string ToJson(const Credit& credit);
std::string ToJson(const Resume& resume);
// Fault invalid_request saying what a control message, or a resume, looks like.
absl::StatusOr<Control> ParseControl(std::string_view body);
absl::StatusOr<Resume> ParseResume(std::string_view body);

// `stream.<tenant>.<id>`: where a client instance gets its chunks.
std::string StreamChannel(std::string_view tenant, std::string_view id);

// The most that a query may ask for as its `linger`.
inline constexpr std::chrono::milliseconds kLongestLinger{60'000};

// The metadata of the event, without a body, that a reader which resumes gets first.
inline constexpr std::string_view kResumed = "resumed";

// The workers keep at most this far ahead of a reader that gives credit.
inline constexpr int64_t kStreamWindow = 256;          // chunks
inline constexpr size_t kStreamWindowBytes = 1 << 20;  // of chunks

}  // namespace llm_router::contract
