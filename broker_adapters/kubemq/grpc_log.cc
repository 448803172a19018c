#include "broker_adapters/kubemq/grpc_log.h"

#include <grpc/support/log.h>

#include "broker_adapters/base/log.h"

namespace llm_router {

void SendGrpcLogToOurs() {
  gpr_set_log_function([](gpr_log_func_args* line) { log::Debug("grpc: {}", line->message); });
}

}  // namespace llm_router
