#include "client/cli/usual_route.h"

namespace llm_router::cli {

client::Result<std::string> UsualRoute(client::Client& client) {
  const auto routes = client.Routes();
  if (!routes.ok()) return routes.error();
  std::string names;
  for (const client::Route& route : *routes) {
    if (route.name == kUsualRoute) return route.name;
    names += (names.empty() ? "" : ", ") + route.name;
  }
  if (routes->empty()) return std::string(kUsualRoute);  // workers of others send no heartbeats
  if (routes->size() == 1) return routes->front().name;
  return client::Error{client::ErrorCode::kUnknownRoute,
                       "there are several routes: name one with -r: " + names, std::nullopt};
}

}  // namespace llm_router::cli
