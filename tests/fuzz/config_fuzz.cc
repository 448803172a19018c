// A configuration file, from YAML to a checked Config; and a .env, when the first byte is '='.
#include <string>

#include "proto/fault.h"
#include "router/config/binder.h"
#include "router/config/cross_check.h"
#include "router/config/env_file.h"
#include "router/config/load.h"
#include "router/config/overrides.h"
#include "tests/fuzz/fuzz.h"

namespace llm_router {
namespace {

using fuzz::Must;

constexpr ProviderType kTypes[] = {{"openai", false, "gpt-4o-mini"}, {"openai_compatible", true, ""}};

void MustBeWorded(const absl::Status& status) {
  if (status.ok()) return;
  Must(FaultOf(status) == Fault::kInvalidRequest, "what is wrong with a file is its writer's fault");
  Must(!status.message().empty(), "what is wrong is said");
}

void FeedEnvironment(std::string_view text) { MustBeWorded(ParseEnvFile(text, ".env").status()); }

void FeedFile(std::string_view text) {
  auto root = ParseYaml(text, "llm-router.yaml");
  MustBeWorded(root.status());
  if (!root.ok()) return;
  const Environment environment = {{"A_KEY", "k"}, {"LLM_ROUTER_LISTEN_GRPC", "7"}};
  Problems problems;
  if (root->kind == SettingNode::Kind::kMap) ApplyEnvironment(*root, environment, problems);
  Bound bound = Bind(*root, environment, problems);
  LoadRequest request;
  request.provider_types = kTypes;
  request.check_broker_url = [](std::string_view url) {
    return url.starts_with("embedded:") ? absl::OkStatus()
                                        : MakeFault(Fault::kInvalidRequest, "is no broker");
  };
  CrossCheck(request, bound, problems);
  MustBeWorded(problems.ToStatus());
}

}  // namespace
}  // namespace llm_router

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = llm_router::fuzz::TextOf(data, size);
  if (text.starts_with('=')) {
    llm_router::FeedEnvironment(text.substr(1));
  } else {
    llm_router::FeedFile(text);
  }
  return 0;
}
