// RequestLog: the last requests that the simulator got, and counters over all of them, for tests to read.
//
// Owned by the Simulator; loop thread. Bounded by a number of requests and by bytes; a body longer than 64 KB
// is kept cut. Keys are kept as the first digits of their SHA-256.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "broker_adapters/base/clock.h"
#include "router/net/http_message.h"

namespace llm_router::simulate {

class RequestLog {
 public:
  using Id = uint64_t;

  explicit RequestLog(size_t most) : most_(most) {}

  Id Begin(HttpRequest request, std::string_view model, std::string_view fault);
  // That many pieces of its stream are sent by now.
  void Stream(Id id, size_t tokens);
  // `finished`: the answer, or the fault that was asked for, got out whole; else the client went away before.
  void End(Id id, int status, bool finished);
  void Clear();

  // {"requests": [{id, method, path, query, model, headers, body, body_bytes, fault, status, outcome:
  // "running" | "finished" | "aborted", started_ms (Unix), ended_ms (Unix; 0 while it runs), duration_ms,
  // streamed, tokens (sent so far, of a stream)}]}: the last `last`, oldest first.
  std::string RequestsJson(size_t last) const;
  // {total, finished, aborted, in_flight, peak_in_flight, by_path: {path: {total, finished, aborted}},
  // by_fault: {fault: n}, by_status: {status: n}, streams, tokens (of them)}
  std::string CountersJson() const;

 private:
  struct Entry {
    HttpRequest request;
    std::string model;
    std::string fault;
    size_t body_bytes = 0;
    int status = 0;
    std::string_view outcome = "running";
    int64_t started_ms = 0;
    TimePoint started;
    int64_t ended_ms = 0;
    int64_t duration_ms = 0;
    bool streamed = false;
    size_t tokens = 0;
  };
  struct Running {
    std::string path;
    bool streamed = false;
    size_t tokens = 0;
  };
  struct Tally {
    uint64_t total = 0;
    uint64_t finished = 0;
    uint64_t aborted = 0;
  };

  Entry* Find(Id id);
  void Trim();
  static size_t SizeOf(const Entry& entry);

  size_t most_;
  std::deque<Entry> entries_;
  Id first_ = 1;  // of entries_.front()
  size_t bytes_ = 0;

  Tally all_;
  uint64_t in_flight_ = 0;
  uint64_t peak_in_flight_ = 0;
  uint64_t epoch_first_ = 1;  // requests before it began before Clear() and count no more
  std::map<std::string, Tally, std::less<>> by_path_;
  std::map<std::string, uint64_t, std::less<>> by_fault_;
  std::map<int, uint64_t> by_status_;
  uint64_t streams_ = 0;
  uint64_t tokens_ = 0;
  std::map<Id, Running> running_;
};

}  // namespace llm_router::simulate
