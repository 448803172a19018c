// InFlight: the gRPC calls that gRPC still holds, so that Stop can cancel them and wait for their end. Loop
// thread only. Destroyed empty.
#pragma once

#include <grpcpp/client_context.h>

#include "absl/container/flat_hash_set.h"
#include "broker_adapters/base/awaitable.h"

namespace llm_router {

class InFlight {
 public:
  explicit InFlight(Executor executor) : changed_(executor, TimePoint::max()) {}

  void Add(grpc::ClientContext* call) { calls_.insert(call); }
  void Remove(grpc::ClientContext* call) {
    calls_.erase(call);
    if (calls_.empty()) changed_.cancel();
  }
  void CancelAll() {
    for (grpc::ClientContext* call : calls_) call->TryCancel();
  }

  // Whether none was left by `deadline`. Waits in a cancelled coroutine too: who stops must wait.
  Awaitable<bool> Empty(TimePoint deadline) {
    while (!calls_.empty() && Now() < deadline) {
      changed_.expires_at(deadline);
      (void)co_await changed_.async_wait(kUseTuple);
    }
    co_return calls_.empty();
  }

 private:
  absl::flat_hash_set<grpc::ClientContext*> calls_;
  Timer changed_;
};

}  // namespace llm_router
