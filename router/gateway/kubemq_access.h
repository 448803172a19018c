// Access on the KubeMQ wire: which verbs its messages are, whatever door they come by, and the stamp they
// get.
//
// Messages come checked (kubemq_check.h). Constant data and pure functions; any thread.
#pragma once

#include <array>
#include <set>
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
[[nodiscard]] absl::Status CheckAccess(const Caller& caller,
                                       const kubemq::ReceiveQueueMessagesRequest& request);
[[nodiscard]] absl::Status CheckAccess(const Caller& caller,
                                       const kubemq::AckAllQueueMessagesRequest& request);
[[nodiscard]] absl::Status CheckAccess(const Caller& caller, const kubemq::QueuesInfoRequest& request);
// What it receives from, or sends anew to; the messages that it moves are checked when they are.
[[nodiscard]] absl::Status CheckAccess(const Caller& caller, const kubemq::QueuesDownstreamRequest& request);
[[nodiscard]] absl::Status CheckAccess(const Caller& caller,
                                       const kubemq::StreamQueueMessagesRequest& request);

// The queues that the request names; none: it asks for all.
std::set<std::string, std::less<>> QueueNamesOf(const kubemq::QueuesInfoRequest& request);

// The error text of a refusal, as KubeMQ servers begin it.
std::string DenialText(const absl::Status& denial);

// A batch that a key with routes creates is for lines of these routes, whatever its lines say.
void HoldToRoutes(const Caller& caller, Message& message);

// Makes `message` its caller's: tag `tenant` (kept as given only for who may), and no key in the tags.
// Without keys, messages on strangers' channels stay as they came.
void StampTenant(const Caller& caller, Message& message);
// The same for a message that goes into a queue, wherever it may end up. What is or may become a job also
// loses tags by which only ours know one, unless its caller may keep tenants.
void StampQueueMessage(const Caller& caller, Outgoing& outgoing);

// `event` as `caller` may see it: a heartbeat tells a key with routes of these only.
kubemq::EventReceive EventFor(const Caller& caller, const Message& event);

}  // namespace llm_router
