#include "router/dialects/provider_reply.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "broker_adapters/base/utf8.h"

namespace llm_router {
namespace {

constexpr size_t kMaxMessage = 500;
constexpr BodyKind kErrorBody{Fault::kProviderBadReply, "the error", ""};

// A code may be a string or a number.
std::string TextOf(const Node& object, std::string_view key, size_t most = 64) {
  const auto member = object.Find(key);
  if (!member) return {};
  if (member->IsString()) return Excerpt(member->AsString(), most);
  return member->json().is_number() ? DumpJson(member->json()) : std::string();
}

ProviderError ErrorIn(const Json& body) {
  const Node root(body, kErrorBody);
  ProviderError error;
  const auto inner = root.Find("error");
  const Node& fields = inner && inner->IsObject() ? *inner : root;
  error.type = TextOf(fields, "type");
  error.code = TextOf(fields, "code");
  for (const std::string_view key : {"message", "detail", "error"}) {
    if (error.message.empty()) error.message = TextOf(fields, key, kMaxMessage);
  }
  return error;
}

bool HoldsError(const Json& body) {
  const auto error = Node(body, kErrorBody).Find("error");
  if (!error) return false;
  return !error->json().is_boolean() && (!error->IsString() || !error->AsString().empty());
}

std::string Sentence(const ProviderError& error) {
  if (!error.message.empty()) return Excerpt(error.message);
  return error.type.empty() ? "it has no message" : error.type;
}

}  // namespace

const BodyKind kProviderReply{Fault::kProviderBadReply, "the provider's reply",
                              "Check the provider's base_url and type, or try again."};

ProviderError ReadProviderError(std::string_view body) {
  const auto json = ParseBody(body, kErrorBody);
  return json.ok() ? ErrorIn(*json) : ProviderError();
}

absl::StatusOr<Json> ParseProviderReply(std::string_view body) {
  const size_t begin = body.find_first_not_of(" \t\r\n");
  if (begin != body.npos && body[begin] == '<')
    return MakeFault(Fault::kProviderBadReply,
                     fmt::format("the provider answered with HTML (\"{}\") instead of JSON. {}",
                                 Excerpt(body.substr(begin)), kProviderReply.must_be));
  auto json = ParseBody(body, kProviderReply);
  if (json.ok() && HoldsError(*json))
    return MakeFault(
        Fault::kProviderBadReply,
        fmt::format("the provider answered 200 with an error inside: {}", Sentence(ErrorIn(*json))));
  return json;
}

absl::Status ReadCount(const Node& usage, std::string_view key, std::optional<int64_t>& out) {
  if (absl::Status status = usage.Read(key, out); !status.ok()) return status;
  if (out && *out < 0) return usage.Wrong(key, "must not be negative");
  return absl::OkStatus();
}

}  // namespace llm_router
