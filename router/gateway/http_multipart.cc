#include "router/gateway/http_multipart.h"

#include <fmt/format.h>

#include <optional>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/net/http_headers.h"

namespace llm_router {
namespace {

constexpr size_t kMostParts = 64;
constexpr size_t kLongestBoundary = 70;        // RFC 2046
constexpr size_t kLongestPartHead = 8 * 1024;  // bytes

absl::Status Bad(std::string_view what) {
  return MakeFault(
      Fault::kInvalidRequest,
      fmt::format("the body is no multipart/form-data: {}; send one, as OpenAI's SDKs do", what));
}

std::string_view Trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// A quoted string with its escapes, or a token up to the next ';'. Takes it off `rest`.
std::string TakeValue(std::string_view& rest) {
  std::string value;
  if (!rest.starts_with('"')) {
    const auto end = std::min(rest.find(';'), rest.size());
    value = Trimmed(rest.substr(0, end));
    rest.remove_prefix(end);
    return value;
  }
  size_t at = 1;
  while (at < rest.size() && rest[at] != '"') {
    if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
    value.push_back(rest[at++]);
  }
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return value;
}

// The parameter of a header's value: form-data; name="file"; filename="a.jsonl".
std::optional<std::string> Parameter(std::string_view value, std::string_view name) {
  auto at = value.find(';');
  while (at != value.npos) {
    std::string_view rest = Trimmed(value.substr(at + 1));
    const auto equals = rest.find('=');
    if (equals == rest.npos) return std::nullopt;
    const std::string key = LowerCase(Trimmed(rest.substr(0, equals)));
    rest = Trimmed(rest.substr(equals + 1));
    std::string found = TakeValue(rest);
    if (key == name) return found;
    value = rest;
    at = value.find(';');
  }
  return std::nullopt;
}

absl::StatusOr<std::string> BoundaryOf(std::string_view content_type) {
  if (!LowerCase(content_type).starts_with("multipart/form-data")) return Bad("its content-type is another");
  const auto boundary = Parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kLongestBoundary)
    return Bad("its content-type names no boundary");
  return *boundary;
}

absl::StatusOr<FormPart> ReadPart(std::string_view text) {
  const auto end = text.find("\r\n\r\n");
  if (end == text.npos || end > kLongestPartHead) return Bad("a part has no headers");
  FormPart part;
  part.content = text.substr(end + 4);
  std::string_view head = text.substr(0, end);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    const auto colon = line.find(':');
    if (colon == line.npos) return Bad("a part's header has no colon");
    if (LowerCase(Trimmed(line.substr(0, colon))) != "content-disposition") continue;
    part.name = Parameter(line.substr(colon + 1), "name").value_or("");
    part.filename = Parameter(line.substr(colon + 1), "filename").value_or("");
  }
  if (part.name.empty()) return Bad("a part has no name");
  // An escape can hide one, and no header that tells the name again could hold it.
  if ((part.name + part.filename).find_first_of("\r\n") != std::string::npos)
    return Bad("a part's name has a line break in it");
  return part;
}

}  // namespace

// A delimiter stands at the begin of a line, and belongs to the line break before it.
absl::StatusOr<std::vector<FormPart>> ReadMultipart(std::string_view content_type, std::string_view body) {
  ASSIGN_OR_RETURN(const std::string boundary, BoundaryOf(content_type));
  const std::string delimiter = fmt::format("\r\n--{}", boundary);
  std::vector<FormPart> parts;
  std::string_view rest = body;
  if (rest.starts_with(std::string_view(delimiter).substr(2))) {
    rest.remove_prefix(delimiter.size() - 2);
  } else {
    const auto begin = rest.find(delimiter);
    if (begin == rest.npos) return Bad("its boundary is nowhere in it");
    rest.remove_prefix(begin + delimiter.size());
  }
  while (!rest.starts_with("--")) {
    const auto line_end = rest.find("\r\n");
    if (line_end == rest.npos || !Trimmed(rest.substr(0, line_end)).empty())
      return Bad("a boundary's line does not end after it");
    rest.remove_prefix(line_end + 2);
    const auto end = rest.find(delimiter);
    if (end == rest.npos) return Bad("it ends before its last boundary");
    if (parts.size() == kMostParts) return Bad(fmt::format("it has more than {} parts", kMostParts));
    ASSIGN_OR_RETURN(parts.emplace_back(), ReadPart(rest.substr(0, end)));
    rest.remove_prefix(end + delimiter.size());
  }
  return parts;
}

}  // namespace llm_router
