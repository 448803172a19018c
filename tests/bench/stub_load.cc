#include "tests/bench/stub_load.h"

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "tests/bench/window.h"

namespace llm_router::bench {
namespace {

// What all calls share. Callbacks come on gRPC's threads.
struct Totals {
  explicit Totals(const Plan& plan) : window(plan), running(plan.in_flight) {}

  const Window window;
  std::mutex mutex;
  std::condition_variable ended;
  StubLoad load;
  int running;
};

class Caller {
 public:
  Caller(kubemq::kubemq::Stub& stub, const Plan& plan, const char* key, Totals& totals)
      : stub_(stub), key_(key), totals_(totals) {
    request_.set_clientid("bench");
    request_.set_requesttypedata(kubemq::Request::Query);
    request_.set_channel(plan.channel);
    request_.set_timeout(30'000);
    request_.set_body(std::string(plan.body, 'x'));
  }

  void Ask() {
    context_ = std::make_unique<grpc::ClientContext>();
    if (key_ != nullptr) context_->AddMetadata("authorization", key_);
    asked_ = Now();
    stub_.async()->SendRequest(context_.get(), &request_, &response_,
                               [this](grpc::Status status) { Answered(status); });
  }

 private:
  void Answered(const grpc::Status& status) {
    const bool good = status.ok() && response_.executed();
    {
      const std::lock_guard lock(totals_.mutex);
      StubLoad& load = totals_.load;
      if (good) {
        totals_.window.Count(asked_, load.micros);
      } else {
        ++load.failed;
        if (load.first_failure.empty())
          load.first_failure = status.ok() ? response_.error() : status.error_message();
      }
      if (!totals_.window.is_open() || !good) {
        --totals_.running;
        totals_.ended.notify_all();
        return;
      }
    }
    Ask();
  }

  kubemq::kubemq::Stub& stub_;
  const char* const key_;
  Totals& totals_;
  kubemq::Request request_;
  kubemq::Response response_;
  std::unique_ptr<grpc::ClientContext> context_;
  TimePoint asked_;
};

}  // namespace

StubLoad AskByStub(kubemq::kubemq::Stub& stub, const Plan& plan, const char* key) {
  Totals totals(plan);
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < plan.in_flight; ++i) {
    callers.push_back(std::make_unique<Caller>(stub, plan, key, totals));
    callers.back()->Ask();
  }
  std::unique_lock lock(totals.mutex);
  totals.ended.wait(lock, [&] { return totals.running == 0; });
  return std::move(totals.load);
}

}  // namespace llm_router::bench
