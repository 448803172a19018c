// What the HTTP gateway answers: one table. Constant data; any thread.
#pragma once

#include <string>
#include <string_view>

#include "router/gateway/http_call.h"

namespace llm_router {

struct FoundEndpoint {
  const GatewayEndpoint* endpoint = nullptr;  // null: no such path, or not by that method
  std::string_view id;                        // what stands for {} in its path, as it came
  std::string allowed;                        // methods of the path, "GET, DELETE"; empty: no such path
};
FoundEndpoint FindEndpoint(std::string_view method, std::string_view path);

}  // namespace llm_router
