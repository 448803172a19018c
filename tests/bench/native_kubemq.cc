#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <future>
#include <latch>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "proto/kubemq_queue_text.h"
#include "tests/bench/engine_way.h"
#include "tests/bench/stub_load.h"
#include "tests/bench/window.h"

namespace llm_router::bench {
namespace {

using Stub = kubemq::kubemq::Stub;

constexpr const char* kClient = "bench-native";
constexpr int kWaitMs = 30'000;

// Answers each query of a channel with its own body, as long as it lives.
class Responder final : public grpc::ClientReadReactor<kubemq::Request> {
 public:
  Responder(Stub& stub, const std::string& channel) : stub_(stub) {
    subscribe_.set_subscribetypedata(kubemq::Subscribe::Queries);
    subscribe_.set_clientid(kClient);
    subscribe_.set_channel(channel);
    stub_.async()->SubscribeToRequests(&context_, &subscribe_, this);
    StartRead(&request_);
    StartCall();
    if (!in_force_.get_future().get()) Fail("SubscribeToRequests", "the server refuses it");
  }
  ~Responder() override {
    context_.TryCancel();
    over_.get_future().wait();
  }

 private:
  struct Answer {
    grpc::ClientContext context;
    kubemq::Response response;
    kubemq::Empty nothing;
  };

  void OnReadInitialMetadataDone(bool ok) override { in_force_.set_value(ok); }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    // Shared by its own callback alone, which std::function wants to copy.
    const auto answer = std::make_shared<Answer>();
    answer->response.set_clientid(kClient);
    answer->response.set_requestid(request_.requestid());
    answer->response.set_replychannel(request_.replychannel());
    answer->response.set_body(std::move(*request_.mutable_body()));
    answer->response.set_executed(true);
    stub_.async()->SendResponse(&answer->context, &answer->response, &answer->nothing,
                                [answer](const grpc::Status& status) {
                                  if (!status.ok()) Fail("SendResponse", status.error_message());
                                });
    StartRead(&request_);
  }
  void OnDone(const grpc::Status& /*status*/) override { over_.set_value(); }

  Stub& stub_;
  grpc::ClientContext context_;
  kubemq::Subscribe subscribe_;
  kubemq::Request request_;
  std::promise<bool> in_force_;
  std::promise<void> over_;
};

// A stream of questions, each asked when the one before it was answered.
template <class Question, class Answer>
class Stream final : public grpc::ClientBidiReactor<Question, Answer> {
 public:
  // `open` hands the context and this reactor to a method of the stub.
  template <class Open>
  Stream(Open open, std::function<void(const Answer&)> then) : then_(std::move(then)) {
    open(&context_, this);
    this->AddHold();
    this->StartCall();
  }
  ~Stream() override {
    context_.TryCancel();
    this->RemoveHold();
    over_.get_future().wait();
  }

  // `question` stays as it is until `then`.
  void Ask(const Question& question) {
    parts_ = 2;
    this->StartWrite(&question);
    this->StartRead(&answer_);
  }

 private:
  void OnWriteDone(bool ok) override { Part(ok); }
  void OnReadDone(bool ok) override { Part(ok); }
  void OnDone(const grpc::Status& /*status*/) override { over_.set_value(); }

  void Part(bool ok) {
    if (!ok) Fail("a stream of queue messages", "the server ended it");
    if (--parts_ == 0) then_(answer_);
  }

  const std::function<void(const Answer&)> then_;
  grpc::ClientContext context_;
  Answer answer_;
  std::atomic<int> parts_{0};
  std::promise<void> over_;
};

using Upstream = Stream<kubemq::QueuesUpstreamRequest, kubemq::QueuesUpstreamResponse>;
using Downstream = Stream<kubemq::QueuesDownstreamRequest, kubemq::QueuesDownstreamResponse>;

// One message after the other into the queue and out of it, over two streams of its own.
class QueueLoop {
 public:
  QueueLoop(Stub& stub, const Plan& plan, const Window& window, std::latch& ended)
      : window_(window),
        ended_(ended),
        up_([&](auto* context, auto* reactor) { stub.async()->QueuesUpstream(context, reactor); },
            [this](const auto& answer) { Sent(answer); }),
        down_([&](auto* context, auto* reactor) { stub.async()->QueuesDownstream(context, reactor); },
              [this](const auto& answer) { Told(answer); }) {
    send_.set_requestid("send");
    auto* message = send_.add_messages();
    message->set_clientid(kClient);
    message->set_channel(plan.channel);
    message->set_body(std::string(plan.body, 'x'));
    get_.set_requestid("get");
    get_.set_clientid(kClient);
    get_.set_requesttypedata(kubemq::Get);
    get_.set_channel(plan.channel);
    get_.set_maxitems(1);
    get_.set_waittimeout(kWaitMs);
    ack_.set_requestid("ack");
    ack_.set_clientid(kClient);
    ack_.set_requesttypedata(kubemq::AckAll);
    // Else nothing would come back, and a round would end before its message is gone.
    (*ack_.mutable_metadata())[std::string(kubemq_text::kConfirm)] = kubemq_text::kYes;
  }

  void Next() {
    if (!window_.is_open()) {
      ended_.count_down();
      return;
    }
    start_ = Now();
    send_.mutable_messages(0)->set_messageid(NewId());
    up_.Ask(send_);
  }

  const std::vector<double>& micros() const { return micros_; }

 private:
  void Sent(const kubemq::QueuesUpstreamResponse& answer) {
    if (answer.iserror() || answer.results_size() != 1 || answer.results(0).iserror())
      Fail("QueuesUpstream", answer.ShortDebugString());
    down_.Ask(get_);
  }
  void Told(const kubemq::QueuesDownstreamResponse& answer) {
    if (answer.iserror()) Fail("QueuesDownstream", answer.error());
    if (answer.requesttypedata() == kubemq::Get) {
      if (answer.messages_size() != 1) Fail("QueuesDownstream", "no message came");
      ack_.set_reftransactionid(answer.transactionid());
      down_.Ask(ack_);
      return;
    }
    window_.Count(start_, micros_);
    Next();
  }

  const Window& window_;
  std::latch& ended_;
  kubemq::QueuesUpstreamRequest send_;
  kubemq::QueuesDownstreamRequest get_, ack_;
  std::vector<double> micros_;
  TimePoint start_;
  Upstream up_;
  Downstream down_;
};

class Native final : public EngineWay {
 public:
  explicit Native(const std::string& address)
      : stub_(kubemq::kubemq::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {}

  std::vector<double> Requests(const Plan& plan) override {
    const Plan ours = On("bench.native.echo", plan);
    const Responder responder(*stub_, ours.channel);
    StubLoad load = AskByStub(*stub_, ours);
    if (load.failed > 0) Fail("SendRequest", load.first_failure);
    return std::move(load.micros);
  }

  std::vector<double> Queue(const Plan& plan) override {
    const Plan ours = On("bench.native.queue", plan);
    const Window window(ours);
    std::latch ended(ours.in_flight);
    std::vector<std::unique_ptr<QueueLoop>> loops;
    for (int i = 0; i < ours.in_flight; ++i) {
      loops.push_back(std::make_unique<QueueLoop>(*stub_, ours, window, ended));
      loops.back()->Next();
    }
    ended.wait();
    std::vector<double> micros;
    for (const auto& loop : loops) micros.insert(micros.end(), loop->micros().begin(), loop->micros().end());
    return micros;
  }

 private:
  static Plan On(const std::string& channel, Plan plan) {
    plan.channel = channel;
    return plan;
  }

  const std::unique_ptr<Stub> stub_;
};

}  // namespace

std::unique_ptr<EngineWay> NativeKubemq(const std::string& address) {
  return std::make_unique<Native>(address);
}

}  // namespace llm_router::bench
