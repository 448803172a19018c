#include "router/roster/roster.h"

#include <string>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

constexpr size_t kMaxHeartbeat = 256 * 1024;  // bytes; anyone may publish there

}  // namespace

Awaitable<void> Roster::Listen() {
  while (!co_await Cancelled()) {
    auto heartbeats = co_await broker_.Subscribe(std::string(contract::kHeartbeatChannel), "",
                                                 [this](const Message& event) { Hear(event); });
    if (heartbeats.ok()) {
      heartbeats_ = *std::move(heartbeats);
      co_return;
    }
    log::Warning("cannot hear the workers' heartbeats: {}; trying again", MessageOf(heartbeats.status()));
    if (!co_await Sleep(Now() + std::chrono::seconds(1))) co_return;
  }
}

void Roster::Hear(const Message& event) {
  if (event.body.size() > kMaxHeartbeat) return;
  auto beat = contract::ParseHeartbeat(event.body);
  if (!beat.ok()) return;
  table_.Beat(*std::move(beat), Now());
  if (heard_) heard_();
}

Awaitable<void> Roster::Stop() {
  tasks_.Cancel();
  co_await tasks_.Join();
  heartbeats_.reset();
}

}  // namespace llm_router
