// EventStream: one subscription to events. Shared by its handle and its coroutine. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "broker_adapters/broker.h"
#include "broker_adapters/kubemq/live_stream.h"

namespace llm_router {

class EventStream final : public LiveStream<kubemq::EventReceive> {
 public:
  EventStream(std::shared_ptr<Connection> connection, const std::string& pattern, const std::string& group,
              EventHandler handler);

 private:
  Awaitable<void> Take(kubemq::EventReceive event) override;
  std::shared_ptr<Reader<kubemq::EventReceive>> Begin(bool marked,
                                                      const kubemq::Subscribe& subscribe) override;

  EventHandler handler_;
};

}  // namespace llm_router
