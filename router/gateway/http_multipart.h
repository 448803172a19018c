// Multipart bodies (RFC 7578), as OpenAI's SDKs upload files: read whole, strictly. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace llm_router {

// Borrowed from the body.
struct FormPart {
  FormPart() = default;

  std::string name;
  std::string filename;  // empty: none was given
  std::string_view content;
};

// At most 64 parts. Fault invalid_request, saying what is wrong.
absl::StatusOr<std::vector<FormPart>> ReadMultipart(std::string_view content_type, std::string_view body);

}  // namespace llm_router
