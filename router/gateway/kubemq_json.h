// The KubeMQ wire's messages as JSON, as KubeMQ's REST API has them. Pure; any thread.
//
// Keys are the names of the wire's fields; in requests their case does not matter, unknown ones and nulls are
// passed over. Zero values are left out, enums are numbers, bytes are base64 (in requests also an array of
// numbers), lists have at most 20,000 objects. Beyond that API: a body may be given as plain text in
// `BodyString`, and is shown there too when it is UTF-8.
#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace llm_router {

// Fills `message`, an empty one. Fault invalid_request: no JSON object, a key twice (of whatever case), a
// value of the wrong type; the sentence names it.
[[nodiscard]] absl::Status ReadKubemqJson(std::string_view text, google::protobuf::Message& message);

nlohmann::ordered_json ToKubemqJson(const google::protobuf::Message& message);

// On one line.
std::string WriteKubemqJson(const google::protobuf::Message& message);

}  // namespace llm_router
