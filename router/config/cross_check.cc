#include "router/config/cross_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "broker_adapters/base/status.h"
#include "router/config/chain_check.h"
#include "router/config/checks.h"
#include "router/config/nearest.h"

namespace llm_router {
namespace {

class CrossChecker {
 public:
  CrossChecker(const LoadRequest& request, Bound& bound, Problems& problems)
      : request_(request), bound_(bound), problems_(problems) {}

  void Run() {
    CheckBroker();
    CheckPorts();
    CheckWhoMayCome();
    CheckKeys();
    for (const ProviderConfig& provider : bound_.config.providers) CheckProvider(provider);
    for (RouteConfig& route : bound_.config.routes) {
      for (size_t i = 0; i < route.targets.size(); ++i) {
        CheckTarget(route.targets[i], fmt::format("routes.{}.targets[{}]", route.name, i));
      }
      CheckReserve(route, fmt::format("routes.{}.reserve", route.name));
    }
    CheckChains(bound_.config.routes,
                [this](const std::string& path, std::string_view complaint) { Complain(path, complaint); });
  }

 private:
  void Complain(const std::string& path, std::string_view complaint) {
    auto found = bound_.origins.find(path);
    if (found == bound_.origins.end()) found = bound_.origins.find(path.substr(0, path.rfind('.')));
    problems_.Add(path, complaint, found == bound_.origins.end() ? std::string_view() : found->second);
  }

  void CheckBroker() {
    const absl::Status known = request_.check_broker_url(bound_.config.broker.url);
    if (!known.ok()) Complain("broker", MessageOf(known));
  }

  void CheckPorts() {
    const ListenConfig& listen = bound_.config.listen;
    const std::pair<std::string_view, int> doors[] = {
        {"grpc", listen.grpc}, {"rest", listen.rest}, {"admin", listen.admin}, {"http", listen.http}};
    std::map<int, std::string_view> taken;
    for (const auto& [door, port] : doors) {
      const auto [owner, is_free] = taken.emplace(port, door);
      if (is_free || port == 0) continue;
      Complain(fmt::format("listen.{}", door),
               fmt::format("port {} is listen.{}'s already: give each its own, or 0 for any free one", port,
                           owner->second));
    }
  }

  // Without keys everyone who reaches the server has all access: so only this machine may reach it.
  void CheckWhoMayCome() {
    const Config& config = bound_.config;
    const bool has_keys = !config.keys.empty() || !config.keys_file.empty();
    if (config.open_access && has_keys) {
      Complain("access", "is open, and there are keys: remove one of the two");
    } else if (!config.open_access && !has_keys && !IsLoopback(config.listen.host)) {
      Complain(
          "listen.host",
          fmt::format("{} can be reached from other machines, and there are no keys: make one with "
                      "`llm-router keys new --tenant NAME` and give its entry under keys, or say access: "
                      "open if everyone may come in",
                      config.listen.host));
    }
  }

  void CheckKeys() {
    std::map<std::string_view, size_t> hashes, ids;
    const auto& keys = bound_.config.keys;
    for (size_t i = 0; i < keys.size(); ++i) {
      CheckOnce(hashes, keys[i].hash, i, "hash");
      CheckOnce(ids, keys[i].id, i, "id");
    }
  }

  void CheckOnce(std::map<std::string_view, size_t>& seen, std::string_view value, size_t i,
                 std::string_view name) {
    const auto [first, is_new] = seen.emplace(value, i);
    if (is_new || value.empty()) return;
    Complain(fmt::format("keys[{}].{}", i, name),
             fmt::format("is that of keys[{}] too: remove one of the two", first->second));
  }

  const ProviderType* TypeNamed(std::string_view name) const {
    const auto found = std::ranges::find(request_.provider_types, name, &ProviderType::name);
    return found == request_.provider_types.end() ? nullptr : &*found;
  }

  void CheckProvider(const ProviderConfig& provider) {
    if (provider.type.empty()) return;  // refused already
    const std::string path = fmt::format("providers.{}", provider.id);
    const ProviderType* type = TypeNamed(provider.type);
    if (type == nullptr) {
      std::vector<std::string_view> names;
      for (const ProviderType& known : request_.provider_types) names.push_back(known.name);
      Complain(path + ".type", fmt::format("is no provider type: use one of {}", fmt::join(names, ", ")));
      return;
    }
    if (type->needs_base_url && provider.base_url.empty() && !IsRefused(path + ".base_url")) {
      Complain(path + ".base_url", fmt::format("is missing: type {} has none of its own, give one such as {}",
                                               provider.type, type->example_base_url));
    }
    if (!type->takes_api_version && !provider.api_version.empty()) {
      Complain(path + ".api_version",
               fmt::format("is of no use to type {}: remove it, its URLs name no version", provider.type));
    }
  }

  // Whether somebody wrote a value there that was not taken.
  bool IsRefused(const std::string& path) const {
    return bound_.origins.contains(path) && !bound_.shown.contains(path);
  }

  void CheckTarget(TargetConfig& target, const std::string& path) {
    if (target.provider.empty()) return;  // refused already
    const auto provider = std::ranges::find(bound_.config.providers, target.provider, &ProviderConfig::id);
    if (provider == bound_.config.providers.end())
      return Complain(path + ".provider", NoSuch(target.provider));
    if (!target.model.empty() || IsRefused(path + ".model")) return;
    const ProviderType* type = TypeNamed(provider->type);
    if (type == nullptr) return;
    target.model = type->default_model;
    if (target.model.empty())
      Complain(path + ".model", "is missing: give the model, as the provider names it");
    bound_.shown.insert_or_assign(path + ".model", target.model);
  }

  void CheckReserve(RouteConfig& route, const std::string& path) {
    if (IsRefused(path) || IsRefused(fmt::format("routes.{}.concurrency", route.name))) return;
    if (!bound_.shown.contains(path)) {
      route.reserve = route.concurrency / 10;
      bound_.shown.insert_or_assign(path, fmt::format("{}", route.reserve));
    } else if (route.reserve > route.concurrency) {
      Complain(path, fmt::format("{} is more than routes.{}.concurrency, {}: give at most that many",
                                 route.reserve, route.name, route.concurrency));
    }
  }

  std::string NoSuch(std::string_view provider) const {
    std::vector<std::string_view> ids;
    for (const ProviderConfig& known : bound_.config.providers) ids.push_back(known.id);
    if (ids.empty()) return "names a provider that is not defined: define it under providers";
    const auto nearest = Nearest(provider, ids);
    const std::string hint = nearest ? fmt::format("did you mean {}?", *nearest)
                                     : std::string("define it under providers, or name one of these");
    return fmt::format("names a provider that is not defined: {} (defined: {})", hint, fmt::join(ids, ", "));
  }

  const LoadRequest& request_;
  Bound& bound_;
  Problems& problems_;
};

}  // namespace

void CrossCheck(const LoadRequest& request, Bound& bound, Problems& problems) {
  CrossChecker(request, bound, problems).Run();
}

}  // namespace llm_router
