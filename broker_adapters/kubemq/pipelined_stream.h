// PipelinedStream: one stream that carries many questions at once, each with a RequestID of its own; answers
// name the one they belong to and may come in any order. What QueuesUpstream and QueuesDownstream have in
// common.
//
// Shared by who asks, by its own coroutine, and by gRPC. Loop thread only, but for gRPC's reactions. When the
// stream breaks, all that waits fails with engine_unavailable (or what the server refused it with), and so
// does what is asked later: open another.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/kubemq/outbox.h"
#include "broker_adapters/kubemq/stream_reader.h"
#include "proto/fault.h"

namespace llm_router {

template <class Question, class Answer>
class PipelinedStream final : public StreamReader<grpc::ClientBidiReactor<Question, Answer>, Answer> {
 public:
  using Reactor = grpc::ClientBidiReactor<Question, Answer>;
  using Promise = OneShot<absl::StatusOr<Answer>>;

  // A question under way. Its promise is shared with the stream, which may break when nobody waits any more.
  struct Asked {
    Asked(std::string with, std::shared_ptr<Promise> its_answer)
        : id(std::move(with)), answer(std::move(its_answer)) {}
    std::string id;
    std::shared_ptr<Promise> answer;
  };
  // What comes without having been asked for, or too late.
  using Stray = std::function<void(PipelinedStream& stream, Answer answer)>;

  PipelinedStream(Connection& connection, Stray stray)
      : StreamReader<Reactor, Answer>(connection),
        connection_(connection),
        stray_(std::move(stray)),
        outbox_([this](const Question* question, grpc::WriteOptions options) {
          this->StartWrite(question, options);
        }) {}

  // `open` hands the context and this reactor to a method of the stub.
  template <class Open>
  void Begin(Open open) {
    this->Start([&](grpc::ClientContext* context) {
      open(context, static_cast<Reactor*>(this));
      // A hold of its own, for writes are started from the loop too.
      this->AddHold();
    });
    connection_.tasks().Spawn(Run(std::static_pointer_cast<PipelinedStream>(this->shared_from_this())));
  }

  Asked Ask(Question question) {
    Asked asked(std::to_string(next_++), std::make_shared<Promise>(connection_.executor()));
    if (failure_) {
      asked.answer->Set(*failure_);
      return asked;
    }
    pending_.emplace(asked.id, asked.answer);
    question.set_requestid(asked.id);
    Push(std::move(question));
    return asked;
  }
  // Nothing when the coroutine was cancelled or the deadline passed; an answer that still comes is a stray.
  Awaitable<std::optional<absl::StatusOr<Answer>>> Wait(const Asked& asked, TimePoint deadline) {
    auto answer = co_await asked.answer->Wait(deadline);
    pending_.erase(asked.id);
    co_return answer;
  }
  // Nobody waits for the answer, if there is one.
  void Forget(const Asked& asked) { pending_.erase(asked.id); }
  // Says what nobody waits to see answered.
  void Tell(Question question) {
    if (failure_) return;
    question.set_requestid(std::to_string(next_++));
    Push(std::move(question));
  }

  // Ends the stream; all that waits fails with `why`.
  void Close(absl::Status why) {
    Fail(std::move(why));
    this->Cancel();
  }
  bool is_over() const { return failure_.has_value(); }
  size_t waiting() const { return pending_.size(); }

  void OnWriteDone(bool ok) override { outbox_.Written(ok); }

 private:
  static Awaitable<void> Run(std::shared_ptr<PipelinedStream> self) {
    while (auto answer = co_await self->Next()) self->Deliver(*std::move(answer));
    self->Cancel();
    const grpc::Status outcome = co_await self->Outcome();
    if (self->failure_) co_return;
    // It may be another server that comes back.
    self->connection_.Forget();
    self->Fail(self->WhyOver(outcome));
  }

  void Deliver(Answer answer) {
    const auto found = pending_.find(answer.refrequestid());
    if (found == pending_.end()) {
      stray_(*this, std::move(answer));
      return;
    }
    const auto promise = std::move(found->second);
    pending_.erase(found);
    promise->Set(std::move(answer));
  }

  absl::Status WhyOver(const grpc::Status& outcome) const {
    const bool by_us = outcome.error_code() == grpc::StatusCode::CANCELLED && connection_.stopping();
    if (!by_us && (outcome.ok() || outcome.error_code() == grpc::StatusCode::CANCELLED)) {
      return MakeFault(Fault::kEngineUnavailable,
                       fmt::format("the server at {} ended the connection", connection_.options().address));
    }
    return connection_.ToFault(outcome);
  }

  void Fail(absl::Status why) {
    if (failure_) return;
    failure_ = std::move(why);
    for (const auto& [id, promise] : std::exchange(pending_, {})) promise->Set(*failure_);
  }

  void Push(Question question) {
    const size_t bytes = question.ByteSizeLong();
    outbox_.Push(std::move(question), bytes);
  }

  void ReadingOver() override {
    outbox_.Close([this] { this->RemoveHold(); });
  }

  Connection& connection_;
  const Stray stray_;
  Outbox<Question> outbox_;
  absl::flat_hash_map<std::string, std::shared_ptr<Promise>> pending_;
  std::optional<absl::Status> failure_;  // set once the stream is over
  uint64_t next_ = 1;
};

}  // namespace llm_router
