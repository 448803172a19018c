#include "router/jobs/aborts.h"

#include <string>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/control.h"

namespace llm_router {
namespace {

constexpr int64_t kRemembered = 60'000;  // ms, by a worker that has not begun yet

}  // namespace

void TellToDrop(Broker& broker, const Aborted& aborted, int64_t now) {
  Message event(contract::WorkerControlChannel(aborted.worker),
                ToJson(contract::Cancel(aborted.job, now + kRemembered)));
  event.tags[std::string(contract::tag::kTenant)] = aborted.tenant;
  const absl::Status told = broker.Publish(std::move(event));
  if (!told.ok()) log::Warning("worker {} is not told to drop a job: {}", aborted.worker, MessageOf(told));
}

}  // namespace llm_router
