#include "router/gateway/http_endpoints.h"

#include <array>
#include <optional>

#include "proto/contract.h"
#include "router/gateway/http_batches.h"
#include "router/gateway/http_chat.h"
#include "router/gateway/http_files.h"
#include "router/gateway/http_jobs.h"
#include "router/gateway/http_models.h"
#include "router/gateway/http_socket.h"

namespace llm_router {
namespace {

namespace dialect = contract::dialect;

// Those without a dialect of their own speak that of their caller.
constexpr std::array kEndpoints = {
    GatewayEndpoint{"POST", "/v1/chat/completions", dialect::kOpenAiChat, AskModel},
    GatewayEndpoint{"POST", "/v1/messages", dialect::kAnthropicMessages, AskModel},
    GatewayEndpoint{"POST", "/v1/messages/count_tokens", dialect::kAnthropicCountTokens, AskModel},
    GatewayEndpoint{"POST", "/v1/completions", dialect::kOpenAiCompletions, AskModel},
    GatewayEndpoint{"POST", "/v1/embeddings", dialect::kOpenAiEmbeddings, AskModel},
    GatewayEndpoint{"GET", "/v1/models", "", ListModels},
    GatewayEndpoint{"GET", "/v1/models/{}", "", GetModel},
    GatewayEndpoint{"POST", "/v1/files", dialect::kOpenAiChat, UploadFile},
    GatewayEndpoint{"GET", "/v1/files", dialect::kOpenAiChat, ListFiles},
    GatewayEndpoint{"GET", "/v1/files/{}/content", dialect::kOpenAiChat, GetFileContent},
    GatewayEndpoint{"GET", "/v1/files/{}", dialect::kOpenAiChat, GetFile},
    GatewayEndpoint{"DELETE", "/v1/files/{}", dialect::kOpenAiChat, DeleteFile},
    GatewayEndpoint{"POST", "/v1/batches", dialect::kOpenAiChat, CreateBatch},
    GatewayEndpoint{"GET", "/v1/batches", dialect::kOpenAiChat, ListBatches},
    GatewayEndpoint{"POST", "/v1/batches/{}/cancel", dialect::kOpenAiChat, CancelBatch},
    GatewayEndpoint{"GET", "/v1/batches/{}", dialect::kOpenAiChat, GetBatch},
    GatewayEndpoint{"GET", "/v1/stream", dialect::kOpenAiChat, OpenSocket},
    GatewayEndpoint{"GET", "/v1/jobs/{}/events", dialect::kOpenAiChat, FollowJob},
    GatewayEndpoint{"GET", "/v1/jobs/{}", dialect::kOpenAiChat, GetJob},
    GatewayEndpoint{"DELETE", "/v1/jobs/{}", dialect::kOpenAiChat, CancelJob},
};

// What stands for {}; nothing when it is another path. Only models have slashes in their ids.
std::optional<std::string_view> Match(std::string_view pattern, std::string_view path) {
  const auto open = pattern.find("{}");
  if (open == pattern.npos) return pattern == path ? std::optional(std::string_view()) : std::nullopt;
  const std::string_view before = pattern.substr(0, open), after = pattern.substr(open + 2);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after))
    return std::nullopt;
  const auto id = path.substr(before.size(), path.size() - before.size() - after.size());
  const bool may_have_slashes = before == "/v1/models/";
  return may_have_slashes || id.find('/') == id.npos ? std::optional(id) : std::nullopt;
}

}  // namespace

FoundEndpoint FindEndpoint(std::string_view method, std::string_view path) {
  FoundEndpoint found;
  for (const GatewayEndpoint& endpoint : kEndpoints) {
    const auto id = Match(endpoint.path, path);
    if (!id) continue;
    if (endpoint.method == method) {
      found.endpoint = &endpoint;
      found.id = *id;
      return found;
    }
    if (!found.allowed.empty()) found.allowed += ", ";
    found.allowed += endpoint.method;
  }
  return found;
}

}  // namespace llm_router
