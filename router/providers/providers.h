// Providers: every provider of a configuration, by id.
//
// Made and owned by the composition root; constant once the process serves, then any thread. Provider
// pointers stay valid as long as it lives, also when it is moved.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "router/config/config.h"
#include "router/providers/provider.h"

namespace llm_router {

class Providers {
 public:
  // Fault invalid_request for a type the table does not have. A key that is missing is no failure here: it is
  // one of the query that needs it (Provider::CheckKey).
  static absl::StatusOr<Providers> Resolve(const Config& config);

  // The provider of that id, or null.
  const Provider* Find(std::string_view id) const;

  // Points every provider that needs a key and has none at the simulator at `root` (http://127.0.0.1:8001),
  // and returns their ids.
  std::vector<std::string> SimulateMissing(std::string_view root);

 private:
  std::vector<Provider> providers_;
};

}  // namespace llm_router
