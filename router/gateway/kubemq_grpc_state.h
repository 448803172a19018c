// What the calls of one KubeMQ gRPC door share. Loop thread only, but for `server->refusing()`.
//
// Shared by the door and every call of it: gRPC's threads and handlers in the broker may hold a call a little
// longer than the door lives.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "router/gateway/kubemq_asker.h"
#include "router/gateway/kubemq_grpc.h"
#include "router/gateway/kubemq_queues.h"

namespace grpc {
class Status;
}

namespace llm_router {

// What the log calls it.
inline constexpr std::string_view kGrpcDoor = "grpc";

// A stream that the door ends when it stops.
class DoorStream {
 public:
  virtual ~DoorStream() = default;
  virtual void End(const grpc::Status& status) = 0;

  std::string peer;  // the connection it came by
  CallerPtr caller;  // whose it is
};

struct DoorState {
  DoorState(std::shared_ptr<KubemqServer> door_server, KubemqDoorOptions door_options);

  // Takes a stream in, unless there are too many already.
  bool Add(std::shared_ptr<DoorStream> stream);
  void Remove(DoorStream* stream);
  std::vector<std::shared_ptr<DoorStream>> Streams() const;

  const std::shared_ptr<KubemqServer> server;
  Loop& loop;
  const KubemqDoorOptions options;
  TaskGroup tasks;  // of the subscriptions
  DoorStats stats;
  KubemqAsker asker;
  KubemqQueues queues;

 private:
  std::map<DoorStream*, std::shared_ptr<DoorStream>> streams_;
  absl::flat_hash_map<std::string, int> streams_by_peer_;
};

}  // namespace llm_router
