#include "broker_adapters/kubemq/query_stream.h"

#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/kubemq/convert.h"

namespace llm_router {
namespace {

constexpr size_t kMaxWaiting = 1'024;
constexpr auto kAnswerPatience = std::chrono::seconds(10);

kubemq::Subscribe SubscribeFor(const Connection& connection, const ServeOptions& options) {
  kubemq::Subscribe subscribe;
  subscribe.set_subscribetypedata(options.kind == Kind::kCommand ? kubemq::Subscribe::Commands
                                                                 : kubemq::Subscribe::Queries);
  subscribe.set_clientid(connection.options().client_id);
  subscribe.set_channel(options.pattern);
  subscribe.set_group(options.group);
  return subscribe;
}

}  // namespace

QueryStream::QueryStream(std::shared_ptr<Connection> connection, ServeOptions options, QueryHandler handler)
    : LiveStream(connection, SubscribeFor(*connection, options)),
      options_(std::move(options)),
      handler_(std::move(handler)),
      changed_(connection->executor(), TimePoint::max()) {}

std::shared_ptr<QueryStream> QueryStream::Self() {
  return std::static_pointer_cast<QueryStream>(shared_from_this());
}

std::shared_ptr<Reader<kubemq::Request>> QueryStream::Begin(bool marked, const kubemq::Subscribe& subscribe) {
  if (marked) {
    link_ = std::make_shared<WorkerLink>(connection());
    link_->Subscribe(subscribe, options_.capacity);
    return link_;
  }
  using RequestReader = StreamReader<grpc::ClientReadReactor<kubemq::Request>, kubemq::Request>;
  const auto reader = std::make_shared<RequestReader>(connection());
  reader->Start([&](grpc::ClientContext* context) {
    connection().stub().async()->SubscribeToRequests(context, &subscribe, reader.get());
  });
  return reader;
}

Awaitable<void> QueryStream::Take(kubemq::Request request) {
  const TimePoint deadline = Now() + Milliseconds(request.timeout());
  waiting_.emplace_back(std::move(request), deadline, link_);
  StartWaiting();
  while (waiting_.size() >= kMaxWaiting && !closed() && !co_await Cancelled()) {
    (void)co_await changed_.async_wait(kUseTuple);
  }
}

void QueryStream::StartWaiting() {
  while (running_.size() < options_.capacity && !waiting_.empty()) {
    Taken next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.deadline <= Now()) continue;
    const uint64_t key = next_key_++;
    Running& running = running_.try_emplace(key, connection().executor(), next.deadline).first->second;
    running.timer.async_wait([weak = weak_from_this(), key](boost::system::error_code error) {
      const auto self = weak.lock();
      if (!error && self) static_cast<QueryStream&>(*self).Abandon(key);
    });
    running.task = connection().tasks().Spawn(Answer(Self(), key, std::move(next)));
  }
  changed_.cancel();
}

Awaitable<void> QueryStream::Answer(std::shared_ptr<QueryStream> self, uint64_t key, Taken taken) {
  Query query = FromWire(taken.request, Now());
  query.deadline = taken.deadline;
  const Tags tags = query.message.tags;
  absl::StatusOr<Reply> reply = co_await self->handler_(std::move(query));
  if (self->ended_)
    reply = MakeFault(Fault::kWorkerLost, "the worker that had the query went away: ask again");
  const auto running = self->running_.find(key);
  if (!running->second.abandoned) {
    const size_t max_body = self->connection().options().max_body;
    if (reply.ok() && reply->message.body.size() > max_body) {
      reply = MakeFault(Fault::kTooLarge, "the reply is larger than limits.body allows: raise that setting");
    }
    co_await self->SendAnswer(taken, reply.ok() ? *std::move(reply) : FailedReply(reply.status(), tags));
  }
  self->running_.erase(key);
  self->StartWaiting();
}

Awaitable<void> QueryStream::SendAnswer(const Taken& taken, Reply reply) {
  if (reply.message.timestamp == 0) reply.message.timestamp = UnixNanos();
  reply.message.id = taken.request.requestid();
  reply.message.client_id = connection().options().client_id;
  kubemq::Response answer = ToWire(std::move(reply));
  answer.set_replychannel(taken.request.replychannel());
  if (taken.link) {
    taken.link->Reply(std::move(answer));
    co_return;
  }
  auto call = std::make_shared<UnaryCall<kubemq::Response, kubemq::Empty>>(connection().executor());
  call->question = std::move(answer);
  call->context.set_deadline(OnSystemClock(Now() + kAnswerPatience));
  // Not Connection::Call: a handler that was cancelled still says so to its caller.
  connection().Start(call,
                     Connection::Method<kubemq::Response, kubemq::Empty>(&Connection::Async::SendResponse));
  const auto status = co_await call->done.Wait(TimePoint::max());
  if (status && !status->ok())
    log::Warning("an answer on {} was lost: {}", channel(), MessageOf(connection().ToFault(*status)));
}

void QueryStream::Abandon(uint64_t key) {
  const auto found = running_.find(key);
  if (found == running_.end()) return;
  found->second.abandoned = true;
  connection().tasks().Cancel(found->second.task);
}

void QueryStream::AbandonAll() {
  waiting_.clear();
  for (auto& [key, running] : running_) {
    running.abandoned = true;
    connection().tasks().Cancel(running.task);
  }
  changed_.cancel();
}

void QueryStream::Lost(bool marked) {
  link_.reset();
  // A server of ours has told the callers worker_lost already; a foreign one still takes the answers.
  if (marked) AbandonAll();
  if (draining_) Close();
}

void QueryStream::End() {
  if (std::exchange(ended_, true)) return;
  Close();
  for (Taken& taken : std::exchange(waiting_, {})) {
    const Query query = FromWire(taken.request, Now());
    const auto lost = MakeFault(Fault::kWorkerLost, "the worker that had the query went away: ask again");
    connection().tasks().Spawn(
        [](std::shared_ptr<QueryStream> self, Taken left, Reply reply) -> Awaitable<void> {
          co_await self->SendAnswer(left, std::move(reply));
        }(Self(), std::move(taken), FailedReply(lost, query.message.tags)));
  }
  for (const auto& [key, running] : running_) connection().tasks().Cancel(running.task);
}

Awaitable<void> QueryStream::Drain(std::shared_ptr<QueryStream> self) {
  self->draining_ = true;
  if (const auto link = self->link_) co_await link->Drain();
  self->Close();
  while ((!self->running_.empty() || !self->waiting_.empty()) && !co_await Cancelled())
    (void)co_await self->changed_.async_wait(kUseTuple);
}

}  // namespace llm_router
