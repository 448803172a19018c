// `llm-router routes`: who serves what now.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "client/client.h"

namespace llm_router::cli {

struct RoutesOptions {
  client::Options server;
  bool json = false;
};

// Writes a table, or a JSON array, to `out`. Gives the exit code (console.h).
int RunRoutes(const RoutesOptions& options, std::ostream& out, std::ostream& err);

// The table, a line per route under one of headings.
std::string TableOf(const std::vector<client::Route>& routes);

}  // namespace llm_router::cli
