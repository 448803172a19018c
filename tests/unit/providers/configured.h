// Providers made in a test the way configuration makes them.
#pragma once

#include <string>
#include <utility>

#include "router/providers/providers.h"
#include "tests/support/catch.h"

namespace llm_router::test {

inline ProviderConfig Configured(std::string id, std::string type, std::string key = {},
                                 std::string key_variable = {}, std::string base_url = {}) {
  ProviderConfig config;
  config.id = std::move(id);
  config.type = std::move(type);
  config.key = Secret(std::move(key));
  config.key_variable = std::move(key_variable);
  config.base_url = std::move(base_url);
  return config;
}

inline Providers Resolved(std::vector<ProviderConfig> configured) {
  Config config;
  config.providers = std::move(configured);
  auto providers = Providers::Resolve(config);
  REQUIRE(providers.ok());
  return *std::move(providers);
}

// A call of `provider` for the model "m", of which nothing is taken away.
inline HttpCall CallOf(const Provider& provider, std::string body = "{}") {
  Warnings warnings;
  HttpCall call = provider.MakeCall("m", std::move(body), warnings);
  CHECK(warnings.empty());
  return call;
}

}  // namespace llm_router::test
