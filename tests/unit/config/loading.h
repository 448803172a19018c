// Loading: a directory of its own with the files that a case writes, and LoadConfig over it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/config/load.h"
#include "tests/support/catch.h"

namespace llm_router::test {

inline constexpr ProviderType kProviderTypes[] = {
    {"anthropic", false, "claude-sonnet-4-5"},
    {"azure", true, "gpt-4o-mini", "https://RESOURCE.openai.azure.com", true},
    {"openai", false, "gpt-4o-mini"},
    {"openai_compatible", true, "", "http://127.0.0.1:8001/v1"}};

inline absl::Status CheckAnyBroker(std::string_view url) {
  for (const char* scheme : {"embedded:", "kubemq://", "nats://"})
    if (url.starts_with(scheme)) return absl::OkStatus();
  return MakeFault(Fault::kInvalidRequest, "is no broker: give embedded:DIR or kubemq://host:port");
}

class Loading {
 public:
  Loading() {
    std::string pattern = (std::filesystem::temp_directory_path() / "llm-router-config-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    request.directory = pattern;
    request.system_file = request.directory / "etc" / "llm-router.yaml";
    request.provider_types = kProviderTypes;
    request.check_broker_url = CheckAnyBroker;
  }
  // The usual case: one file, ./llm-router.yaml.
  explicit Loading(std::string_view yaml) : Loading() { Write("llm-router.yaml", yaml); }
  ~Loading() { std::filesystem::remove_all(request.directory); }
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;

  void Write(std::string_view name, std::string_view text) const {
    const auto path = request.directory / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  Config Load() const {
    auto config = LoadConfig(request);
    INFO(config.status());
    REQUIRE(config.ok());
    return *std::move(config);
  }

  std::string Error() const {
    const auto config = LoadConfig(request);
    REQUIRE_FALSE(config.ok());
    CHECK(FaultOf(config.status()) == Fault::kInvalidRequest);
    return std::string(MessageOf(config.status()));
  }

  LoadRequest request;
};

}  // namespace llm_router::test
