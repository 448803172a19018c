// The replies of KubeMQ's REST API: an envelope around data, or an error. Pure; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "router/net/http_message.h"

namespace llm_router::rest_reply {

inline constexpr std::string_view kStopping = "rest server is not ready to accept requests";
inline constexpr std::string_view kNoQueues =
    "this server does not keep queues yet: send queries or events instead";

HttpResponse Data(nlohmann::ordered_json data);
HttpResponse Error(int status, std::string_view message);
// The refusal of a key.
HttpResponse Denial(const absl::Status& why);
HttpResponse Text(int status, std::string text);
// What the HTTP layer refuses: no such path, a method that the path does not take.
HttpResponse NotFound();
HttpResponse MethodNotAllowed(std::string_view allowed);

}  // namespace llm_router::rest_reply
