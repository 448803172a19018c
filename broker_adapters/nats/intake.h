// Intake: hands what libnats's threads receive over to the loop, many messages at a wake-up.
//
// Shared by the connection and by libnats, which may hold it a moment longer. Put on any thread, the rest on
// the loop's. Holds at most 65,536 messages and 256 MB; what comes beyond that while the loop is busy is
// dropped, and the log says so.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/nats/wire_message.h"

namespace llm_router::nats {

struct Arrival {
  Arrival(uint64_t its_subscription, std::optional<WireMessage> its_message)
      : subscription(its_subscription), message(std::move(its_message)) {}

  uint64_t subscription;
  std::optional<WireMessage> message;  // nothing: it was drained, and this is its end
};

class Intake : public std::enable_shared_from_this<Intake> {
 public:
  using Handler = std::function<void(Arrival)>;

  Intake(Executor executor, Handler handler);

  void Put(Arrival arrival);
  // Nothing is handed over, and nothing posted to the loop, from now on.
  void Close();

 private:
  void HandOver();

  const Executor executor_;
  Handler handler_;  // of the loop
  std::mutex mutex_;
  std::deque<Arrival> waiting_;
  size_t bytes_ = 0;
  bool posted_ = false;
  bool closed_ = false;
  LogLimit dropped_;
};

}  // namespace llm_router::nats
