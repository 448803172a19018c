// Access on the KubeMQ wire: which verbs its messages are, whatever door they come by, and the stamp they
// get.
//
// Messages come checked (kubemq_check.h). Constant data and pure functions; any thread.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "broker_adapters/broker.h"
#include "kubemq.pb.h"
#include "router/gateway/access_rules.h"

namespace llm_router {

// A method of the wire, and what may be done by it. One without a row here is refused to everybody.
struct KubemqMethod {
  std::string_view name;
  bool needs_key = true;
  std::array<Verb, 6> verbs{};
  size_t verb_count = 0;
};
std::span<const KubemqMethod> AllKubemqMethods();
// Null for one that is not there.
const KubemqMethod* FindKubemqMethod(std::string_view name);

// Each: OK, or fault permission_denied.
[[nodiscard]] absl::Status CheckAccess(const Caller& caller, const kubemq::Request& request);
[[nodiscard]] absl::Status CheckAccess(const Caller& caller, const kubemq::Event& event);
[[nodiscard]] absl::Status CheckAccess(const Caller& caller, const kubemq::Subscribe& subscribe);
[[nodiscard]] absl::Status CheckAccess(const Caller& caller, const kubemq::QueueMessage& message);
[[nodiscard]] absl::Status CheckAccess(const Caller& caller, const kubemq::QueueMessagesBatchRequest& batch);
[[nodiscard]] absl::Status CheckAccess(const Caller& caller,
                                       const kubemq::ReceiveQueueMessagesRequest& request);
[[nodiscard]] absl::Status CheckAccess(const Caller& caller,
                                       const kubemq::AckAllQueueMessagesRequest& request);
[[nodiscard]] absl::Status CheckAccess(const Caller& caller, const kubemq::QueuesInfoRequest& request);

// The error text of a refusal, as KubeMQ servers begin it.
std::string DenialText(const absl::Status& denial);

// Makes `message` its caller's: tag `tenant` (kept as given only for who may), and no key in the tags.
// Without keys, messages on strangers' channels stay as they came.
void StampTenant(const Caller& caller, Message& message);

// `event` as `caller` may see it: a heartbeat tells a key with routes of these only.
kubemq::EventReceive EventFor(const Caller& caller, const Message& event);

}  // namespace llm_router
