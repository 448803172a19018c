// Problems: all that is wrong with a configuration, gathered so that it is told at once.
//
// A plain value of whoever loads a configuration. Each problem reads `path: what is wrong: remedy (where)`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace llm_router {

class Problems {
 public:
  // `complaint` is "what is wrong: remedy"; `origin` is where the value came from (llm-router.yaml:7, --set,
  // LLM_ROUTER_LOG), empty for what nobody wrote.
  void Add(std::string_view path, std::string_view complaint, std::string_view origin = {});

  bool empty() const { return lines_.empty(); }

  // Fault invalid_request with one problem a line, or OK when there is none. Tells at most 50 of them.
  [[nodiscard]] absl::Status ToStatus() const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace llm_router
