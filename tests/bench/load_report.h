// What a closed loop of queries is told to do, and the one JSON line it prints.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace llm_router::bench {

struct Plan {
  std::string address, channel;
  int in_flight = 1;
  double warmup = 0, seconds = 1;
  size_t body = 100;  // bytes
};

// ADDRESS CHANNEL IN_FLIGHT WARMUP_SECONDS SECONDS [BODY_BYTES], or the way out.
inline Plan PlanOf(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: %s ADDRESS CHANNEL IN_FLIGHT WARMUP_SECONDS SECONDS [BODY_BYTES]\n",
                 argv[0]);
    std::exit(2);
  }
  Plan plan;
  plan.address = argv[1];
  plan.channel = argv[2];
  plan.in_flight = std::atoi(argv[3]);
  plan.warmup = std::atof(argv[4]);
  plan.seconds = std::atof(argv[5]);
  if (argc > 6) plan.body = static_cast<size_t>(std::atol(argv[6]));
  return plan;
}

// `micros`: of each query that was answered, sorted here.
inline void Print(const Plan& plan, std::vector<double>& micros, long failed,
                  const std::string& first_failure) {
  std::sort(micros.begin(), micros.end());
  const auto at = [&](double share) {
    return micros.empty() ? 0 : micros[static_cast<size_t>(share * static_cast<double>(micros.size() - 1))];
  };
  std::printf(
      R"({"in_flight": %d, "queries": %zu, "per_second": %.0f, "p50_us": %.0f, "p99_us": %.0f, "failed": %ld})"
      "\n",
      plan.in_flight, micros.size(), static_cast<double>(micros.size()) / plan.seconds, at(0.5), at(0.99),
      failed);
  if (failed > 0) std::fprintf(stderr, "bench: %s\n", first_failure.c_str());
}

}  // namespace llm_router::bench
