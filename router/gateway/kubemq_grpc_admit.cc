#include "router/gateway/kubemq_grpc_admit.h"

#include <fmt/format.h>

#include "proto/fault.h"

namespace llm_router {
namespace {

std::string_view PresentedKey(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  if (found == metadata.end()) return {};
  return {found->second.data(), found->second.size()};
}

absl::StatusOr<CallerPtr> CallerOf(const Access& access, std::string_view method,
                                   std::string_view presented) {
  const KubemqMethod* row = FindKubemqMethod(method);
  if (row == nullptr) return MakeFault(Fault::kPermissionDenied, fmt::format("no key may call {}", method));
  if (presented.empty() && !row->needs_key) return CallerPtr();
  return access.Authenticate(presented);
}

}  // namespace

absl::StatusOr<CallerPtr> Admit(DoorState& state, const grpc::CallbackServerContext& context,
                                std::string_view method) {
  auto caller = CallerOf(state.server->access(), method, PresentedKey(context));
  if (!caller.ok()) state.server->access().NoteDenial(caller.status(), kGrpcDoor, context.peer());
  return caller;
}

}  // namespace llm_router
