// EventWriter: one SendEventsStream being written, an event at a time.
//
// Shared by the publisher and by gRPC, which lets go when the stream is done. Loop thread only; gRPC's
// threads just post.
#pragma once

#include <grpcpp/support/client_callback.h>

#include <memory>
#include <optional>
#include <string>

#include "broker_adapters/kubemq/connection.h"

namespace llm_router {

class EventWriter final : public grpc::ClientBidiReactor<kubemq::Event, kubemq::Result>,
                          public std::enable_shared_from_this<EventWriter> {
 public:
  explicit EventWriter(Connection& connection);
  void Start();

  enum class Written {
    kYes,    // handed to the connection
    kMaybe,  // the stream broke under it
    kNo,
  };
  // `more`: another one follows at once.
  Awaitable<Written> Write(const kubemq::Event& event, bool more);
  // Whether anything was ever written, that is, whether there was a stream.
  bool proven() const { return proven_; }
  // Ends the stream after what was written, at the latest at `deadline`.
  Awaitable<void> Finish(TimePoint deadline);
  void Cancel();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  void ReadEnded(bool ok);
  void WriteEnded(bool ok);
  void MaybeRelease();

  Connection& connection_;
  grpc::ClientContext context_;
  kubemq::Event outgoing_;
  kubemq::Result incoming_;
  std::optional<OneShot<bool>> written_;
  OneShot<bool> over_;
  bool proven_ = false;
  bool broken_ = false;  // the read side ended: no write can succeed any more
  bool writing_ = false;
  bool released_ = false;
  std::shared_ptr<EventWriter> self_;  // held for gRPC until OnDone
};

}  // namespace llm_router
