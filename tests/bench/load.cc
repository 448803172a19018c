// A closed loop of KubeMQ queries against one address: N in flight for a while after a warm-up. Prints one
// JSON line.
//
//   [BENCH_KEY=KEY] bench_load ADDRESS CHANNEL IN_FLIGHT WARMUP_SECONDS SECONDS [BODY_BYTES]
#include <grpcpp/grpcpp.h>

#include <cstdlib>

#include "tests/bench/stub_load.h"

int main(int argc, char** argv) {
  const llm_router::bench::Plan plan = llm_router::bench::PlanOf(argc, argv);
  const auto stub =
      kubemq::kubemq::NewStub(grpc::CreateChannel(plan.address, grpc::InsecureChannelCredentials()));
  auto load = llm_router::bench::AskByStub(*stub, plan, std::getenv("BENCH_KEY"));
  llm_router::bench::Print(plan, load.micros, load.failed, load.first_failure);
  return load.failed == 0 ? 0 : 1;
}
