// LoadConfig: from a file, the environment and the command line to a checked Config.
//
// The file is the one given, else $LLM_ROUTER_CONFIG, ./llm-router.yaml, /etc/llm-router/llm-router.yaml,
// else built-in settings. Over it come environment names (LLM_ROUTER_LISTEN_GRPC), over them --set. A `.env`
// in the directory adds to the environment what that does not name. Blocks on disk: call it before the loop
// runs. Fault invalid_request names everything that is wrong at once, a line each: `path: what is wrong:
// remedy`.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "router/config/config.h"
#include "router/config/expand.h"
#include "router/config/tree.h"

namespace llm_router {

// What a provider's `type` may be. The table is the providers' (router/providers), handed down to here.
struct ProviderType {
  std::string_view name;
  bool needs_base_url = false;          // it has none of its own
  std::string_view default_model = {};  // for targets that name none; empty: they must
  std::string_view example_base_url = {};
  bool takes_api_version = false;
};

struct LoadRequest {
  LoadRequest() = default;

  std::optional<std::filesystem::path> file;  // -c
  std::vector<std::string> set;               // --set PATH=VALUE
  Environment environment;
  std::filesystem::path directory = ".";  // where ./llm-router.yaml and .env are
  std::filesystem::path system_file = "/etc/llm-router/llm-router.yaml";
  std::span<const ProviderType> provider_types;
  std::function<absl::Status(std::string_view)> check_broker_url;  // CheckBrokerUrl; must be given
};

absl::StatusOr<Config> LoadConfig(const LoadRequest& request);

// A configuration to be shown: its secrets are "***".
// What the file says; what is built in where there is none.
absl::StatusOr<SettingNode> ReadWrittenSettings(const LoadRequest& request);
// What LoadConfig makes of it: every value in force, with its origin.
absl::StatusOr<SettingNode> ReadEffectiveSettings(const LoadRequest& request);

// The environment that a configuration is read with: what the request gives, with what a `.env` adds.
absl::StatusOr<Environment> ReadEnvironment(const LoadRequest& request);

// The environment of this process.
Environment ProcessEnvironment();

}  // namespace llm_router
