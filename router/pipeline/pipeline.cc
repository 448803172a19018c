#include "router/pipeline/pipeline.h"

#include "proto/fault.h"

namespace llm_router {

Awaitable<absl::StatusOr<Reply>> Next::operator()() const {
  if (rest_.empty())
    return []() -> Awaitable<absl::StatusOr<Reply>> {
      co_return MakeFault(Fault::kInternal, "the pipeline has no stage that answers");
    }();
  return rest_.front()->Run(*exchange_, Next(*exchange_, rest_.subspan(1)));
}

Awaitable<absl::StatusOr<Reply>> Pipeline::Run(Exchange& exchange) const { return Next(exchange, stages_)(); }

}  // namespace llm_router
