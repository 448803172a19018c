#include "broker_adapters/nats/sender.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <utility>

#include "broker_adapters/base/full_jitter.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr size_t kMostJobs = 100'000;
constexpr size_t kMostBytes = size_t{64} * 1024 * 1024;
constexpr Milliseconds kFirstWait(100);
constexpr Milliseconds kMostWait(2'000);
constexpr int64_t kDrainMs = 60'000;
constexpr Milliseconds kLastDrain(2'000);

}  // namespace

struct Sender::End {
  explicit End(Executor executor) : changed(executor, TimePoint::max()) {}

  bool is_there = false;
  Timer changed;
};

// What libnats's own thread tells of one connection. It deletes its share when that is closed.
struct Sender::Watch {
  explicit Watch(Sender& its_sender) : sender(&its_sender) {}

  std::mutex mutex;
  Sender* sender;  // null once this connection is none of its any more
  LogLimit failures;

  static Watch& Of(void* closure) { return **static_cast<std::shared_ptr<Watch>*>(closure); }

  static void Disconnected(natsConnection* connection, void* closure) {
    Watch& watch = Of(closure);
    const std::lock_guard lock(watch.mutex);
    if (!watch.sender) return;
    const char* text = nullptr;
    (void)natsConnection_GetLastError(connection, &text);
    watch.sender->Tell([words = std::string(text ? text : "")](const Calls& calls) {
      calls.down(MakeFault(Fault::kEngineUnavailable, "the connection to the NATS server broke" +
                                                          (words.empty() ? "" : " (" + words + ")") +
                                                          ": ask again"));
    });
  }
  static void Reconnected(natsConnection* connection, void* closure) {
    Watch& watch = Of(closure);
    const std::lock_guard lock(watch.mutex);
    if (!watch.sender) return;
    const auto most = static_cast<size_t>(std::max<int64_t>(natsConnection_GetMaxPayload(connection), 0));
    watch.sender->Tell([most](const Calls& calls) { calls.up(most); });
  }
  static void Closed(natsConnection* /*connection*/, void* closure) {
    const std::unique_ptr<std::shared_ptr<Watch>> share(static_cast<std::shared_ptr<Watch>*>(closure));
    Watch& watch = **share;
    const std::lock_guard lock(watch.mutex);
    if (!watch.sender) return;
    const std::lock_guard held(watch.sender->mutex_);
    watch.sender->lost_ = true;
    watch.sender->changed_.notify_all();
  }
  static void Failed(natsConnection* connection, natsSubscription* /*subscription*/, natsStatus status,
                     void* closure) {
    Watch& watch = Of(closure);
    const std::lock_guard lock(watch.mutex);
    const char* text = nullptr;
    (void)natsConnection_GetLastError(connection, &text);
    if (const auto more = watch.failures.Admit(Now()))
      log::Warning("NATS: {} ({}; {} more)", natsStatus_GetText(status), text ? text : "", *more);
  }
};

// Where one subscription's messages go. libnats deletes its share when nothing more comes.
struct Sender::Tap {
  Tap(uint64_t its_id, std::shared_ptr<Intake> its_intake) : id(its_id), intake(std::move(its_intake)) {}

  const uint64_t id;
  const std::shared_ptr<Intake> intake;  // shared with the connection
  std::atomic<bool> draining = false;
  std::atomic<bool> complete = false;

  static void Take(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    const Tap& tap = **static_cast<std::shared_ptr<Tap>*>(closure);
    tap.intake->Put(Arrival(tap.id, FromNats(*message)));
    natsMsg_Destroy(message);
  }
  static void Complete(void* closure) {
    const std::unique_ptr<std::shared_ptr<Tap>> share(static_cast<std::shared_ptr<Tap>*>(closure));
    if ((*share)->draining) (*share)->intake->Put(Arrival((*share)->id, std::nullopt));
    (*share)->complete = true;
  }
};

Sender::Sender(Executor executor, NatsOptions options, std::shared_ptr<Intake> intake, Calls calls)
    : executor_(executor),
      options_(std::move(options)),
      intake_(std::move(intake)),
      calls_(std::make_shared<const Calls>(std::move(calls))),
      end_(std::make_shared<End>(executor)),
      thread_([this] { Run(); }) {}

Sender::~Sender() {
  if (thread_.joinable()) thread_.join();
}

bool Sender::Publish(WireMessage message, TimePoint until, uint64_t told) {
  Job job;
  job.bytes = message.size();
  job.message = std::move(message);
  job.until = until;
  job.told = told;
  const std::lock_guard lock(mutex_);
  if (jobs_.size() >= kMostJobs || (bytes_ > 0 && bytes_ + job.bytes > kMostBytes)) return false;
  bytes_ += job.bytes;
  jobs_.push_back(std::move(job));
  changed_.notify_all();
  return true;
}

void Sender::Push(Job job) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

void Sender::Subscribe(uint64_t id, std::string subject, std::string group) {
  Job job;
  job.work = [this, id, subject = std::move(subject), group = std::move(group)] {
    Subscribed& subscribed = subscribed_[id];
    subscribed.subject = subject;
    subscribed.group = group;
    if (connection_) Begin(id, subscribed);
  };
  Push(std::move(job));
}

void Sender::Unsubscribe(uint64_t id) {
  Job job;
  job.work = [this, id] { Finish(id, false); };
  Push(std::move(job));
}

void Sender::Drain(uint64_t id) {
  Job job;
  job.work = [this, id] { Finish(id, true); };
  Push(std::move(job));
}

void Sender::Run() {
  FullJitter backoff(kFirstWait, kMostWait);
  std::unique_lock lock(mutex_);
  while (!stopping_ || (connection_ && !lost_ && !jobs_.empty())) {
    if (std::exchange(lost_, false) || !connection_) {
      lock.unlock();
      Disconnect();
      const bool connected = Connect();
      lock.lock();
      if (connected) {
        backoff.Reset();
      } else {
        (void)changed_.wait_for(lock, kFirstWait + backoff.Next(), [this] { return stopping_; });
      }
      continue;
    }
    changed_.wait(lock, [this] { return stopping_ || lost_ || !jobs_.empty(); });
    std::deque<Job> jobs;
    jobs.swap(jobs_);
    bytes_ = 0;
    lock.unlock();
    DoAll(std::move(jobs));
    lock.lock();
  }
  const bool is_well = connection_ && !lost_;
  lock.unlock();
  if (is_well) FinishDrains();
  Disconnect();
  boost::asio::post(executor_, [end = end_] {
    end->is_there = true;
    end->changed.cancel();
  });
}

bool Sender::Connect() {
  const auto watch = std::make_shared<Watch>(*this);
  auto share = std::make_unique<std::shared_ptr<Watch>>(watch);
  const ConnectionCalls calls{Watch::Disconnected, Watch::Reconnected, Watch::Closed, Watch::Failed,
                              share.get()};
  auto opened = Open(options_, calls);
  if (!opened.ok()) {
    const std::string words(llm_router::MessageOf(opened.status()));
    if (std::exchange(last_failure_, words) != words) log::Warning("{}", words);
    Tell([status = opened.status()](const Calls& to) { to.down(status); });
    return false;
  }
  (void)share.release();  // Closed deletes it
  watch_ = watch;
  connection_ = *std::move(opened);
  last_failure_.clear();
  for (auto& [id, subscribed] : subscribed_) Begin(id, subscribed);
  const auto most =
      static_cast<size_t>(std::max<int64_t>(natsConnection_GetMaxPayload(connection_.get()), 0));
  Tell([most](const Calls& to) { to.up(most); });
  return true;
}

void Sender::Disconnect() {
  if (!connection_) return;
  {
    const std::lock_guard lock(watch_->mutex);
    watch_->sender = nullptr;
  }
  natsConnection_Close(connection_.get());
  for (auto& [id, subscribed] : subscribed_) {
    natsSubscription_Destroy(std::exchange(subscribed.handle, nullptr));
    subscribed.tap.reset();
  }
  for (const Subscribed& one : draining_) natsSubscription_Destroy(one.handle);
  draining_.clear();
  connection_.reset();
  Tell([](const Calls& to) {
    to.down(MakeFault(Fault::kEngineUnavailable, "the connection to the NATS server was closed: ask again"));
  });
}

void Sender::DoAll(std::deque<Job> jobs) {
  for (const Job& job : jobs) {
    if (job.work) {
      job.work();
    } else {
      Send(job);
    }
  }
}

void Sender::Send(const Job& job) {
  const natsStatus status = job.until < Now() ? NATS_TIMEOUT : nats::Publish(*connection_, job.message);
  if (status == NATS_OK) return;
  if (job.told == 0 || job.message.reply.empty()) return;
  WireMessage failed(job.message.reply, "");
  failed.status = kNotSent;
  failed.description = natsStatus_GetText(status);
  intake_->Put(Arrival(job.told, std::move(failed)));
}

void Sender::Begin(uint64_t id, Subscribed& subscribed) {
  subscribed.tap = std::make_shared<Tap>(id, intake_);
  auto share = std::make_unique<std::shared_ptr<Tap>>(subscribed.tap);
  natsSubscription* handle = nullptr;
  const natsStatus status =
      subscribed.group.empty()
          ? natsConnection_Subscribe(&handle, connection_.get(), subscribed.subject.c_str(), Tap::Take,
                                     share.get())
          : natsConnection_QueueSubscribe(&handle, connection_.get(), subscribed.subject.c_str(),
                                          subscribed.group.c_str(), Tap::Take, share.get());
  if (status != NATS_OK) {
    if (status != NATS_CONNECTION_CLOSED)
      log::Warning("NATS takes no subscription to {}: {}", subscribed.subject, natsStatus_GetText(status));
    return;
  }
  subscribed.handle = handle;
  (void)natsSubscription_SetPendingLimits(handle, -1, -1);  // the intake has limits of its own
  if (natsSubscription_SetOnCompleteCB(handle, Tap::Complete, share.get()) == NATS_OK) (void)share.release();
}

void Sender::Finish(uint64_t id, bool drain) {
  // A subscription that is destroyed while it drains would drop what is on its way.
  std::erase_if(draining_, [](const Subscribed& one) {
    if (one.tap->complete) natsSubscription_Destroy(one.handle);
    return one.tap->complete.load();
  });
  const auto found = subscribed_.find(id);
  if (found == subscribed_.end()) return;
  Subscribed subscribed = std::move(found->second);
  subscribed_.erase(found);
  if (drain && subscribed.handle) {
    subscribed.tap->draining = true;
    if (natsSubscription_DrainTimeout(subscribed.handle, kDrainMs) == NATS_OK) {
      draining_.push_back(std::move(subscribed));
      return;
    }
    subscribed.tap->draining = false;
  }
  natsSubscription_Destroy(subscribed.handle);
  if (drain) intake_->Put(Arrival(id, std::nullopt));
}

// What is on its way is handed over before the connection closes, and libnats's thread for it has ended.
void Sender::FinishDrains() {
  const TimePoint end = Now() + kLastDrain;
  for (const Subscribed& one : draining_)
    (void)natsSubscription_WaitForDrainCompletion(one.handle, std::max<int64_t>(Remaining(end).count(), 1));
}

void Sender::Tell(std::function<void(const Calls&)> call) {
  boost::asio::post(executor_, [calls = calls_, call = std::move(call)] { call(*calls); });
}

Awaitable<void> Sender::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  // In a cancelled coroutine, too: the thread refers to what is about to end.
  while (!end_->is_there) (void)co_await end_->changed.async_wait(kUseTuple);
  thread_.join();
}

}  // namespace llm_router::nats
