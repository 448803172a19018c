#include "router/config/load.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/config/binder.h"
#include "router/config/cross_check.h"
#include "router/config/effective.h"
#include "router/config/env_file.h"
#include "router/config/file.h"
#include "router/config/keys_file.h"
#include "router/config/overrides.h"
#include "router/config/problems.h"
#include "router/config/settings.h"
#include "router/config/tree.h"

namespace llm_router {
namespace {

namespace fs = std::filesystem;

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

struct SettingsFile {
  fs::path path;
  std::string name;    // for errors
  std::string reason;  // why it is this one, for when it can't be read; empty: it was found
};

// The file to read, or nothing for the built-in settings.
std::optional<SettingsFile> FindFile(const LoadRequest& request, const Environment& environment) {
  if (request.file) return SettingsFile{request.directory / *request.file, request.file->string(), "-c"};
  const auto named = environment.find("LLM_ROUTER_CONFIG");
  if (named != environment.end() && !named->second.empty()) {
    return SettingsFile{request.directory / named->second, named->second, "$LLM_ROUTER_CONFIG"};
  }
  const fs::path here = request.directory / "llm-router.yaml";
  if (Exists(here)) return SettingsFile{here, "llm-router.yaml", ""};
  if (Exists(request.system_file)) return SettingsFile{request.system_file, request.system_file.string(), ""};
  return std::nullopt;
}

absl::StatusOr<SettingNode> ReadFileOfSettings(const SettingsFile& file) {
  const auto text = ReadSettingsFile(file.path);
  if (!text.ok()) return file.reason.empty() ? text.status() : Annotate(text.status(), file.reason);
  return ParseYaml(*text, file.name);
}

// The top-level entry of that name, made or emptied when it says nothing; null when it says something.
SettingNode* Unwritten(SettingNode& root, std::string_view name) {
  SettingNode* node = root.Find(name);
  if (node == nullptr) node = &root.children.emplace_back();
  return node->kind == SettingNode::Kind::kNull ? node : nullptr;
}

// Gives a file that names no providers, or no routes, the built-in ones; of the routes, those whose provider
// the file left in place.
void AddBuiltIn(SettingNode& root, const SettingNode& built_in) {
  if (SettingNode* providers = Unwritten(root, "providers")) *providers = *built_in.Find("providers");
  SettingNode* routes = Unwritten(root, "routes");
  if (routes == nullptr) return;
  *routes = *built_in.Find("routes");
  const SettingNode& providers = *root.Find("providers");
  std::erase_if(routes->children, [&providers](const SettingNode& route) {
    return providers.Find(route.Find("targets")->children[0].Find("provider")->text) == nullptr;
  });
}

absl::StatusOr<SettingNode> ReadSettings(const LoadRequest& request, const Environment& environment) {
  ASSIGN_OR_RETURN(const SettingNode built_in, ParseYaml(kBuiltInSettings, "built-in settings"));
  SettingNode root;
  if (const auto file = FindFile(request, environment)) {
    ASSIGN_OR_RETURN(root, ReadFileOfSettings(*file));
  }
  if (root.kind == SettingNode::Kind::kNull) root.kind = SettingNode::Kind::kMap;
  if (root.kind == SettingNode::Kind::kMap) AddBuiltIn(root, built_in);
  return root;
}

// The first 12 hex digits of the SHA-256 of every value in force.
std::string VersionOf(const Bound& bound) {
  std::string text;
  for (const auto& [path, value] : bound.shown) text += fmt::format("{}={}\n", path, value);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string version;
  for (size_t i = 0; i < 6; ++i) version += fmt::format("{:02x}", digest[i]);
  return version;
}

struct Loaded {
  Loaded() = default;

  Environment environment;
  SettingNode root;
  Bound bound;
};

absl::StatusOr<Loaded> Load(const LoadRequest& request) {
  Loaded loaded;
  ASSIGN_OR_RETURN(loaded.environment, ReadEnvironment(request));
  ASSIGN_OR_RETURN(loaded.root, ReadSettings(request, loaded.environment));
  Problems problems;
  if (loaded.root.kind == SettingNode::Kind::kMap) {
    ApplyEnvironment(loaded.root, loaded.environment, problems);
    ApplySet(loaded.root, request.set, problems);
    AddKeysFile(loaded.root, request.directory, loaded.environment, problems);
  }
  loaded.bound = Bind(loaded.root, loaded.environment, problems);
  CrossCheck(request, loaded.bound, problems);
  RETURN_IF_ERROR(problems.ToStatus());
  if (const auto file = FindFile(request, loaded.environment)) loaded.bound.config.file = file->path.string();
  loaded.bound.config.version = VersionOf(loaded.bound);
  return loaded;
}

}  // namespace

absl::StatusOr<Config> LoadConfig(const LoadRequest& request) {
  ASSIGN_OR_RETURN(Loaded loaded, Load(request));
  return std::move(loaded.bound.config);
}

absl::StatusOr<SettingNode> ReadWrittenSettings(const LoadRequest& request) {
  ASSIGN_OR_RETURN(const Environment environment, ReadEnvironment(request));
  const auto file = FindFile(request, environment);
  auto root = file ? ReadFileOfSettings(*file) : ParseYaml(kBuiltInSettings, "built-in settings");
  RETURN_IF_ERROR(root.status());
  return WrittenSettings(*root);
}

absl::StatusOr<SettingNode> ReadEffectiveSettings(const LoadRequest& request) {
  ASSIGN_OR_RETURN(const Loaded loaded, Load(request));
  return EffectiveSettings(loaded.root, loaded.bound, loaded.environment);
}

absl::StatusOr<Environment> ReadEnvironment(const LoadRequest& request) {
  Environment environment = request.environment;
  const fs::path path = request.directory / ".env";
  if (!Exists(path)) return environment;
  ASSIGN_OR_RETURN(const std::string text, ReadSettingsFile(path));
  ASSIGN_OR_RETURN(Environment added, ParseEnvFile(text, ".env"));
  environment.merge(added);
  return environment;
}

Environment ProcessEnvironment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

}  // namespace llm_router
