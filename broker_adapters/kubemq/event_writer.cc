#include "broker_adapters/kubemq/event_writer.h"

#include <utility>

#include "broker_adapters/base/log.h"

namespace llm_router {

EventWriter::EventWriter(Connection& connection) : connection_(connection), over_(connection.executor()) {}

void EventWriter::Start() {
  self_ = shared_from_this();
  connection_.Begin(context_);
  connection_.stub().async()->SendEventsStream(&context_, this);
  // Writes are started from the loop, outside gRPC's reactions: the hold keeps the stream until the last.
  AddHold();
  StartRead(&incoming_);
  StartCall();
}

Awaitable<EventWriter::Written> EventWriter::Write(const kubemq::Event& event, bool more) {
  if (broken_) co_return Written::kNo;
  outgoing_ = event;
  written_.emplace(connection_.executor());
  writing_ = true;
  grpc::WriteOptions options;
  if (more) options.set_buffer_hint();
  StartWrite(&outgoing_, options);
  if ((co_await written_->Wait(TimePoint::max())).value_or(false)) co_return Written::kYes;
  // On a stream that never carried anything there was no server to get it.
  co_return proven_ ? Written::kMaybe : Written::kNo;
}

Awaitable<void> EventWriter::Finish(TimePoint deadline) {
  if (!broken_ && !writing_ && !released_) {
    StartWritesDone();
    (void)co_await over_.Wait(deadline);
  }
  Cancel();
}

void EventWriter::Cancel() {
  broken_ = true;
  context_.TryCancel();
  MaybeRelease();
}

void EventWriter::OnReadDone(bool ok) {
  boost::asio::post(connection_.executor(), [self = self_, ok] { self->ReadEnded(ok); });
}

void EventWriter::OnWriteDone(bool ok) {
  boost::asio::post(connection_.executor(), [self = self_, ok] { self->WriteEnded(ok); });
}

void EventWriter::OnDone(const grpc::Status& /*status*/) {
  boost::asio::post(connection_.executor(), [self = std::move(self_)] {
    self->connection_.End(self->context_);
    self->over_.Set(true);
  });
}

// The server speaks here only of events it refused.
void EventWriter::ReadEnded(bool ok) {
  if (ok && !broken_) {
    log::Warning("the server refused an event: {}", incoming_.error());
    StartRead(&incoming_);
    return;
  }
  broken_ = true;
  MaybeRelease();
}

void EventWriter::WriteEnded(bool ok) {
  writing_ = false;
  proven_ = proven_ || ok;
  broken_ = broken_ || !ok;
  written_->Set(ok);
  MaybeRelease();
}

// Once broken, nothing more is started; the hold goes when the last write is back.
void EventWriter::MaybeRelease() {
  if (broken_ && !writing_ && !std::exchange(released_, true)) RemoveHold();
}

}  // namespace llm_router
