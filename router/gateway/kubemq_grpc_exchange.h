// ExchangeStream: one bidirectional stream at the KubeMQ door whose requests are taken one by one, in order,
// and whose answers go out as they come.
//
// Requests are read only while there is room (`HasRoom`) and the caller takes its answers, so that neither
// side can make the other pile up. A caller that closes its half gets what is still due, then OK. gRPC's
// threads only post; the rest is the loop's. Shared by gRPC until OnDone, by the door until the end, and by
// what runs for it.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "router/gateway/kubemq_grpc_stream.h"

namespace llm_router {

template <class In, class Out>
class ExchangeStream : public grpc::ServerBidiReactor<In, Out>,
                       public DoorStream,
                       public std::enable_shared_from_this<ExchangeStream<In, Out>> {
 public:
  explicit ExchangeStream(std::shared_ptr<DoorState> state) : state_(std::move(state)) {}

  // Begins; on gRPC's thread. From here on gRPC holds it.
  void Accept() {
    self_ = this->shared_from_this();
    Post([](ExchangeStream& self) { self.Join(); });
  }

  void End(const grpc::Status& status) override {
    if (std::exchange(ended_, true)) return;
    end_ = status;
    state_->Remove(this);
    LetGo();
    for (Answer& answer : std::exchange(answers_, {})) answer.Written(false);
    MaybeFinish();
  }

  void OnReadDone(bool ok) override {
    Post([ok](ExchangeStream& self) { self.Received(ok); });
  }
  void OnWriteDone(bool ok) override {
    Post([ok](ExchangeStream& self) { self.Sent(ok); });
  }
  void OnCancel() override {
    Post([](ExchangeStream& self) { self.End(grpc::Status::CANCELLED); });
  }
  void OnDone() override { self_.reset(); }

 protected:
  // Called once: whether gRPC has handed the answer over, or it never will.
  using WhenWritten = std::function<void(bool handed_over)>;

  // One request.
  virtual void Take(In request) = 0;
  // Whether more may be read; call Go when that has changed.
  virtual bool HasRoom() const = 0;
  // The caller has closed its half: nothing may begin any more. Call Go when nothing is under way any more.
  virtual void HalfClosed() = 0;
  virtual bool IsIdle() const = 0;
  // The stream is over; what is held for it is to be let go.
  virtual void LetGo() = 0;

  void Push(Out message, WhenWritten when_written = nullptr) {
    Answer answer(std::move(message), std::move(when_written));
    if (ended_) return answer.Written(false);
    answers_.push_back(std::move(answer));
    Go();
  }

  // Reads, writes or ends, whatever is due.
  void Go() {
    if (ended_) return MaybeFinish();
    if (!writing_ && !answers_.empty()) {
      current_ = std::move(answers_.front());
      answers_.pop_front();
      writing_ = true;
      this->StartWrite(&current_.message);
    }
    if (!reading_ && !half_closed_ && answers_.size() < kMostAnswers && HasRoom()) {
      reading_ = true;
      this->StartRead(&request_);
    }
    if (half_closed_ && !writing_ && answers_.empty() && IsIdle()) End(grpc::Status::OK);
  }

  DoorState& state() const { return *state_; }
  const std::shared_ptr<DoorState>& shared_state() const { return state_; }
  bool ended() const { return ended_; }
  bool half_closed() const { return half_closed_; }
  QueueCaller From() const { return QueueCaller(caller, kGrpcDoor, peer); }

 private:
  static constexpr size_t kMostAnswers = 256;

  struct Answer {
    Answer() = default;
    Answer(Out its_message, WhenWritten its_when_written)
        : message(std::move(its_message)), when_written(std::move(its_when_written)) {}
    void Written(bool handed_over) {
      if (when_written) std::exchange(when_written, nullptr)(handed_over);
    }
    Out message;
    WhenWritten when_written;
  };

  template <class Function>
  void Post(Function function) {
    state_->loop.Post([self = self_, function = std::move(function)] { function(*self); });
  }

  void Join() {
    if (ended_) return;
    if (state_->server->refusing()) return End(NotReady());
    if (!state_->Add(this->shared_from_this())) {
      return End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many streams: use fewer"));
    }
    this->StartSendInitialMetadata();
    Go();
  }

  void Received(bool ok) {
    reading_ = false;
    if (ended_) return;
    if (ok) {
      Take(std::exchange(request_, In()));
    } else {
      half_closed_ = true;
      HalfClosed();
    }
    Go();
  }

  void Sent(bool ok) {
    writing_ = false;
    current_.Written(ok);
    if (!ok) End(grpc::Status::CANCELLED);
    Go();
  }

  void MaybeFinish() {
    if (!writing_ && !std::exchange(finished_, true)) this->Finish(end_);
  }

  std::shared_ptr<DoorState> state_;
  In request_;
  Answer current_;
  std::deque<Answer> answers_;
  bool reading_ = false;
  bool writing_ = false;
  bool half_closed_ = false;
  bool ended_ = false;
  bool finished_ = false;
  grpc::Status end_;
  std::shared_ptr<ExchangeStream> self_;  // held for gRPC until OnDone
};

}  // namespace llm_router
