#include "broker_adapters/nats/query_service.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/nats/convert.h"
#include "broker_adapters/nats/subjects.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr size_t kMostWaiting = 10'000;
constexpr size_t kMostBytes = size_t{256} * 1024 * 1024;
constexpr auto kBeginPatience = std::chrono::seconds(2);
constexpr auto kAnswerPatience = std::chrono::seconds(10);
constexpr auto kDrainPatience = std::chrono::seconds(10);
constexpr Milliseconds kTellAfter(20);
constexpr Milliseconds kTellInterval(5);

absl::Status Lost() {
  return MakeFault(Fault::kWorkerLost, "the worker that had the query went away: ask again");
}

}  // namespace

QueryService::QueryService(std::shared_ptr<Connection> connection, ServeOptions options, QueryHandler handler)
    : connection_(std::move(connection)),
      options_(std::move(options)),
      handler_(std::move(handler)),
      changed_(connection_->executor(), TimePoint::max()) {}

Awaitable<absl::Status> QueryService::Begin() {
  const auto self = shared_from_this();
  cancels_ = connection_->Subscribe(std::string(kCancelSubject), "", [self](auto message) {
    if (message) self->GiveUp(message->body);
  });
  queries_ = connection_->Subscribe(QuerySubject(options_.kind, options_.pattern), options_.group,
                                    [self](auto message) { self->Take(std::move(message)); });
  const TimePoint patience = Now() + kBeginPatience;
  if ((co_await connection_->Up(patience)).ok()) (void)co_await connection_->Confirm(patience);
  if (!co_await Cancelled() && !connection_->stopping()) co_return absl::OkStatus();
  End();
  co_return connection_->stopping() ? connection_->ShuttingDown()
                                    : MakeFault(Fault::kCancelled, "the caller went away");
}

void QueryService::Take(std::optional<WireMessage> message) {
  if (!message) {
    drained_ = true;
    changed_.cancel();
    return;
  }
  std::string reply = std::move(message->reply);
  if (reply.empty() || message->status != 0) return;  // nobody waits for an answer
  const size_t bytes = message->size();
  const bool ours = IsOurs(*message);
  Taken taken(QueryOf(*std::move(message), options_.kind), std::move(reply), bytes);
  if (ended_) return Send(Lost(), taken.reply, taken.query.message);
  if (waiting_.size() >= kMostWaiting || waiting_bytes_ + bytes > kMostBytes) {
    return Send(MakeFault(Fault::kOverloaded, "too many queries wait at this worker: ask again later"),
                taken.reply, taken.query.message);
  }
  if (ours) {
    untold_.insert(taken.reply);
    to_tell_.emplace_back(Now() + kTellAfter, taken.reply);
    if (!std::exchange(telling_, true)) connection_->tasks().Spawn(Tell(shared_from_this()));
  }
  waiting_bytes_ += bytes;
  waiting_.push_back(std::move(taken));
  StartWaiting();
}

void QueryService::StartWaiting() {
  while (running_.size() < options_.capacity && !waiting_.empty()) {
    Taken next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= next.bytes;
    if (next.query.deadline <= Now()) {
      untold_.erase(next.reply);
      continue;
    }
    const uint64_t key = next_key_++;
    Running& running =
        running_.try_emplace(key, connection_->executor(), next.query.deadline, next.reply).first->second;
    by_reply_[next.reply] = key;
    running.timer.async_wait([weak = weak_from_this(), key](boost::system::error_code error) {
      const auto self = weak.lock();
      if (!error && self) self->Abandon(key);
    });
    running.task = connection_->tasks().Spawn(Answer(shared_from_this(), key, std::move(next)));
  }
  changed_.cancel();
}

Awaitable<void> QueryService::Answer(std::shared_ptr<QueryService> self, uint64_t key, Taken taken) {
  Message asked;  // what a failed reply echoes
  asked.id = taken.query.message.id;
  asked.tags = taken.query.message.tags;
  absl::StatusOr<Reply> reply = co_await self->handler_(std::move(taken.query));
  if (self->ended_) reply = Lost();
  const auto running = self->running_.find(key);
  if (!running->second.abandoned) self->Send(std::move(reply), taken.reply, asked);
  self->by_reply_.erase(taken.reply);
  self->untold_.erase(taken.reply);
  self->running_.erase(running);
  self->StartWaiting();
}

// Many at a time: most of those that were held when this looks are answered when their time has come.
Awaitable<void> QueryService::Tell(std::shared_ptr<QueryService> self) {
  auto& to_tell = self->to_tell_;
  while (!to_tell.empty() &&
         co_await Sleep(std::max<TimePoint>(to_tell.front().first, Now() + kTellInterval))) {
    Connection& connection = *self->connection_;
    const TimePoint now = Now();
    for (; !to_tell.empty() && to_tell.front().first <= now; to_tell.pop_front()) {
      const std::string& caller = to_tell.front().second;
      if (self->untold_.erase(caller) > 0)
        (void)connection.Publish(TakenBy(connection.Presence(), caller), now + kAnswerPatience);
    }
  }
  self->telling_ = false;
}

void QueryService::Send(absl::StatusOr<Reply> reply, const std::string& to, const Message& query) {
  if (reply.ok()) {
    if (auto fits = connection_->CheckBody(reply->message); !fits.ok()) reply = fits;
  }
  const TimePoint until = Now() + kAnswerPatience;
  absl::Status failure = reply.status();
  if (failure.ok()) {
    if (reply->message.id.empty()) reply->message.id = query.id;
    reply->message.client_id = connection_->options().client_id;
    failure = connection_->Publish(ToWire(*std::move(reply), to), until);
  }
  if (failure.ok()) return;
  WireMessage failed = ToWire(failure, query.tags, to);
  if (FaultOf(failure) == Fault::kWorkerLost) AddLoser(failed, connection_->Presence());
  const absl::Status sent = connection_->Publish(std::move(failed), until);
  if (!sent.ok() && !connection_->stopping())
    log::Warning("an answer on {} was lost: {}", options_.pattern, llm_router::MessageOf(sent));
}

void QueryService::Abandon(uint64_t key) {
  const auto found = running_.find(key);
  if (found == running_.end()) return;
  found->second.abandoned = true;
  connection_->tasks().Cancel(found->second.task);
}

void QueryService::GiveUp(const std::string& reply) {
  const auto running = by_reply_.find(reply);
  if (running != by_reply_.end()) return Abandon(running->second);
  const auto waiting = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const Taken& taken) { return taken.reply == reply; });
  if (waiting == waiting_.end()) return;
  waiting_bytes_ -= waiting->bytes;
  untold_.erase(reply);
  waiting_.erase(waiting);
}

void QueryService::Unlisten() {
  if (cancels_ != 0) connection_->Unsubscribe(std::exchange(cancels_, 0));
}

void QueryService::End() {
  if (std::exchange(ended_, true)) return;
  untold_.clear();
  to_tell_.clear();
  // Drained, not dropped: what is on its way is refused, so that its caller need not wait.
  connection_->Drain(queries_);
  Unlisten();
  for (const Taken& taken : std::exchange(waiting_, {})) Send(Lost(), taken.reply, taken.query.message);
  for (const auto& [key, running] : running_) connection_->tasks().Cancel(running.task);
}

Awaitable<void> QueryService::Drain(std::shared_ptr<QueryService> self) {
  self->connection_->Drain(self->queries_);
  const TimePoint patience = Now() + kDrainPatience;
  while (!self->drained_ && Now() < patience && !co_await Cancelled()) {
    self->changed_.expires_at(patience);
    (void)co_await self->changed_.async_wait(kUseTuple);
  }
  self->changed_.expires_at(TimePoint::max());
  while ((!self->running_.empty() || !self->waiting_.empty()) && !co_await Cancelled())
    (void)co_await self->changed_.async_wait(kUseTuple);
}

}  // namespace llm_router::nats
