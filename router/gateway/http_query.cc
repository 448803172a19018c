#include "router/gateway/http_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/base/utf8.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "proto/trace_context.h"
#include "router/gateway/access_rules.h"
#include "router/roster/unserved_route.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

// Every worker beats once a second, so by then the roster knows those that live.
constexpr Milliseconds kRosterSettles{1'500};
// The first beat of a worker that has just said that it is ready may still be on its way.
constexpr Milliseconds kBeatOnItsWay{200};
constexpr Milliseconds kLookEvery(20);
constexpr Milliseconds kUsualPatience = std::chrono::seconds(600);  // that of the SDKs
constexpr Milliseconds kMostPatience = std::chrono::hours(24);
constexpr size_t kLongestId = 128;
constexpr size_t kLongestTag = 1024;
constexpr std::string_view kClientId = "http";
constexpr std::array<std::string_view, 2> kSdkPatience = {"x-stainless-read-timeout", "x-stainless-timeout"};

struct HeaderTag {
  std::string_view header, tag;
};
constexpr std::array kHeaderTags = {
    HeaderTag{"idempotency-key", tag::kIdempotencyKey},
    HeaderTag{"traceparent", tag::kTraceparent},
    HeaderTag{"anthropic-beta", tag::kAnthropicBeta},
};

// The route, or why the caller can't have it.
absl::StatusOr<std::string> Resolve(GatewayState& state, const CallerPtr& caller, std::string_view model) {
  const auto own = state.catalogue.Of(caller);
  auto choice = contract::ResolveModel(model, own);
  if (choice.ok()) return std::move(choice->route);
  const auto all = state.catalogue.All();
  if (all.empty()) return UnservedRoute(model, all);
  if (const auto any = contract::ResolveModel(model, all); any.ok() && own.size() < all.size())
    RETURN_IF_ERROR(CheckAccess(*caller, Verb::kSendQuery, contract::RequestsChannel(any->route)));
  return choice.status();
}

// As SDKs write it: seconds, with a fraction or without.
Milliseconds SdkPatience(const HttpHeaders& headers) {
  Milliseconds least = kMostPatience;
  for (const std::string_view name : kSdkPatience) {
    const auto seconds = ParseNumber<double>(HeaderOr(headers, name));
    if (!seconds || !(*seconds > 0) || *seconds * 1000 >= static_cast<double>(kMostPatience.count()))
      continue;
    least = std::min(least, Milliseconds(static_cast<int64_t>(std::ceil(*seconds * 1000))));
  }
  return least == kMostPatience ? kUsualPatience : least;
}

bool IsIdCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == ':';
}

}  // namespace

Awaitable<absl::StatusOr<std::string>> RouteFor(GatewayState& state, CallerPtr caller, std::string model,
                                                std::string remote) {
  auto route = Resolve(state, caller, model);
  const TimePoint until = std::max(state.born + kRosterSettles, Now() + kBeatOnItsWay);
  while (!route.ok() && FaultOf(route.status()) != Fault::kPermissionDenied) {
    if (!state.catalogue.ReadAgain() && !(Now() < until && co_await Sleep(Now() + kLookEvery))) break;
    route = Resolve(state, caller, model);
  }
  if (route.ok()) {
    const absl::Status allowed = CheckAccess(*caller, Verb::kSendQuery, contract::RequestsChannel(*route));
    if (!allowed.ok()) route = allowed;
  }
  if (!route.ok() && FaultOf(route.status()) == Fault::kPermissionDenied)
    state.options.access->NoteDenial(route.status(), kHttpDoor, remote);
  co_return route;
}

Awaitable<void> AwaitRoutes(GatewayState& state) {
  while (state.catalogue.All().empty() && Now() < state.born + kRosterSettles) {
    if (!co_await Sleep(Now() + kLookEvery)) co_return;
    (void)state.catalogue.ReadAgain();
  }
}

absl::StatusOr<Milliseconds> PatienceOf(const HttpHeaders& headers) {
  const auto asked = HeaderOr(headers, "x-llm-router-timeout-ms");
  if (asked.empty()) return SdkPatience(headers);
  const auto wait = ParseNumber<int64_t>(asked);
  if (wait && *wait > 0 && *wait <= kMostPatience.count())
    return std::min(Milliseconds(*wait),
                    HeaderOr(headers, kSdkPatience[0]).empty() ? kMostPatience : SdkPatience(headers));
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("x-llm-router-timeout-ms takes milliseconds, 1 to {}", kMostPatience.count()));
}

absl::StatusOr<Milliseconds> LingerOf(const HttpHeaders& headers, Milliseconds fallback) {
  const auto asked = HeaderOr(headers, "x-llm-router-linger-ms");
  if (asked.empty()) return fallback;
  const auto linger = ParseNumber<int64_t>(asked);
  if (linger && *linger >= 0 && *linger <= contract::kLongestLinger.count()) return Milliseconds(*linger);
  return MakeFault(Fault::kInvalidRequest, fmt::format("x-llm-router-linger-ms takes milliseconds, 0 to {}",
                                                       contract::kLongestLinger.count()));
}

std::string RequestIdOf(const HttpHeaders& headers) {
  std::string id;
  for (const char c : HeaderOr(headers, "x-request-id").substr(0, kLongestId)) {
    if (IsIdCharacter(c)) id.push_back(c);
  }
  return id.empty() ? NewId() : id;
}

Tags TagsOf(const HttpHeaders& headers, std::string_view dialect, const Caller& caller,
            std::string_view request_id) {
  Tags tags;
  tags[std::string(tag::kDialect)] = dialect;
  tags[std::string(tag::kContentType)] = contract::kJson;
  tags[std::string(tag::kTenant)] = caller.tenant;
  tags[std::string(tag::kRequestId)] = request_id;
  for (const HeaderTag& row : kHeaderTags) {
    const auto value = HeaderOr(headers, row.header);
    if (!value.empty()) tags[std::string(row.tag)] = ToUtf8(std::string(value.substr(0, kLongestTag)));
  }
  if (const auto state = HeaderOr(headers, "tracestate"); contract::IsTracestate(state))
    tags[std::string(tag::kTracestate)] = state;
  return tags;
}

Query QueryFor(std::string_view route, std::string body, Tags tags, TimePoint deadline) {
  Query query(Kind::kQuery, Message(contract::RequestsChannel(route), std::move(body)), deadline);
  query.message.id = NewId();
  query.message.client_id = kClientId;
  tags[std::string(tag::kQuery)] = query.message.id;
  tags[std::string(tag::kDeadline)] = std::to_string(ToUnixMillis(deadline));
  query.message.tags = std::move(tags);
  return query;
}

void TellGone(Broker& broker, std::string_view query, std::string_view tenant, TimePoint deadline) {
  contract::Cancel cancel(std::string(query), ToUnixMillis(deadline));
  cancel.gone = true;
  // Lost at worst: then the worker goes on until the query's deadline.
  Message message(std::string(contract::kControlChannel), contract::ToJson(cancel));
  message.tags[std::string(tag::kTenant)] = tenant;
  (void)broker.Publish(std::move(message));
}

}  // namespace llm_router
