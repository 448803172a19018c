#include "router/roster/unserved_route.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kMostNamed = 20;
constexpr size_t kLongestRoute = 64;  // bytes of a stranger's text in an error

std::string Named(std::span<const contract::RouteModels> served) {
  std::vector<std::string_view> names;
  for (const contract::RouteModels& row : served.first(std::min(served.size(), kMostNamed))) {
    names.push_back(row.route);
  }
  const std::string list = fmt::format("{}", fmt::join(names, ", "));
  return served.size() > kMostNamed ? fmt::format("{} and {} more", list, served.size() - kMostNamed) : list;
}

}  // namespace

absl::Status UnservedRoute(std::string_view route, std::span<const contract::RouteModels> served) {
  const std::string_view asked = route.substr(0, kLongestRoute);
  if (served.empty()) {
    return MakeFault(Fault::kUnknownRoute,
                     fmt::format("no worker serves the route \"{}\", nor any other: start a worker", asked));
  }
  return MakeFault(Fault::kUnknownRoute,
                   fmt::format("no worker serves the route \"{}\"; there are: {}", asked, Named(served)));
}

}  // namespace llm_router
