#include "broker_adapters/kubemq/check.h"

#include <algorithm>

#include "proto/kubemq_text.h"

namespace llm_router::kubemq_check {
namespace {

constexpr size_t kMaxName = 1'024;

bool HasWhiteSpace(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7F; });
}

// What channels of every use have in common.
std::string_view Name(std::string_view channel) {
  if (channel.empty()) return kubemq_text::kNoChannel;
  if (channel.ends_with('.')) return kubemq_text::kTrailingDot;
  if (HasWhiteSpace(channel)) return kubemq_text::kWhiteSpace;
  if (channel.size() > kMaxName) return kubemq_text::kChannelTooLong;
  return {};
}

// What subscriptions of every type have in common; wildcards are allowed in them.
std::string_view Subscription(const kubemq::Subscribe& subscribe) {
  if (subscribe.clientid().empty()) return kubemq_text::kNoClientId;
  const std::string_view channel = subscribe.channel();
  if (const auto text = Name(channel); !text.empty()) return text;
  if (channel.starts_with('.') || channel.find("..") != std::string_view::npos)
    return kubemq_text::kBadSubject;
  if (HasWhiteSpace(subscribe.group()) || subscribe.group().size() > kMaxName) return kubemq_text::kBadGroup;
  return {};
}

// What those to stored events have beyond that.
std::string_view StoredSubscription(const kubemq::Subscribe& subscribe) {
  const bool is_positive = subscribe.eventsstoretypevalue() > 0;
  if (subscribe.channel().find_first_of("*>") != std::string_view::npos) return kubemq_text::kWildcard;
  switch (subscribe.eventsstoretypedata()) {
    case kubemq::Subscribe::StartNewOnly:
    case kubemq::Subscribe::StartFromFirst:
    case kubemq::Subscribe::StartFromLast:
      return {};
    case kubemq::Subscribe::StartAtSequence:
      return is_positive ? std::string_view() : kubemq_text::kSequenceNotPositive;
    case kubemq::Subscribe::StartAtTime:
      return is_positive ? std::string_view() : kubemq_text::kTimeNotPositive;
    case kubemq::Subscribe::StartAtTimeDelta:
      return is_positive ? std::string_view() : kubemq_text::kTimeDeltaNotPositive;
    default:
      return kubemq_text::kNoStoreType;
  }
}

}  // namespace

std::string_view Channel(std::string_view channel) {
  const auto text = Name(channel);
  // The length is ours to mind, so it comes after everything that server says.
  if (!text.empty() && text != kubemq_text::kChannelTooLong) return text;
  if (channel.find_first_of("*>") != std::string_view::npos) return kubemq_text::kWildcard;
  return text;
}

std::string_view Request(const kubemq::Request& request) {
  if (request.requesttypedata() != kubemq::Request::Command &&
      request.requesttypedata() != kubemq::Request::Query) {
    return kubemq_text::kRequestType;
  }
  if (request.clientid().empty()) return kubemq_text::kNoClientId;
  if (const auto text = Channel(request.channel()); !text.empty()) return text;
  if (request.timeout() <= 0) return kubemq_text::kTimeoutNotPositive;
  if (request.metadata().empty() && request.body().empty()) return kubemq_text::kEmptyRequest;
  if (!request.cachekey().empty() && request.cachettl() <= 0) return kubemq_text::kTtlNotPositive;
  return {};
}

std::string_view Response(const kubemq::Response& response) {
  if (response.clientid().empty()) return kubemq_text::kNoClientId;
  if (const auto text = Channel(response.replychannel()); !text.empty()) return text;
  if (response.requestid().empty()) return kubemq_text::kNoRequestId;
  return {};
}

std::string_view Event(const kubemq::Event& event) {
  if (event.clientid().empty()) return kubemq_text::kNoClientId;
  if (const auto text = Channel(event.channel()); !text.empty()) return text;
  if (event.metadata().empty() && event.body().empty()) return kubemq_text::kEmptyMessage;
  return {};
}

std::string_view RequestsSubscription(const kubemq::Subscribe& subscribe) {
  if (const auto text = Subscription(subscribe); !text.empty()) return text;
  const bool known = subscribe.subscribetypedata() == kubemq::Subscribe::Commands ||
                     subscribe.subscribetypedata() == kubemq::Subscribe::Queries;
  return known ? std::string_view() : kubemq_text::kSubscribeType;
}

std::string_view EventsSubscription(const kubemq::Subscribe& subscribe) {
  if (const auto text = Subscription(subscribe); !text.empty()) return text;
  if (subscribe.subscribetypedata() == kubemq::Subscribe::EventsStore) return StoredSubscription(subscribe);
  if (subscribe.subscribetypedata() != kubemq::Subscribe::Events) return kubemq_text::kSubscribeType;
  const bool stored = subscribe.eventsstoretypedata() != kubemq::Subscribe::EventsStoreTypeUndefined;
  return stored ? kubemq_text::kNotEventsStore : std::string_view();
}

}  // namespace llm_router::kubemq_check
