#include "broker_adapters/nats/sender.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "broker_adapters/base/full_jitter.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr size_t kMostTasks = 100'000;
constexpr size_t kMostBytes = size_t{64} * 1024 * 1024;
constexpr Milliseconds kFirstWait(100);
constexpr Milliseconds kMostWait(2'000);

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

Sender::Sender(Executor executor, NatsOptions options, std::shared_ptr<Intake> intake, Calls calls)
    : executor_(executor),
      options_(std::move(options)),
      intake_(intake),
      calls_(std::make_shared<const Calls>(std::move(calls))),
      subscriptions_(std::move(intake)),
      end_(std::make_shared<End>(executor)),
      thread_([this] { Run(); }) {}

Sender::~Sender() {
  if (thread_.joinable()) thread_.join();
}

bool Sender::Publish(WireMessage message, TimePoint until, uint64_t told) {
  const size_t bytes = message.size();
  const std::lock_guard lock(mutex_);
  if (tasks_.size() >= kMostTasks || (bytes_ > 0 && bytes_ + bytes > kMostBytes)) return false;
  bytes_ += bytes;
  tasks_.emplace_back(Publication{std::move(message), until, told});
  changed_.notify_all();
  return true;
}

void Sender::Push(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  tasks_.emplace_back(std::move(work));
  changed_.notify_all();
}

void Sender::Subscribe(uint64_t id, std::string subject, std::string group) {
  Push([this, id, subject = std::move(subject), group = std::move(group)] {
    subscriptions_.Add(id, subject, group, connection_.get());
  });
}

void Sender::Unsubscribe(uint64_t id) {
  Push([this, id] { subscriptions_.Remove(id); });
}

void Sender::Drain(uint64_t id) {
  Push([this, id] { subscriptions_.Drain(id); });
}

void Sender::Run() {
  FullJitter backoff(kFirstWait, kMostWait);
  std::unique_lock lock(mutex_);
  while (!stopping_ || (connection_ && !lost_ && !tasks_.empty())) {
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
    changed_.wait(lock, [this] { return stopping_ || lost_ || !tasks_.empty(); });
    std::deque<Task> tasks;
    tasks.swap(tasks_);
    bytes_ = 0;
    lock.unlock();
    DoAll(std::move(tasks));
    lock.lock();
  }
  const bool is_well = connection_ && !lost_;
  lock.unlock();
  if (is_well) subscriptions_.FinishDrains();
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
  subscriptions_.BeginAll(*connection_);
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
  subscriptions_.EndAll();
  connection_.reset();
  Tell([](const Calls& to) {
    to.down(MakeFault(Fault::kEngineUnavailable, "the connection to the NATS server was closed: ask again"));
  });
}

void Sender::DoAll(std::deque<Task> tasks) {
  for (const Task& task : tasks) {
    if (const auto* publication = std::get_if<Publication>(&task)) {
      Send(*publication);
    } else {
      std::get<std::function<void()>>(task)();
    }
  }
}

void Sender::Send(const Publication& publication) {
  const WireMessage& message = publication.message;
  const natsStatus status = publication.until < Now() ? NATS_TIMEOUT : nats::Publish(*connection_, message);
  if (status == NATS_OK) return;
  if (publication.told == 0 || message.reply.empty()) return;
  WireMessage failed(message.reply, "");
  failed.status = kNotSent;
  failed.description = natsStatus_GetText(status);
  intake_->Put(Arrival(publication.told, std::move(failed)));
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
