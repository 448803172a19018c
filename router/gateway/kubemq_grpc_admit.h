// Letting calls in at the KubeMQ gRPC door: who calls, what, and may they. On gRPC's threads; blocks on
// nothing but a short mutex.
#pragma once

#include <grpcpp/server_context.h>

#include <string_view>

#include "absl/status/statusor.h"
#include "proto/fault.h"
#include "router/gateway/kubemq_access.h"
#include "router/gateway/kubemq_grpc_state.h"

namespace llm_router {

// Whose call of `method` this is, by its metadata `authorization`. A refusal is counted and logged.
absl::StatusOr<CallerPtr> Admit(DoorState& state, const grpc::CallbackServerContext& context,
                                std::string_view method);

// Why `caller` may not do what `message` (of a type that kubemq_access.h knows) asks for, if so. A refusal is
// counted and logged.
template <class Message>
absl::Status CheckNoted(DoorState& state, const Caller& caller, const Message& message,
                        std::string_view peer) {
  absl::Status allowed = CheckAccess(caller, message);
  if (!allowed.ok()) state.server->access().NoteDenial(allowed, kGrpcDoor, peer);
  return allowed;
}

// The same for a call with `message`, which must also pass `check` (of kubemq_check.h).
template <class Message>
absl::StatusOr<CallerPtr> Admit(DoorState& state, const grpc::CallbackServerContext& context,
                                std::string_view method, const Message& message,
                                std::string_view (*check)(const Message&) = nullptr) {
  auto caller = Admit(state, context, method);
  if (!caller.ok()) return caller;
  const std::string_view text = check == nullptr ? std::string_view() : check(message);
  if (!text.empty()) return MakeFault(Fault::kInvalidRequest, text);
  absl::Status allowed = CheckAccess(**caller, message);
  if (allowed.ok()) return caller;
  state.server->access().NoteDenial(allowed, kGrpcDoor, context.peer());
  return allowed;
}

}  // namespace llm_router
