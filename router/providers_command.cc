#include "router/providers_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/providers/probe.h"
#include "router/providers/provider_listing.h"
#include "router/providers/providers.h"

namespace llm_router {
namespace {

constexpr int kFailed = 1;
constexpr int kToldWrong = 2;
constexpr std::chrono::seconds kPatience{30};

int Fail(const absl::Status& why, int code) {
  std::fprintf(stderr, "error: %s\n", std::string(MessageOf(why)).c_str());
  return code;
}

bool IsConfigured(const Config& config, const std::string& id) {
  return std::ranges::find(config.providers, id, &ProviderConfig::id) != config.providers.end();
}

absl::Status NoSuchProvider(const Config& config, const std::string& name) {
  std::vector<std::string_view> ids;
  for (const ProviderConfig& provider : config.providers) ids.push_back(provider.id);
  std::vector<std::string_view> types;
  for (const ProviderRow& row : AllProviderRows()) types.push_back(row.type);
  return MakeFault(
      Fault::kInvalidRequest,
      fmt::format("{} is neither a configured provider nor a type: configured are {}; types are {}",
                  name.substr(0, 64), fmt::join(ids, ", "), fmt::join(types, ", ")));
}

// The configuration, with the provider `name` in it: for a type that nobody configured one of that name,
// whose key is where such keys usually are.
absl::StatusOr<Config> ConfigWith(const ServeArguments& arguments, const std::string& name) {
  ASSIGN_OR_RETURN(Config config, LoadConfig(LoadRequestOf(arguments.file, arguments.settings)));
  if (IsConfigured(config, name)) return config;
  const ProviderRow* row = FindProviderRow(name);
  if (row == nullptr) return NoSuchProvider(config, name);
  std::vector<std::string> settings = arguments.settings;
  settings.push_back(
      fmt::format("providers.{0}={{ type: {0}{1} }}", name,
                  row->key_variable.empty() ? "" : fmt::format(", key: \"${{{}}}\"", row->key_variable)));
  return LoadConfig(LoadRequestOf(arguments.file, settings));
}

// The first model that a route calls there, else the default of its type.
absl::StatusOr<std::string> ModelFor(const Config& config, const Provider& provider) {
  for (const RouteConfig& route : config.routes) {
    const auto target = std::ranges::find(route.targets, provider.id(), &TargetConfig::provider);
    if (target != route.targets.end()) return target->model;
  }
  if (!provider.row().default_model.empty()) return std::string(provider.row().default_model);
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("type {} has no default model: name one with --model", provider.row().type));
}

// Where to get another key, where the key is what is wrong.
absl::Status WithKeyPage(const absl::Status& failure, const Provider& provider) {
  const Fault fault = FaultOf(failure);
  const std::string_view page = provider.row().key_page;
  if (page.empty() || (fault != Fault::kProviderKeyMissing && fault != Fault::kProviderAuth)) return failure;
  return MakeFault(fault, fmt::format("{}; keys are made at {}", MessageOf(failure), page));
}

Awaitable<void> ProbeInto(HttpClient& http, const Provider& provider, const std::string& model,
                          absl::StatusOr<Probed>& probed) {
  probed = co_await Probe(http, provider, model, Now() + kPatience);
}

absl::StatusOr<Probed> RunProbe(const Provider& provider, const std::string& model) {
  Loop loop;
  HttpClient http(loop.executor());
  absl::StatusOr<Probed> probed = absl::CancelledError();
  loop.RunUntilDone([&] { return ProbeInto(http, provider, model, probed); });
  return probed;
}

}  // namespace

int ListProviders(const ServeArguments& arguments) {
  const LoadRequest request = LoadRequestOf(arguments.file, arguments.settings);
  const auto config = LoadConfig(request);
  if (!config.ok()) return Fail(config.status(), kToldWrong);
  const auto environment = ReadEnvironment(request);
  if (!environment.ok()) return Fail(environment.status(), kToldWrong);
  std::fputs(ProviderListing(*config, *environment).c_str(), stdout);
  return 0;
}

int TestProvider(const ServeArguments& arguments, const std::string& name, const std::string& model) {
  const auto config = ConfigWith(arguments, name);
  if (!config.ok()) return Fail(config.status(), kToldWrong);
  const auto providers = Providers::Resolve(*config);
  if (!providers.ok()) return Fail(providers.status(), kToldWrong);
  const Provider& provider = *providers->Find(name);
  const absl::StatusOr<std::string> asked = model.empty() ? ModelFor(*config, provider) : model;
  if (!asked.ok()) return Fail(asked.status(), kToldWrong);
  const auto probed = RunProbe(provider, *asked);
  if (!probed.ok()) return Fail(WithKeyPage(probed.status(), provider), kFailed);
  const std::string line =
      fmt::format("{}: {}, model {}, {} ms\n", name, provider.has_key() ? "key ok" : "no key needed",
                  probed->model, probed->latency.count());
  std::fputs(line.c_str(), stdout);
  return 0;
}

int PrintProviderReference() {
  std::fputs(ProviderReference().c_str(), stdout);
  return 0;
}

}  // namespace llm_router
