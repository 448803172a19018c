#include "router/gateway/kubemq_server.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/convert.h"
#include "router/gateway/kubemq_access.h"

namespace llm_router {
namespace {

constexpr int64_t kMaxInFlight = 100'000;
constexpr size_t kMaxBytesInFlight = size_t{2} * 1024 * 1024 * 1024;

// This machine's name as KubeMQ servers give it: no dots, no leading digit.
std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  std::string host(name.data());
  std::replace(host.begin(), host.end(), '.', '_');
  return host[0] >= '0' && host[0] <= '9' ? "kubemq-" + host : host;
}

}  // namespace

std::shared_ptr<KubemqServer> KubemqServer::Start(Loop& loop, Broker& broker, KubemqServerOptions options) {
  auto server = std::make_shared<KubemqServer>(loop, broker, std::move(options));
  server->roster_.Start();
  return server;
}

KubemqServer::KubemqServer(Loop& loop, Broker& broker, KubemqServerOptions options)
    : loop_(loop),
      broker_(broker),
      options_(std::move(options)),
      host_(HostName()),
      started_(UnixMillis() / 1000),
      tasks_(loop.executor()),
      roster_(broker, loop.executor()),
      changed_(loop.executor(), TimePoint::max()) {}

kubemq::PingResult KubemqServer::Ping() const {
  kubemq::PingResult result;
  result.set_host(host_);
  result.set_version(options_.version);
  result.set_serverstarttime(started_);
  result.set_serveruptimeseconds(std::max<int64_t>(UnixMillis() / 1000 - started_, 0));
  return result;
}

std::string KubemqServer::Publish(const kubemq::Event& event, const Caller& caller, DoorStats& stats) {
  if (const auto text = kubemq_check::Event(event); !text.empty()) return std::string(text);
  if (event.body().size() > options_.max_body)
    return "the event's body is larger than limits.body allows: send less, or raise that setting";
  channels_.Sent(ChannelType::kEvents, event.channel(), event.body().size());
  Message message = FromWire(event);
  StampTenant(caller, message);
  const absl::Status status = broker_.Publish(std::move(message));
  if (!status.ok()) return std::string(MessageOf(status));
  ++stats.events;
  return {};
}

void KubemqServer::Answer(const std::string& reply_channel, Reply reply, DoorStats& stats) {
  if (!replies_.Answer(reply_channel, std::move(reply))) ++stats.stray_answers;
}

bool KubemqServer::Enter(size_t bytes) {
  if (in_flight_ >= kMaxInFlight || bytes_in_flight_ + bytes > kMaxBytesInFlight) return false;
  ++in_flight_;
  bytes_in_flight_ += bytes;
  return true;
}

void KubemqServer::Leave(size_t bytes) {
  --in_flight_;
  bytes_in_flight_ -= bytes;
  changed_.cancel();
}

Awaitable<void> KubemqServer::Stop(Milliseconds grace) {
  if (refusing_.exchange(true)) co_return;
  const TimePoint deadline = Now() + grace;
  while (in_flight_ > 0 && Now() < deadline) {
    changed_.expires_at(deadline);
    (void)co_await changed_.async_wait(kUseTuple);
  }
  grace_over_ = true;
  tasks_.Cancel();
  co_await tasks_.Join();
  co_await roster_.Stop();
}

}  // namespace llm_router
