// KubemqServer: what the KubeMQ doors of one process share, whatever wire they speak: who waits for which
// answer, the channels seen, the cache, the living workers, and the bounds on it all.
//
// So a query that came by one door may go to a subscriber of another, and be answered by a third. Loop thread
// only, but for `refusing` and `options`. Shared by the doors and their calls: gRPC's threads and handlers in
// the broker may hold a call a little longer than its door lives. `co_await Stop()` before the doors' Stop,
// and before the broker's.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "kubemq.pb.h"
#include "router/gateway/access.h"
#include "router/gateway/channel_registry.h"
#include "router/gateway/door_stats.h"
#include "router/gateway/pending_replies.h"
#include "router/gateway/query_cache.h"
#include "router/roster/roster.h"

namespace llm_router {

class Tracer;

struct KubemqServerOptions {
  KubemqServerOptions() = default;

  size_t max_body = 32 * 1024 * 1024;  // bytes of a query, reply or event
  // Whose calls are let in. Shared: calls may outlast their door a little. Default: everyone's.
  std::shared_ptr<Access> access = std::make_shared<Access>();
  std::string version = "v2.4.0";  // in Ping; SDKs warn about versions they do not know
  Tracer* tracer = nullptr;        // outlives the server; none: nothing is traced
  // False: like a foreign server, without what is ours alone (kubemq_grpc.h), and callers of a subscriber
  // that went away are not told.
  bool announce = true;
};

class KubemqServer {
 public:
  // Listens to the workers' heartbeats from now on.
  static std::shared_ptr<KubemqServer> Start(Loop& loop, Broker& broker, KubemqServerOptions options = {});
  KubemqServer(Loop& loop, Broker& broker, KubemqServerOptions options);

  Loop& loop() { return loop_; }
  Broker& broker() { return broker_; }
  const KubemqServerOptions& options() const { return options_; }
  Access& access() const { return *options_.access; }  // any thread
  Roster& roster() { return roster_; }
  ChannelRegistry& channels() { return channels_; }
  QueryCache& cache() { return cache_; }
  PendingReplies& replies() { return replies_; }
  // Where requests run.
  TaskGroup& tasks() { return tasks_; }

  kubemq::PingResult Ping() const;
  // Publishes one event, not to be stored (stored_door.h), that `caller` may publish (kubemq_access.h); the
  // text to refuse it with, or nothing.
  std::string Publish(const kubemq::Event& event, const Caller& caller, DoorStats& stats);
  // Gives a checked answer to whoever waits for it: late, second and unknown ones are dropped.
  void Answer(const std::string& reply_channel, Reply reply, DoorStats& stats);

  // Takes a request of that many bytes in, unless there are too many already; Leave follows.
  bool Enter(size_t bytes);
  void Leave(size_t bytes);

  // Takes no more requests, answers those in flight for at most `grace`, then tells the rest that it is
  // shutting down. The doors stay open meanwhile: remote workers answer through them.
  Awaitable<void> Stop(Milliseconds grace = std::chrono::seconds(20));
  bool refusing() const { return refusing_; }      // any thread
  bool grace_over() const { return grace_over_; }  // what is cancelled now is cut by us, not by its caller

 private:
  Loop& loop_;
  Broker& broker_;
  const KubemqServerOptions options_;
  const std::string host_;
  const int64_t started_;  // Unix seconds
  TaskGroup tasks_;
  Roster roster_;
  ChannelRegistry channels_;
  QueryCache cache_;
  PendingReplies replies_;
  int64_t in_flight_ = 0;
  size_t bytes_in_flight_ = 0;
  Timer changed_;  // cancelled when a request ended
  bool grace_over_ = false;
  std::atomic<bool> refusing_ = false;
};

}  // namespace llm_router
