#include "router/gateway/http_cors.h"

#include <algorithm>

#include "router/gateway/http_access.h"

namespace llm_router {
namespace {

constexpr std::string_view kMethods = "GET, POST, DELETE, OPTIONS";
constexpr std::string_view kUsualHeaders =
    "authorization, content-type, x-api-key, anthropic-version, anthropic-beta, idempotency-key, prefer, "
    "x-request-id";
constexpr std::string_view kExposed =
    "x-request-id, request-id, retry-after, retry-after-ms, openai-processing-ms, location, "
    "x-llm-router-provider, x-llm-router-model, x-llm-router-attempts, x-llm-router-queue-ms, "
    "x-llm-router-warnings";
constexpr std::string_view kMaxAge = "600";      // seconds that a browser remembers it
constexpr size_t kLongestHeaderList = 4 * 1024;  // bytes of a stranger's that are echoed

}  // namespace

bool HttpCors::Lists(std::string_view origin) const {
  return std::ranges::any_of(origins_, [&](const std::string& row) { return row == "*" || row == origin; });
}

bool HttpCors::Admits(const HttpHeaders& request) const {
  return !IsForeignPage(request) || Lists(HeaderOr(request, "origin"));
}

void HttpCors::AddTo(const HttpHeaders& request, HttpHeaders& reply) const {
  if (!is_on()) return;
  const auto origin = HeaderOr(request, "origin");
  reply.emplace_back("vary", "origin");
  if (origin.empty() || !Lists(origin)) return;
  reply.emplace_back("access-control-allow-origin", origin);
  reply.emplace_back("access-control-expose-headers", kExposed);
}

HttpResponse HttpCors::Preflight(const HttpRequest& request) const {
  HttpResponse response(204, {}, "");
  AddTo(request.headers, response.headers);
  if (!Lists(HeaderOr(request.headers, "origin"))) return response;
  const auto asked = HeaderOr(request.headers, "access-control-request-headers");
  response.headers.emplace_back("access-control-allow-methods", kMethods);
  response.headers.emplace_back("access-control-allow-headers",
                                asked.empty() || asked.size() > kLongestHeaderList ? kUsualHeaders : asked);
  response.headers.emplace_back("access-control-max-age", kMaxAge);
  return response;
}

}  // namespace llm_router
