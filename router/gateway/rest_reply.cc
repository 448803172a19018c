#include "router/gateway/rest_reply.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "proto/fault.h"
#include "router/gateway/kubemq_access.h"

namespace llm_router::rest_reply {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kJsonType = "application/json; charset=UTF-8";

HttpResponse JsonReply(int status, const Json& json) {
  std::string body = json.dump(1, '\t', false, Json::error_handler_t::replace);
  body.push_back('\n');
  return HttpResponse(status, {{"content-type", std::string(kJsonType)}}, std::move(body));
}

HttpResponse Envelope(int status, bool is_error, std::string_view message, Json data) {
  Json envelope = {{"is_error", is_error}, {"message", message}};
  envelope["data"] = std::move(data);
  return JsonReply(status, envelope);
}

}  // namespace

HttpResponse Data(Json data) { return Envelope(200, false, "OK", std::move(data)); }

HttpResponse Error(int status, std::string_view message) { return Envelope(status, true, message, nullptr); }

HttpResponse Denial(const absl::Status& why) {
  HttpResponse response = Error(RowOf(FaultOf(why)).http, DenialText(why));
  if (response.status == 401) response.headers.emplace_back("www-authenticate", "Bearer");
  return response;
}

HttpResponse Text(int status, std::string text) {
  return HttpResponse(status, {{"content-type", "text/plain; charset=UTF-8"}}, std::move(text));
}

HttpResponse NotFound() { return JsonReply(404, {{"error_code", 404}, {"message", "Not Found"}}); }

HttpResponse MethodNotAllowed(std::string_view allowed) {
  HttpResponse response = JsonReply(405, {{"error_code", 405}, {"message", "Method Not Allowed"}});
  response.headers.emplace_back("allow", allowed);
  return response;
}

}  // namespace llm_router::rest_reply
