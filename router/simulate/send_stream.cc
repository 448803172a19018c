#include "router/simulate/send_stream.h"

#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/simulate/misbehave.h"

namespace llm_router::simulate {
namespace {

constexpr size_t kMostTogether = 16 * 1024;

class Sender {
 public:
  Sender(StreamOrder order, HttpResponder& responder) : order_(std::move(order)), responder_(responder) {}

  Awaitable<absl::Status> Run(HttpHeaders headers) {
    CO_RETURN_IF_ERROR(co_await responder_.SendHead(200, std::move(headers), {}));
    unsent_ = order_.writer->Begin();
    const bool breaks = IsStreamFault(order_.misbehaviour);
    const size_t count = breaks ? std::min(order_.after, order_.pieces.size()) : order_.pieces.size();
    const TimePoint begin = Now();
    for (; written_ < count; ++written_) {
      CO_RETURN_IF_ERROR(co_await WaitForTurn(begin));
      unsent_ += order_.writer->Write(order_.pieces[written_]);
      if (unsent_.size() >= kMostTogether) CO_RETURN_IF_ERROR(co_await Flush(written_ + 1));
    }
    if (breaks) co_return co_await Break();
    unsent_ += order_.writer->End();
    CO_RETURN_IF_ERROR(co_await Flush(written_));
    co_return co_await responder_.Finish();
  }

 private:
  // What is ready goes out before a wait.
  Awaitable<absl::Status> WaitForTurn(TimePoint begin) {
    const bool gated = order_.gate != nullptr && !order_.gate->IsOpen(written_ + 1);
    if (!gated && order_.rate <= 0) co_return absl::OkStatus();
    CO_RETURN_IF_ERROR(co_await Flush(written_));
    if (gated && !co_await order_.gate->Pass(written_ + 1)) co_return Gone();
    if (order_.rate <= 0) co_return absl::OkStatus();
    const auto since = std::chrono::duration<double>(static_cast<double>(written_ + 1) / order_.rate);
    const bool woke = co_await Sleep(begin + std::chrono::duration_cast<TimePoint::duration>(since));
    co_return woke ? absl::OkStatus() : Gone();
  }

  Awaitable<absl::Status> Flush(size_t pieces) {
    if (unsent_.empty()) co_return absl::OkStatus();
    CO_RETURN_IF_ERROR(co_await responder_.Write(std::exchange(unsent_, {})));
    order_.sent(pieces);
    if (order_.gate != nullptr) order_.gate->NoteSent(pieces);
    co_return absl::OkStatus();
  }

  Awaitable<absl::Status> Break() {
    if (order_.misbehaviour == Misbehaviour::kErrorInStream) unsent_ += order_.writer->Error();
    CO_RETURN_IF_ERROR(co_await Flush(written_));
    if (order_.misbehaviour == Misbehaviour::kHangInStream) co_return co_await Hang();
    if (order_.misbehaviour != Misbehaviour::kCutStream) co_return co_await responder_.Finish();
    responder_.Reset();
    co_return absl::OkStatus();
  }

  static absl::Status Gone() { return MakeFault(Fault::kCancelled, "the client went away"); }

  StreamOrder order_;
  HttpResponder& responder_;
  std::string unsent_;
  size_t written_ = 0;  // pieces, sent or in unsent_
};

}  // namespace

Awaitable<absl::Status> SendStream(StreamOrder order, HttpHeaders headers, HttpResponder& responder) {
  Sender sender(std::move(order), responder);
  co_return co_await sender.Run(std::move(headers));
}

std::string WholeStream(StreamWriter& writer, const std::vector<Piece>& pieces) {
  std::string whole = writer.Begin();
  for (const Piece& piece : pieces) whole += writer.Write(piece);
  return whole + writer.End();
}

}  // namespace llm_router::simulate
