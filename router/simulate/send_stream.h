// Sending an answer as an event stream: paced, gated, or broken in the middle, as was asked for. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "router/net/http_server.h"
#include "router/simulate/fault_plan.h"
#include "router/simulate/gates.h"
#include "router/simulate/stream_writer.h"

namespace llm_router::simulate {

struct StreamOrder {
  StreamOrder() = default;

  std::unique_ptr<StreamWriter> writer;
  std::vector<Piece> pieces;
  Misbehaviour misbehaviour = Misbehaviour::kNone;
  size_t after = 0;                  // pieces before it
  double rate = 0;                   // pieces a second; 0: as fast as they go
  std::shared_ptr<Gate> gate;        // null: none; the stream's own share (gates.h)
  std::function<void(size_t)> sent;  // called with the pieces sent so far, whenever there are more
};

// Fails when the client went away before it had what was ordered. Pieces that nothing holds back go out
// together.
Awaitable<absl::Status> SendStream(StreamOrder order, HttpHeaders headers, HttpResponder& responder);

// The whole stream at once.
std::string WholeStream(StreamWriter& writer, const std::vector<Piece>& pieces);

}  // namespace llm_router::simulate
