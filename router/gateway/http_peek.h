// PeekBody: the little that the gateway must know of a request's body. The rest is the worker's to read, and
// to refuse: no more than one walk over the text. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace llm_router {

struct PeekedBody {
  std::string model;
  bool stream = false;
};

// Fault invalid_request when it is no JSON object with a `model`, saying what is wrong with it.
absl::StatusOr<PeekedBody> PeekBody(std::string_view body);

}  // namespace llm_router
