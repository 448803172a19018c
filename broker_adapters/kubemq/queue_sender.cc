#include "broker_adapters/kubemq/queue_sender.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/queue_client_convert.h"

namespace llm_router {
namespace {

constexpr size_t kMostRequests = 10'000;
constexpr size_t kMostBytes = size_t{128} * 1024 * 1024;
// Of one request, unless one message is larger: the smallest limit of a server that is known is 4 MB.
constexpr int kMostMessages = 1'000;
constexpr size_t kMostRequestBytes = size_t{3} * 1024 * 1024;
constexpr auto kPatience = std::chrono::seconds(60);

constexpr std::string_view kPerhapsKept =
    "it is not known whether the message was kept: send it again with the same id if it must be";

// A request, and how many messages are in it.
std::vector<kubemq::QueuesUpstreamRequest> RequestsOf(std::vector<kubemq::QueueMessage> messages) {
  std::vector<kubemq::QueuesUpstreamRequest> requests;
  size_t bytes = 0;
  for (kubemq::QueueMessage& message : messages) {
    const size_t size = message.ByteSizeLong();
    if (requests.empty() || requests.back().messages_size() >= kMostMessages ||
        bytes + size > kMostRequestBytes) {
      requests.emplace_back();
      bytes = 0;
    }
    bytes += size;
    *requests.back().add_messages() = std::move(message);
  }
  return requests;
}

absl::Status Uncertain(const absl::Status& failure) {
  const Fault fault = FaultOf(failure);
  if (fault != Fault::kEngineUnavailable && fault != Fault::kShuttingDown && fault != Fault::kTimeout)
    return failure;
  return MakeFault(fault, fmt::format("{}; {}", MessageOf(failure), kPerhapsKept));
}

}  // namespace

// What one Send takes of the bounds, given back at its end whatever that is.
class QueueSender::Room {
 public:
  Room(QueueSender& sender, size_t requests, size_t bytes)
      : sender_(sender), requests_(requests), bytes_(bytes) {
    sender_.requests_ += requests_;
    sender_.bytes_ += bytes_;
  }
  ~Room() {
    sender_.requests_ -= requests_;
    sender_.bytes_ -= bytes_;
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

 private:
  QueueSender& sender_;
  const size_t requests_;
  const size_t bytes_;
};

std::shared_ptr<QueueSender::Upstream> QueueSender::Stream() {
  if (!stream_ || stream_->is_over()) {
    // An answer that comes too late has nobody to hear it.
    stream_ = std::make_shared<Upstream>(connection_, [](Upstream&, const auto&) {});
    stream_->Begin([this](grpc::ClientContext* context, Upstream::Reactor* reactor) {
      connection_.stub().async()->QueuesUpstream(context, reactor);
    });
  }
  return stream_;
}

Awaitable<absl::Status> QueueSender::Await(std::shared_ptr<Upstream> stream, Upstream::Asked asked,
                                           SendResult* results, size_t count) {
  auto answer = co_await stream->Wait(asked, Now() + kPatience);
  if (!answer) {
    const bool gone = co_await Cancelled();
    co_return Uncertain(MakeFault(gone ? Fault::kCancelled : Fault::kTimeout,
                                  gone ? "the caller went away" : "the server does not answer"));
  }
  if (!answer->ok()) co_return Uncertain(answer->status());
  const kubemq::QueuesUpstreamResponse& response = **answer;
  if (response.iserror()) co_return QueueFailure(response.error(), "");
  if (static_cast<size_t>(response.results_size()) != count)
    co_return MakeFault(Fault::kInternal, "the server answered with another number of results than messages");
  for (size_t i = 0; i < count; ++i) results[i] = SendResultOf(response.results(static_cast<int>(i)));
  co_return absl::OkStatus();
}

Awaitable<absl::StatusOr<std::vector<SendResult>>> QueueSender::Send(
    std::vector<kubemq::QueueMessage> messages, bool pipelined) {
  std::vector<SendResult> results(messages.size());
  size_t bytes = 0;
  for (size_t i = 0; i < messages.size(); ++i) {
    results[i].id = messages[i].messageid();
    bytes += messages[i].ByteSizeLong();
  }
  std::vector<kubemq::QueuesUpstreamRequest> requests = RequestsOf(std::move(messages));
  // One that is alone may be as large as it likes.
  if (requests_ > 0 && (requests_ + requests.size() > kMostRequests || bytes_ + bytes > kMostBytes)) {
    co_return MakeFault(Fault::kOverloaded,
                        "too many messages are on their way to the server: wait for some of them");
  }
  const Room room(*this, requests.size(), bytes);
  const auto stream = Stream();
  std::vector<size_t> counts;
  std::vector<Upstream::Asked> asked;
  for (kubemq::QueuesUpstreamRequest& request : requests) {
    counts.push_back(static_cast<size_t>(request.messages_size()));
    if (pipelined) asked.push_back(stream->Ask(std::move(request)));
  }
  absl::Status failure;
  bool any = false;
  for (size_t i = 0, first = 0; i < counts.size(); first += counts[i++]) {
    if (!pipelined) asked.push_back(stream->Ask(std::move(requests[i])));
    const absl::Status status = co_await Await(stream, asked[i], &results[first], counts[i]);
    any = any || status.ok();
    if (status.ok()) continue;
    failure = status;
    for (size_t of = first; of < first + counts[i]; ++of) results[of].status = status;
  }
  if (!any && !failure.ok()) co_return failure;
  co_return results;
}

void QueueSender::Stop(absl::Status why) {
  if (stream_) stream_->Close(std::move(why));
}

}  // namespace llm_router
