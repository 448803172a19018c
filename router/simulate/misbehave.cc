#include "router/simulate/misbehave.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/simulate/json_view.h"

namespace llm_router::simulate {
namespace {

constexpr size_t kHugeBytes = 100 * 1024 * 1024;
constexpr size_t kPiece = 1024 * 1024;
constexpr size_t kSlowPieces = 20;
constexpr Milliseconds kSlowPause(100);

HttpHeaders WithLength(HttpHeaders headers, size_t length) {
  headers.emplace_back("content-length", std::to_string(length));
  return headers;
}

Awaitable<absl::Status> HangAfterHeaders(HttpResponse good, HttpResponder& responder) {
  CO_RETURN_IF_ERROR(
      co_await responder.SendHead(200, WithLength(std::move(good.headers), good.body.size()), {}));
  co_return co_await Hang();
}

Awaitable<absl::Status> ResetMidBody(HttpResponse good, HttpResponder& responder) {
  CO_RETURN_IF_ERROR(
      co_await responder.SendHead(200, WithLength(std::move(good.headers), good.body.size()), {}));
  CO_RETURN_IF_ERROR(co_await responder.Write(good.body.substr(0, good.body.size() / 2)));
  responder.Reset();
  co_return absl::OkStatus();
}

// A JSON string of 100 MB.
Awaitable<absl::Status> SendHuge(HttpResponse good, HttpResponder& responder) {
  CO_RETURN_IF_ERROR(
      co_await responder.SendHead(200, WithLength(std::move(good.headers), kHugeBytes + 2), {}));
  CO_RETURN_IF_ERROR(co_await responder.Write("\""));
  for (size_t sent = 0; sent < kHugeBytes; sent += kPiece) {
    CO_RETURN_IF_ERROR(co_await responder.Write(std::string(kPiece, 'x')));
  }
  CO_RETURN_IF_ERROR(co_await responder.Write("\""));
  co_return co_await responder.Finish();
}

Awaitable<absl::Status> SendSlowly(HttpResponse good, HttpResponder& responder) {
  CO_RETURN_IF_ERROR(
      co_await responder.SendHead(200, WithLength(std::move(good.headers), good.body.size()), {}));
  const size_t piece = good.body.size() / kSlowPieces + 1;
  for (size_t sent = 0; sent < good.body.size(); sent += piece) {
    co_await Sleep(Now() + kSlowPause);
    CO_RETURN_IF_ERROR(co_await responder.Write(good.body.substr(sent, piece)));
  }
  co_return co_await responder.Finish();
}

// Every scalar becomes a list and every list or object a number: valid JSON that no reader expects.
std::string WithWrongTypes(const std::string& body) {
  Json wrong = Json::parse(body, nullptr, false);
  if (wrong.is_discarded()) return "data: {\"choices\":7,\"type\":[8]}\n\n";  // a stream
  for (auto& [name, value] : wrong.items()) value = value.is_structured() ? Json(7) : Json::array({value});
  return Dump(wrong);
}

// A byte that UTF-8 never has, inside the last string.
std::string WithBadUtf8(std::string body) {
  const auto quote = body.find("[simulated");
  body.insert(quote == std::string::npos ? body.size() : quote, "\xff\xfe");
  return body;
}

void SetType(HttpResponse& response, std::string_view type) {
  response.headers = {{"content-type", std::string(type)}};
}

HttpResponse Spoil(Misbehaviour misbehaviour, HttpResponse response) {
  switch (misbehaviour) {
    case Misbehaviour::kBadUtf8:
      response.body = WithBadUtf8(std::move(response.body));
      break;
    case Misbehaviour::kEmpty:
      response.body.clear();
      break;
    case Misbehaviour::kErrorIn200:
    case Misbehaviour::kErrorInStream:
      SetType(response, "application/json");
      response.body =
          R"({"error":{"message":"simulated error inside a 200","type":"server_error","code":null}})";
      break;
    case Misbehaviour::kHtml:
      SetType(response, "text/html");
      response.body = "<html><body><h1>502 Bad Gateway</h1></body></html>";
      break;
    case Misbehaviour::kShortStream:
    case Misbehaviour::kTruncatedJson:
      response.body.resize(response.body.size() / 2);
      break;
    case Misbehaviour::kWrongTypes:
      response.body = WithWrongTypes(response.body);
      break;
    default:
      break;
  }
  return response;
}

}  // namespace

Awaitable<absl::Status> Hang() {
  while (co_await Sleep(Now() + std::chrono::hours(1))) continue;
  co_return MakeFault(Fault::kCancelled, "the client went away");
}

Awaitable<absl::Status> SendSpoilt(Misbehaviour misbehaviour, HttpResponse good, HttpResponder& responder) {
  switch (misbehaviour) {
    case Misbehaviour::kHangBeforeHeaders:
      co_return co_await Hang();
    case Misbehaviour::kHangAfterHeaders:
    case Misbehaviour::kHangInStream:
      co_return co_await HangAfterHeaders(std::move(good), responder);
    case Misbehaviour::kReset:
      responder.Reset();
      co_return absl::OkStatus();
    case Misbehaviour::kCutStream:
    case Misbehaviour::kResetMidBody:
      co_return co_await ResetMidBody(std::move(good), responder);
    case Misbehaviour::kHuge:
      co_return co_await SendHuge(std::move(good), responder);
    case Misbehaviour::kSlow:
      co_return co_await SendSlowly(std::move(good), responder);
    default:
      co_return co_await responder.Send(Spoil(misbehaviour, std::move(good)));
  }
}

}  // namespace llm_router::simulate
