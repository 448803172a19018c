// A closed loop of KubeMQ queries against one address: N in flight for a while after a warm-up. Prints one
// JSON line.
//
//   [BENCH_KEY=KEY] bench_load ADDRESS CHANNEL IN_FLIGHT WARMUP_SECONDS SECONDS [BODY_BYTES]
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kubemq.grpc.pb.h"
#include "tests/bench/load_report.h"

namespace {

using Clock = std::chrono::steady_clock;

using llm_router::bench::Plan;

// What all calls share. Callbacks come on gRPC's threads.
struct Totals {
  std::mutex mutex;
  std::condition_variable ended;
  std::vector<double> micros;
  int running = 0;
  long failed = 0;
  std::string first_failure;
};

class Caller {
 public:
  Caller(kubemq::kubemq::Stub& stub, const Plan& plan, Totals& totals, Clock::time_point begin,
         Clock::time_point end)
      : stub_(stub), totals_(totals), begin_(begin), end_(end) {
    request_.set_clientid("bench");
    request_.set_requesttypedata(kubemq::Request::Query);
    request_.set_channel(plan.channel);
    request_.set_timeout(30'000);
    request_.set_body(std::string(plan.body, 'x'));
  }

  void Ask() {
    context_ = std::make_unique<grpc::ClientContext>();
    if (key_ != nullptr) context_->AddMetadata("authorization", key_);
    asked_ = Clock::now();
    stub_.async()->SendRequest(context_.get(), &request_, &response_,
                               [this](grpc::Status status) { Answered(status); });
  }

 private:
  void Answered(const grpc::Status& status) {
    const auto now = Clock::now();
    const bool good = status.ok() && response_.executed();
    {
      const std::lock_guard lock(totals_.mutex);
      if (!good) {
        ++totals_.failed;
        if (totals_.first_failure.empty())
          totals_.first_failure = status.ok() ? response_.error() : status.error_message();
      } else if (asked_ >= begin_ && now <= end_) {
        totals_.micros.push_back(std::chrono::duration<double, std::micro>(now - asked_).count());
      }
      if (now >= end_ || !good) {
        --totals_.running;
        totals_.ended.notify_all();
        return;
      }
    }
    Ask();
  }

  kubemq::kubemq::Stub& stub_;
  Totals& totals_;
  const Clock::time_point begin_, end_;
  const char* const key_ = std::getenv("BENCH_KEY");  // null: none is sent
  kubemq::Request request_;
  kubemq::Response response_;
  std::unique_ptr<grpc::ClientContext> context_;
  Clock::time_point asked_;
};

}  // namespace

int main(int argc, char** argv) {
  const Plan plan = llm_router::bench::PlanOf(argc, argv);
  const auto channel = grpc::CreateChannel(plan.address, grpc::InsecureChannelCredentials());
  const auto stub = kubemq::kubemq::NewStub(channel);
  const auto seconds = [](double count) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
  };
  Totals totals;
  const auto begin = Clock::now() + seconds(plan.warmup);
  const auto end = begin + seconds(plan.seconds);
  totals.running = plan.in_flight;
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < plan.in_flight; ++i) {
    callers.push_back(std::make_unique<Caller>(*stub, plan, totals, begin, end));
    callers.back()->Ask();
  }
  std::unique_lock lock(totals.mutex);
  totals.ended.wait(lock, [&] { return totals.running == 0; });
  llm_router::bench::Print(plan, totals.micros, totals.failed, totals.first_failure);
  return totals.failed == 0 ? 0 : 1;
}
