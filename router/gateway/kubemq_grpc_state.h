// What the calls of one KubeMQ door share. Loop thread only, but for `refusing`.
//
// Shared by the door and every call of it: gRPC's threads and handlers in the broker may hold a call a little
// longer than the door lives.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/task_group.h"
#include "router/gateway/channel_registry.h"
#include "router/gateway/door_stats.h"
#include "router/gateway/kubemq_asker.h"
#include "router/gateway/kubemq_grpc.h"
#include "router/gateway/pending_replies.h"

namespace grpc {
class Status;
}

namespace llm_router {

// A stream that the door ends when it stops.
class DoorStream {
 public:
  virtual ~DoorStream() = default;
  virtual void End(const grpc::Status& status) = 0;

  std::string peer;  // the connection it came by
};

struct DoorState {
  DoorState(Loop& door_loop, Broker& door_broker, KubemqDoorOptions door_options);

  // Takes a stream in, unless there are too many already.
  bool Add(std::shared_ptr<DoorStream> stream);
  void Remove(DoorStream* stream);
  std::vector<std::shared_ptr<DoorStream>> Streams() const;

  Loop& loop;
  Broker& broker;
  const KubemqDoorOptions options;
  TaskGroup tasks;
  Roster roster;
  ChannelRegistry channels;
  DoorStats stats;
  PendingReplies replies;
  KubemqAsker asker;
  size_t bytes_in_flight = 0;
  Timer changed;  // cancelled when a request ended
  bool stopping = false;
  bool grace_over = false;
  std::atomic<bool> refusing = false;  // read by gRPC's threads

 private:
  std::map<DoorStream*, std::shared_ptr<DoorStream>> streams_;
  absl::flat_hash_map<std::string, int> streams_by_peer_;
};

}  // namespace llm_router
