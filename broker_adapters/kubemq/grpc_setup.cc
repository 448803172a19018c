#include "broker_adapters/kubemq/grpc_setup.h"

#include <grpc/support/log.h>

#include "absl/synchronization/mutex.h"
#include "broker_adapters/base/log.h"

namespace llm_router {

void SetUpGrpc() {
  gpr_set_log_function([](gpr_log_func_args* line) { log::Debug("grpc: {}", line->message); });
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

}  // namespace llm_router
