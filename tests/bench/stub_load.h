// A closed loop of KubeMQ queries by the generated stub, without anything of ours.
//
// Blocks; any thread.
#pragma once

#include <string>
#include <vector>

#include "kubemq.grpc.pb.h"
#include "tests/bench/load_report.h"

namespace llm_router::bench {

struct StubLoad {
  std::vector<double> micros;  // of each query that was asked and answered after the warm-up
  long failed = 0;             // each ends one of the loops
  std::string first_failure;
};

// Of `plan`, the address is the stub's. `key`: sent with each query; null: none is.
StubLoad AskByStub(kubemq::kubemq::Stub& stub, const Plan& plan, const char* key = nullptr);

}  // namespace llm_router::bench
