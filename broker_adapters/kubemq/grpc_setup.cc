#include "broker_adapters/kubemq/grpc_setup.h"

#include <grpc/support/log.h>

#include <atomic>
#include <mutex>
#include <string_view>

#include "absl/synchronization/mutex.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/log_limit.h"

namespace llm_router {
namespace {

constexpr std::string_view kFailedHandshake = "Handshake failed";

std::atomic<bool> tell_failed_handshakes = false;

// gRPC does not say whose it was.
void TellFailedHandshake(std::string_view line) {
  static std::mutex mutex;  // of `limit`: gRPC logs on several threads
  static LogLimit limit;
  const std::lock_guard lock(mutex);
  if (const auto left_out = limit.Admit(Now())) log::Info("gRPC port: {} ({} more)", line, *left_out);
}

void Tell(gpr_log_func_args* line) {
  const std::string_view message(line->message);
  if (tell_failed_handshakes && message.starts_with(kFailedHandshake)) return TellFailedHandshake(message);
  log::Debug("grpc: {}", message);
}

}  // namespace

void SetUpGrpc() {
  gpr_set_log_function(Tell);
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

void TellFailedHandshakes() { tell_failed_handshakes = true; }

}  // namespace llm_router
