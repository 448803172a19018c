// What the Files API reads of a stranger: a form, whose first line is its content-type here. What is read
// lies in the body, and reads again as the same when it is written with another boundary.
#include <fmt/format.h>

#include "proto/fault.h"
#include "router/gateway/http_multipart.h"
#include "tests/fuzz/fuzz.h"

namespace llm_router {
namespace {

using fuzz::Must;

constexpr std::string_view kBoundary = "another-boundary";

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string Written(const std::vector<FormPart>& parts) {
  std::string form;
  for (const FormPart& part : parts) {
    form += fmt::format("--{}\r\nContent-Disposition: form-data; name={}; filename={}\r\n\r\n{}\r\n",
                        kBoundary, Quoted(part.name), Quoted(part.filename), part.content);
  }
  return form + fmt::format("--{}--\r\n", kBoundary);
}

void CheckSame(const std::vector<FormPart>& parts, std::string_view body) {
  if (body.find(kBoundary) != body.npos) return;
  const std::string form = Written(parts);
  const auto again = ReadMultipart(fmt::format("multipart/form-data; boundary={}", kBoundary), form);
  Must(again.ok() && again->size() == parts.size(), "what is written reads again");
  for (size_t i = 0; i < parts.size(); ++i) {
    Must((*again)[i].name == parts[i].name && (*again)[i].filename == parts[i].filename &&
             (*again)[i].content == parts[i].content,
         "and is the same");
  }
}

}  // namespace
}  // namespace llm_router

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llm_router;
  const std::string_view text = fuzz::TextOf(data, size);
  const std::string_view type = text.substr(0, text.find('\n'));
  const std::string_view body = text.substr(std::min(text.size(), type.size() + 1));
  const auto parts = ReadMultipart(type, body);
  if (!parts.ok()) {
    Must(FaultOf(parts.status()) == Fault::kInvalidRequest, "a bad form is its sender's");
    return 0;
  }
  Must(parts->size() <= 64, "the number of parts has a bound");
  for (const FormPart& part : *parts) {
    Must(!part.name.empty(), "a part has a name");
    Must(part.content.data() >= body.data() &&
             part.content.data() + part.content.size() <= body.data() + body.size(),
         "a part lies in the body");
  }
  CheckSame(*parts, body);
  return 0;
}
