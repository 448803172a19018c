#include "broker_adapters/kubemq/downstream_words.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "proto/kubemq_text.h"

namespace llm_router::downstream {
namespace {

constexpr Milliseconds kLongestWait{std::chrono::seconds(kubemq_check::kMostWaitSeconds)};

}  // namespace

std::shared_ptr<Downstream> Open(Connection& connection) {
  auto stream = std::make_shared<Downstream>(
      connection, [&connection](Downstream& of, const kubemq::QueuesDownstreamResponse& answer) {
        if (answer.requesttypedata() == kubemq::CloseByServer)
          return of.Close(MakeFault(Fault::kEngineUnavailable, "the server is about to close"));
        GiveBack(connection, of, answer);
      });
  stream->Begin([&connection](grpc::ClientContext* context, Downstream::Reactor* reactor) {
    connection.stub().async()->QueuesDownstream(context, reactor);
  });
  return stream;
}

kubemq::QueuesDownstreamRequest Question(const Connection& connection,
                                         kubemq::QueuesDownstreamRequestType type) {
  kubemq::QueuesDownstreamRequest request;
  request.set_clientid(connection.options().client_id);
  request.set_requesttypedata(type);
  return request;
}

kubemq::QueuesDownstreamRequest Get(const Connection& connection, std::string queue, size_t most,
                                    Milliseconds wait) {
  kubemq::QueuesDownstreamRequest get = Question(connection, kubemq::Get);
  get.set_channel(std::move(queue));
  get.set_maxitems(static_cast<int32_t>(std::clamp<size_t>(most, 1, kubemq_check::kMostMessages)));
  get.set_waittimeout(static_cast<int32_t>(std::clamp(wait, Milliseconds(0), kLongestWait).count()));
  return get;
}

void Note(kubemq::QueuesDownstreamRequest& request, std::string_view key, std::string_view value) {
  (*request.mutable_metadata())[std::string(key)] = std::string(value);
}

void GiveBack(const Connection& connection, Downstream& stream, const kubemq::QueuesDownstreamResponse& got) {
  if (got.requesttypedata() != kubemq::Get || got.messages().empty()) return;
  kubemq::QueuesDownstreamRequest close = Question(connection, kubemq::CloseByClient);
  close.set_reftransactionid(got.transactionid());
  stream.Tell(std::move(close));
}

absl::Status FailureIn(const kubemq::QueuesDownstreamResponse& response) {
  const auto fault = response.metadata().find(std::string(kubemq_text::kFaultTag));
  return QueueFailure(response.error(), fault == response.metadata().end() ? "" : fault->second);
}

absl::Status PerhapsSettled(const absl::Status& failure) {
  if (FaultOf(failure) != Fault::kEngineUnavailable) return failure;
  return MakeFault(Fault::kEngineUnavailable,
                   fmt::format("{}; unless the server has settled the message by then, it went back to its "
                               "queue and will come again",
                               MessageOf(failure)));
}

absl::Status Gone() { return MakeFault(Fault::kCancelled, "the caller went away"); }

absl::Status Full() {
  return MakeFault(Fault::kOverloaded,
                   "too many messages are leased or waited for: settle some of them before the next");
}

}  // namespace llm_router::downstream
