#include "broker_adapters/reply_streams.h"

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;
using Answer = OneShot<absl::StatusOr<Reply>>;

constexpr Milliseconds kRetryEvery(200);

// What lies between us and the worker failed, not the query.
bool IsCut(const absl::Status& failure) {
  const Fault fault = FaultOf(failure);
  return !failure.ok() &&
         (fault == Fault::kEngineUnavailable || fault == Fault::kWorkerLost || fault == Fault::kShuttingDown);
}

int64_t ChunksOf(const absl::StatusOr<Reply>& reply) {
  if (!reply.ok()) return 0;
  return ParseNumber<int64_t>(TagOr(reply->message.tags, tag::kChunks)).value_or(0);
}

Awaitable<void> AskInto(Broker& broker, Query query, std::shared_ptr<Answer> answer) {
  answer->Set(co_await broker.Request(std::move(query)));
}

// Only the tenant: what else a query says is no worker's business in a control message.
Tags ControlTags(const Tags& tags) {
  Tags kept;
  if (const auto tenant = TagOr(tags, tag::kTenant); !tenant.empty())
    kept[std::string(tag::kTenant)] = std::string(tenant);
  return kept;
}

}  // namespace

class ReplyStreams::Handle final : public ReplyStream {
 public:
  Handle(ReplyStreams& owner, Shared stream, TaskGroup::TaskId task, TimePoint deadline)
      : owner_(owner), stream_(std::move(stream)), task_(task), deadline_(deadline) {}
  ~Handle() override {
    if (!stream_->has_ended()) owner_.tasks_.Cancel(task_);
  }

  Awaitable<std::optional<std::string>> Next(TimePoint until) override { return stream_->Take(until); }
  Awaitable<absl::StatusOr<Reply>> AwaitReply() override { return stream_->AwaitReply(); }
  bool is_whole() const override { return stream_->is_whole(); }
  StreamPosition position() const override { return stream_->position(); }
  void Cancel() override {
    if (stream_->has_ended()) return;
    stream_->TellCancel(deadline_);
    owner_.tasks_.Cancel(task_);
  }

 private:
  ReplyStreams& owner_;
  const Shared stream_;
  const TaskGroup::TaskId task_;
  const TimePoint deadline_;
};

Awaitable<absl::Status> ReplyStreams::Open() {
  if (!channel_.empty()) co_return absl::OkStatus();
  CO_ASSIGN_OR_RETURN(const std::string tenant, co_await broker_.Tenant());
  const std::string channel = contract::StreamChannel(tenant, NewSecretId());
  CO_ASSIGN_OR_RETURN(SubscriptionPtr subscription,
                      co_await broker_.Subscribe(channel, "", [this](const Message& event) {
                        const auto found = streams_.find(std::string(TagOr(event.tags, tag::kStreamTag)));
                        if (found != streams_.end()) found->second->OnChunk(event);
                      }));
  // Somebody else may have come first meanwhile.
  if (channel_.empty()) {
    channel_ = channel;
    subscription_ = std::move(subscription);
  }
  co_return absl::OkStatus();
}

ReplyStreams::Shared ReplyStreams::Add(std::string name, const Tags& tags, StreamPosition from) {
  auto stream = std::make_shared<IncomingStream>(tasks_.executor(), broker_, channel_, name,
                                                 ControlTags(tags), std::move(from));
  streams_.emplace(std::move(name), stream);
  return stream;
}

Awaitable<absl::StatusOr<std::unique_ptr<ReplyStream>>> ReplyStreams::Ask(Query query, Milliseconds linger) {
  CO_RETURN_IF_ERROR(co_await Open());
  const std::string name = NewName();
  Tags& tags = query.message.tags;
  tags[std::string(tag::kStreamTo)] = channel_;
  tags[std::string(tag::kStreamTag)] = name;
  tags[std::string(tag::kLinger)] = std::to_string(linger.count());
  StreamPosition from;
  from.query = TagOr(tags, tag::kQuery);
  const Shared stream = Add(name, tags, std::move(from));
  const TimePoint deadline = query.deadline;
  const auto task = tasks_.Start(Run(stream, std::move(query), deadline, linger));
  co_return std::make_unique<Handle>(*this, stream, task, deadline);
}

Awaitable<absl::StatusOr<std::unique_ptr<ReplyStream>>> ReplyStreams::Resume(StreamPosition position,
                                                                             Tags tags, TimePoint deadline,
                                                                             Milliseconds linger) {
  if (position.worker.empty() || position.query.empty())
    co_return MakeFault(Fault::kInvalidRequest, "a stream is resumed by the ids of its worker and its query");
  CO_RETURN_IF_ERROR(co_await Open());
  const Shared stream = Add(NewName(), tags, std::move(position));
  const auto task = tasks_.Spawn(Run(stream, std::nullopt, deadline, linger));
  co_return std::make_unique<Handle>(*this, stream, task, deadline);
}

// Asks, and as long as chunks are missing or the way was cut, asks the worker for the rest.
Awaitable<void> ReplyStreams::Run(Shared stream, std::optional<Query> query, TimePoint deadline,
                                  Milliseconds linger) {
  const bool resumes = !query.has_value();
  absl::StatusOr<Reply> reply =
      resumes ? co_await AskAgain(stream, deadline, linger) : co_await broker_.Request(*std::move(query));
  TimePoint cut_until = Now() + linger;
  bool is_whole = co_await stream->AwaitChunks(ChunksOf(reply));
  while ((IsCut(reply.status()) || !is_whole) && stream->can_resume() && !co_await Cancelled()) {
    const int64_t before = stream->next();
    auto again = co_await AskAgain(stream, deadline, linger);
    const bool is_cut = IsCut(again.status());
    // The first failure tells more than that of a resume.
    if (again.ok() || stream->next() > before) reply = std::move(again);
    is_whole = co_await stream->AwaitChunks(ChunksOf(reply));
    if (stream->next() > before) {
      cut_until = Now() + linger;
    } else if (!is_cut || Now() >= cut_until || !co_await Sleep(Now() + kRetryEvery)) {
      break;
    }
  }
  streams_.erase(stream->name());
  stream->End(std::move(reply), is_whole);
}

// A worker that is there says so at once, by a chunk or its answer.
Awaitable<absl::StatusOr<Reply>> ReplyStreams::AskAgain(Shared stream, TimePoint deadline,
                                                        Milliseconds linger) {
  const auto answer = std::make_shared<Answer>(tasks_.executor());
  (void)stream->TakeHeard();
  const auto task = tasks_.Spawn(AskInto(broker_, stream->ResumeQuery(deadline), answer));
  auto reply = co_await answer->Wait(std::min(deadline, Now() + std::max(linger, Milliseconds(1'000))));
  if (!reply && stream->TakeHeard()) reply = co_await answer->Wait(deadline);
  if (reply) co_return *std::move(reply);
  tasks_.Cancel(task);
  if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "the caller went away or cancelled");
  co_return MakeFault(Fault::kWorkerLost, "the worker that had the stream went away: ask again");
}

Awaitable<void> ReplyStreams::Stop() {
  tasks_.Cancel();
  co_await tasks_.Join();
  subscription_.reset();
}

}  // namespace llm_router
