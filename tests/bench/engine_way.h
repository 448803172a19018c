// EngineWay: one way to an engine, by our adapter or by a client of the engine's own, and what is measured on
// it alike.
//
// Made, used and destroyed on the main thread, which it blocks; threads of its own do the work. A failure
// ends the program: a figure with failures in it is none.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/load_report.h"

namespace llm_router::bench {

class EngineWay {
 public:
  virtual ~EngineWay() = default;

  // `plan.in_flight` closed loops; microseconds of each round of one. Of `plan`, address and channel are the
  // way's own.
  // A query, and the reply of who echoes it in this process.
  virtual std::vector<double> Requests(const Plan& plan) = 0;
  // A message into a queue, acknowledged; one out of it, and its acknowledgement, confirmed.
  virtual std::vector<double> Queue(const Plan& plan) = 0;
};

// What is in memory has no client of another's: a query over the wire to the bare gRPC echo at `echo`, and
// rows of one SQLite table in `folder`, put in and removed in synced transactions of as many as are in
// flight.
std::unique_ptr<EngineWay> NativeEmbedded(const std::string& echo, const std::string& folder);
// By the generated stub, against any KubeMQ server of ours.
std::unique_ptr<EngineWay> NativeKubemq(const std::string& address);
// By libnats, a thread for each that is in flight, since its calls block; only in a build that has it.
std::unique_ptr<EngineWay> NativeNats(const std::string& url);

[[noreturn]] inline void Fail(const std::string& what, const std::string& why) {
  std::fprintf(stderr, "bench_engines: %s: %s\n", what.c_str(), why.c_str());
  std::_Exit(1);  // from any thread
}

}  // namespace llm_router::bench
