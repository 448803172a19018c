// Probe: one tiny real call of a provider, to learn whether it works as configured.
//
// Loop thread; ends at its deadline or when its coroutine is cancelled. Faults are those of any call
// (provider_key_missing, provider_auth, ...), each with its remedy.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"
#include "router/net/http_client.h"
#include "router/providers/provider.h"

namespace llm_router {

struct Probed {
  Probed() = default;

  std::string model;  // as the provider names the one that answered
  Milliseconds latency{0};
};

// `http` and `provider` outlive the call.
Awaitable<absl::StatusOr<Probed>> Probe(HttpClient& http, const Provider& provider, std::string model,
                                        TimePoint deadline);

}  // namespace llm_router
