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

struct ErrorRow {
  Fault fault;
  std::string_view words;  // types and codes, each between blanks
};

constexpr ErrorRow kErrorRows[] = {
    {Fault::kProviderBusy,
     " overloaded_error overloaded rate_limit_error rate_limit_exceeded server_overloaded 429 503 529 "},
    {Fault::kProviderTimeout, " timeout_error timeout 408 504 "},
    {Fault::kProviderAuth,
     " authentication_error permission_error billing_error invalid_api_key insufficient_quota 401 402 403 "},
    {Fault::kProviderRejected,
     " invalid_request_error not_found_error request_too_large context_length_exceeded model_not_found "
     "400 404 413 422 "},
};

// The code says more than the type. Another llm-router's code is a fault's name.
Fault FaultOfError(const ProviderError& error) {
  if (error.code.starts_with("provider_")) return FaultNamed(error.code).value_or(Fault::kProviderFailed);
  for (const std::string& word : {error.code, error.type}) {
    if (word.empty() || word.find(' ') != word.npos) continue;
    for (const ErrorRow& row : kErrorRows) {
      if (row.words.find(fmt::format(" {} ", word)) != row.words.npos) return row.fault;
    }
  }
  return Fault::kProviderFailed;
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

const BodyKind kStreamFrame{Fault::kProviderBadReply, "a frame of the provider's stream",
                            "Check the provider's base_url and type, or try again."};

absl::StatusOr<Json> ParseStreamFrame(std::string_view data) {
  auto json = ParseBody(data, kStreamFrame);
  if (json.ok() && HoldsError(*json)) return StreamFailure(ErrorIn(*json));
  return json;
}

absl::Status StreamFailure(const ProviderError& error) {
  return MakeFault(FaultOfError(error), fmt::format("the provider broke its reply off: {}", Sentence(error)));
}

absl::Status TooManyParts() {
  return MakeFault(Fault::kProviderBadReply,
                   fmt::format("the provider's stream has more than {} parts", kMaxStreamParts));
}

absl::Status ReadCount(const Node& usage, std::string_view key, std::optional<int64_t>& out) {
  if (absl::Status status = usage.Read(key, out); !status.ok()) return status;
  if (out && *out < 0) return usage.Wrong(key, "must not be negative");
  return absl::OkStatus();
}

}  // namespace llm_router
