#include "router/gateway/kubemq_grpc_state.h"

#include <utility>

namespace llm_router {
namespace {

constexpr size_t kMaxStreams = 10'000;
constexpr int kMaxStreamsOfPeer = 1'000;

}  // namespace

DoorState::DoorState(std::shared_ptr<KubemqServer> door_server, KubemqDoorOptions door_options)
    : server(std::move(door_server)),
      loop(server->loop()),
      options(std::move(door_options)),
      tasks(loop.executor()),
      asker(*server, stats),
      queues(*server) {}

bool DoorState::Add(std::shared_ptr<DoorStream> stream) {
  int& of_peer = streams_by_peer_[stream->peer];
  if (streams_.size() >= kMaxStreams || of_peer >= kMaxStreamsOfPeer) return false;
  ++of_peer;
  ++stats.subscriptions;
  DoorStream* const key = stream.get();
  streams_.emplace(key, std::move(stream));
  return true;
}

void DoorState::Remove(DoorStream* stream) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  --stats.subscriptions;
  if (--streams_by_peer_[stream->peer] == 0) streams_by_peer_.erase(stream->peer);
  streams_.erase(found);
}

std::vector<std::shared_ptr<DoorStream>> DoorState::Streams() const {
  std::vector<std::shared_ptr<DoorStream>> streams;
  for (const auto& [key, stream] : streams_) streams.push_back(stream);
  return streams;
}

}  // namespace llm_router
