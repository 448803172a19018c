#include "client/cli/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "client/cli/console.h"

namespace llm_router::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string ToJson(const std::vector<client::Route>& routes) {
  Json json = Json::array();
  for (const client::Route& route : routes) {
    json.push_back({{"route", route.name},
                    {"models", route.models},
                    {"workers", route.workers},
                    {"in_flight", route.in_flight},
                    {"capacity", route.capacity}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string TableOf(const std::vector<client::Route>& routes) {
  size_t name_width = 5;
  size_t models_width = 6;
  for (const client::Route& route : routes) {
    name_width = std::max(name_width, route.name.size());
    models_width = std::max(models_width, fmt::format("{}", fmt::join(route.models, ", ")).size());
  }
  std::string table =
      fmt::format("{:<{}}  {:<{}}  WORKERS  IN FLIGHT\n", "ROUTE", name_width, "MODELS", models_width);
  for (const client::Route& route : routes) {
    table += fmt::format("{:<{}}  {:<{}}  {:>7}  {:>9}\n", route.name, name_width,
                         fmt::format("{}", fmt::join(route.models, ", ")), models_width, route.workers,
                         fmt::format("{}/{}", route.in_flight, route.capacity));
  }
  return table;
}

int RunRoutes(const RoutesOptions& options, std::ostream& out, std::ostream& err) {
  client::Client client(options.server);
  const auto routes = client.Routes();
  if (!routes.ok()) return Fail(routes.error(), err);
  if (options.json) {
    out << ToJson(*routes) << std::endl;
  } else if (!routes->empty()) {
    out << TableOf(*routes) << std::flush;
  }
  if (routes->empty()) {
    err << "note: no worker is connected to " << client.address()
        << "; `llm-router serve` runs one, `--roles worker` adds one\n";
  }
  return kDone;
}

}  // namespace llm_router::cli
