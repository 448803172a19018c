// Connection: the gRPC channel to one KubeMQ server, its unary calls as coroutines, and what is known of the
// server.
//
// Owned by the broker of kubemq_broker.h, borrowed by its subscriptions. Loop thread only: gRPC's threads
// just post here. `co_await Stop()` before destruction; it fails what waits with shutting_down and returns
// when gRPC holds nothing of ours.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/kubemq/in_flight.h"
#include "broker_adapters/kubemq/kubemq_broker.h"
#include "kubemq.grpc.pb.h"
#include "queues.grpc.pb.h"
#include "workers.grpc.pb.h"

namespace llm_router {

// Shared by who waits for the answer and by gRPC, which may outlast a cancelled waiter.
template <class Question, class Answer>
struct UnaryCall {
  explicit UnaryCall(Executor executor) : done(executor) {}

  grpc::ClientContext context;
  Question question;
  Answer answer;
  OneShot<grpc::Status> done;
};

class Connection {
 public:
  Connection(Executor executor, KubemqOptions options);

  using Async = kubemq::kubemq::StubInterface::async_interface;
  template <class Question, class Answer>
  using Method = void (Async::*)(grpc::ClientContext*, const Question*, Answer*,
                                 std::function<void(grpc::Status)>);

  // The same of another service.
  template <class Service, class Question, class Answer>
  using MethodOf = void (Service::*)(grpc::ClientContext*, const Question*, Answer*,
                                     std::function<void(grpc::Status)>);

  // Starts a call; `call->done` is set when it ended.
  template <class Question, class Answer>
  void Start(std::shared_ptr<UnaryCall<Question, Answer>> call, Method<Question, Answer> method) {
    StartOn<Async>(*stub_->async(), std::move(call), method);
  }
  template <class Service, class Question, class Answer>
  void StartOn(Service& service, std::shared_ptr<UnaryCall<Question, Answer>> call,
               MethodOf<Service, Question, Answer> method) {
    Begin(call->context);
    UnaryCall<Question, Answer>* const raw = call.get();
    (service.*method)(&raw->context, &raw->question, &raw->answer,
                      [this, held = std::move(call)](grpc::Status status) mutable {
                        boost::asio::post(executor_, [this, ended = std::move(held),
                                                      outcome = std::move(status)]() mutable {
                          End(ended->context);
                          ended->done.Set(std::move(outcome));
                        });
                      });
  }

  // Starts a call and waits for its end; a cancelled coroutine cancels the call.
  template <class Question, class Answer>
  Awaitable<grpc::Status> Call(std::shared_ptr<UnaryCall<Question, Answer>> call,
                               Method<Question, Answer> method) {
    return CallOn<Async>(*stub_->async(), std::move(call), method);
  }
  template <class Service, class Question, class Answer>
  Awaitable<grpc::Status> CallOn(Service& service, std::shared_ptr<UnaryCall<Question, Answer>> call,
                                 MethodOf<Service, Question, Answer> method) {
    if (stopping_) co_return grpc::Status(grpc::StatusCode::CANCELLED, "");
    StartOn(service, call, method);
    auto status = co_await call->done.Wait(TimePoint::max());
    if (!status) call->context.TryCancel();
    co_return status ? *std::move(status) : grpc::Status(grpc::StatusCode::CANCELLED, "");
  }

  // Whether the server bears our door's mark: asked anew after Forget(). Unavailable when it can't be
  // reached. Who calls while it is being asked goes on in the order of the calls.
  Awaitable<absl::StatusOr<bool>> Marked();
  void Forget() { known_ = false; }
  // Of our key, once Marked() has answered.
  const std::string& tenant() const { return tenant_; }

  // What went wrong at the server's end, as a Fault.
  absl::Status ToFault(const grpc::Status& status) const;
  // What every verb fails with once stopping().
  absl::Status ShuttingDown() const;
  // Whether the body is within the limit.
  absl::Status CheckBody(const Message& message) const;

  kubemq::kubemq::Stub& stub() { return *stub_; }
  // Of a server that bears our mark.
  wire::Workers::Stub& workers() { return *workers_; }
  using QueuesAsync = wire::Queues::StubInterface::async_interface;
  QueuesAsync& queues() { return *queues_->async(); }
  // Gives a call that is about to start the key, and keeps account of it until End.
  void Begin(grpc::ClientContext& call);
  void End(grpc::ClientContext& call) { in_flight_.Remove(&call); }
  TaskGroup& tasks() { return tasks_; }
  Executor executor() const { return executor_; }
  const KubemqOptions& options() const { return options_; }
  const Caps& caps() const { return caps_; }
  bool stopping() const { return stopping_; }

  void BeginStop() { stopping_ = true; }
  Awaitable<void> Stop();

 private:
  // One Ping, and who waits for it.
  struct Asking {
    std::deque<Timer*> waiters;
    std::optional<absl::StatusOr<bool>> answer;
  };
  Awaitable<void> Ask(std::shared_ptr<Asking> asking);
  Awaitable<absl::StatusOr<bool>> Ping();
  std::string KeyRefused(std::string_view text) const;

  Executor executor_;
  KubemqOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<kubemq::kubemq::Stub> stub_;
  std::unique_ptr<wire::Workers::Stub> workers_;
  std::unique_ptr<wire::Queues::Stub> queues_;
  InFlight in_flight_;
  TaskGroup tasks_;
  Caps caps_;
  std::shared_ptr<Asking> asking_;  // shared with its coroutine and who waits; null: none is under way
  bool known_ = false;
  bool marked_ = false;
  std::string tenant_;
  bool stopping_ = false;
};

// The deadline of a gRPC call, on gRPC's clock; at most 30 days from now, so that nothing overflows.
inline std::chrono::system_clock::time_point OnSystemClock(TimePoint when) {
  using Duration = std::chrono::system_clock::duration;
  const auto left = std::min<TimePoint::duration>(when - Now(), std::chrono::hours(24 * 30));
  return std::chrono::system_clock::now() + std::chrono::duration_cast<Duration>(left);
}

}  // namespace llm_router
