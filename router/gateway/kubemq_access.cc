#include "router/gateway/kubemq_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;
using enum Verb;

constexpr KubemqMethod Method(std::string_view name, std::initializer_list<Verb> verbs,
                              bool needs_key = true) {
  KubemqMethod method;
  method.name = name;
  method.needs_key = needs_key;
  for (const Verb verb : verbs) method.verbs[method.verb_count++] = verb;
  return method;
}

// SDKs ping before they are told a key (Python 4), so Ping needs none.
constexpr std::array kMethods = {
    Method("Ping", {}, /*needs_key=*/false),
    Method("SendRequest", {kSendQuery, kSendCommand, kReplyTo, kSeeChannel, kCreateChannel, kDeleteChannel}),
    Method("SendResponse", {kAnswer}),
    Method("SendEvent", {kPublish, kPublishStored}),
    Method("SendEventsStream", {kPublish, kPublishStored}),
    Method("SubscribeToRequests", {kServeQueries, kServeCommands}),
    Method("SubscribeToEvents", {kSubscribe, kSubscribeStored}),
    Method("SendQueueMessage", {kSendQueue, kReplyTo}),
    Method("SendQueueMessagesBatch", {kSendQueue, kReplyTo}),
    Method("ReceiveQueueMessages", {kReceiveQueue}),
    Method("AckAllQueueMessages", {kPurgeQueue}),
    Method("QueuesInfo", {kQueueInfo}),
    Method("StreamQueueMessage", {kReceiveQueue, kSendQueue}),
    Method("QueuesDownstream", {kReceiveQueue, kPurgeQueue, kSendQueue}),
    Method("QueuesUpstream", {kSendQueue, kReplyTo}),
    // workers.proto
    Method("Serve", {kServeQueries, kServeCommands, kAnswer}),
};

template <class Map>
std::string_view Tag(const Map& tags, std::string_view key) {
  const auto found = tags.find(std::string(key));
  return found == tags.end() ? std::string_view() : std::string_view(found->second);
}

// Only our own channels give the tag reply-to a meaning.
template <class Message>
absl::Status CheckReplyTo(const Caller& caller, const Message& message) {
  const std::string_view reply_to = Tag(message.tags(), tag::kReplyTo);
  const ChannelClass to = ClassOf(message.channel(), caller.tenant);
  const bool ours =
      to == ChannelClass::kRequests || to == ChannelClass::kJobs || to == ChannelClass::kJobsService;
  if (reply_to.empty() || !ours) return absl::OkStatus();
  return CheckAccess(caller, kReplyTo, reply_to);
}

// A list of channels is open to all: it names those that its caller may see.
absl::Status CheckManagement(const Caller& caller, const kubemq::Request& request) {
  const std::string& verb = request.metadata();
  const std::string_view channel = Tag(request.tags(), "channel");
  if (verb == kubemq_text::kCreateChannel) return CheckAccess(caller, kCreateChannel, channel);
  if (verb == kubemq_text::kDeleteChannel) return CheckAccess(caller, kDeleteChannel, channel);
  return absl::OkStatus();
}

bool IsStrangers(std::string_view channel, std::string_view tenant) {
  const ChannelClass channel_class = ClassOf(channel, tenant);
  return channel_class == ChannelClass::kOther || channel_class == ChannelClass::kInternal;
}

}  // namespace

std::span<const KubemqMethod> AllKubemqMethods() { return kMethods; }

const KubemqMethod* FindKubemqMethod(std::string_view name) {
  const auto found = std::ranges::find(kMethods, name, &KubemqMethod::name);
  return found == kMethods.end() ? nullptr : &*found;
}

absl::Status CheckAccess(const Caller& caller, const kubemq::Request& request) {
  const bool is_command = request.requesttypedata() == kubemq::Request::Command;
  if (!is_command && request.channel() == kubemq_text::kInternalRequests)
    return CheckManagement(caller, request);
  RETURN_IF_ERROR(CheckAccess(caller, is_command ? kSendCommand : kSendQuery, request.channel()));
  return CheckReplyTo(caller, request);
}

absl::Status CheckAccess(const Caller& caller, const kubemq::Event& event) {
  return CheckAccess(caller, event.store() ? kPublishStored : kPublish, event.channel());
}

absl::Status CheckAccess(const Caller& caller, const kubemq::Subscribe& subscribe) {
  switch (subscribe.subscribetypedata()) {
    case kubemq::Subscribe::Commands:
      return CheckAccess(caller, kServeCommands, subscribe.channel());
    case kubemq::Subscribe::Queries:
      return CheckAccess(caller, kServeQueries, subscribe.channel());
    case kubemq::Subscribe::EventsStore:
      return CheckAccess(caller, kSubscribeStored, subscribe.channel());
    default:
      return CheckAccess(caller, kSubscribe, subscribe.channel());
  }
}

absl::Status CheckAccess(const Caller& caller, const kubemq::QueueMessage& message) {
  RETURN_IF_ERROR(CheckAccess(caller, kSendQueue, message.channel()));
  // Where a message goes that nobody could take is a queue it is sent to.
  const std::string& dead_letter = message.policy().maxreceivequeue();
  if (!dead_letter.empty()) RETURN_IF_ERROR(CheckAccess(caller, kSendQueue, dead_letter));
  return CheckReplyTo(caller, message);
}

absl::Status CheckAccess(const Caller& caller, const kubemq::QueueMessagesBatchRequest& batch) {
  for (const kubemq::QueueMessage& message : batch.messages()) RETURN_IF_ERROR(CheckAccess(caller, message));
  return absl::OkStatus();
}

absl::Status CheckAccess(const Caller& caller, const kubemq::ReceiveQueueMessagesRequest& request) {
  return CheckAccess(caller, kReceiveQueue, request.channel());
}

absl::Status CheckAccess(const Caller& caller, const kubemq::AckAllQueueMessagesRequest& request) {
  return CheckAccess(caller, kPurgeQueue, request.channel());
}

absl::Status CheckAccess(const Caller& caller, const kubemq::QueuesInfoRequest& request) {
  return CheckAccess(caller, kQueueInfo, request.queuename());
}

std::string DenialText(const absl::Status& denial) {
  const bool known = FaultOf(denial) == Fault::kPermissionDenied;
  return fmt::format("{}{}", known ? kubemq_text::kAccessDenied : kubemq_text::kNotAuthenticated,
                     MessageOf(denial));
}

void StampTenant(const Caller& caller, Message& message) {
  if (caller.level == AccessLevel::kAll && IsStrangers(message.channel, caller.tenant)) return;
  message.tags.erase("authorization");
  message.tags.erase("x-api-key");
  const bool keeps = IsGranted(caller.level, kKeepTenant, ChannelClass::kNone);
  if (keeps && !TagOr(message.tags, tag::kTenant).empty()) return;
  message.tags[std::string(tag::kTenant)] = caller.tenant;
}

kubemq::EventReceive EventFor(const Caller& caller, const Message& event) {
  kubemq::EventReceive wire = EventReceiveToWire(event);
  if (caller.routes.empty() || event.channel != contract::kHeartbeatChannel) return wire;
  auto beat = contract::ParseHeartbeat(event.body);
  if (!beat.ok()) return wire;  // no heartbeat: it names no routes
  std::erase_if(beat->routes, [&](const contract::RouteBeat& row) { return !caller.MayUseRoute(row.route); });
  wire.set_body(contract::ToJson(*beat));
  return wire;
}

}  // namespace llm_router
