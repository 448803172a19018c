// Pipeline: the stages a query passes on its way to a provider, and its reply on the way back.
//
// Built once by the composition root, which names the stages in order; then shared by every query. Loop
// thread only.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "router/pipeline/exchange.h"

namespace llm_router {

class Next;

// One stage. Code before `co_await next()` runs on the way in, after it on the way out; a stage may call it
// never, once or (one call per target) often. Stages hold no state of a query: that is the Exchange's.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next next) = 0;
};

// The rest of the pipeline, as a stage sees it.
class Next {
 public:
  Next(Exchange& exchange, std::span<const std::unique_ptr<Stage>> rest)
      : exchange_(&exchange), rest_(rest) {}
  Awaitable<absl::StatusOr<Reply>> operator()() const;

 private:
  Exchange* exchange_;
  std::span<const std::unique_ptr<Stage>> rest_;
};

class Pipeline {
 public:
  explicit Pipeline(std::vector<std::unique_ptr<Stage>> stages) : stages_(std::move(stages)) {}

  // The provider's answer as the caller's reply, or why there is none. Cancelled with its coroutine.
  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange) const;

 private:
  std::vector<std::unique_ptr<Stage>> stages_;
};

}  // namespace llm_router
