#include "router/gateway/kubemq_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <variant>
#include <vector>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "proto/jobs_question.h"
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
    Method("StreamQueueMessage", {kReceiveQueue, kSendQueue, kReplyTo}),
    Method("QueuesDownstream", {kReceiveQueue, kSendQueue, kReplyTo}),
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
absl::Status CheckReplyTo(const Caller& caller, const Message& message, std::string_view channel) {
  const std::string_view reply_to = Tag(message.tags(), tag::kReplyTo);
  const ChannelClass to = ClassOf(channel, caller.tenant);
  const bool ours =
      to == ChannelClass::kRequests || to == ChannelClass::kJobs || to == ChannelClass::kJobsService;
  if (reply_to.empty() || !ours) return absl::OkStatus();
  return CheckAccess(caller, kReplyTo, reply_to);
}

// A key with routes submits to these only, and so do the lines of its batches (HoldToRoutes).
absl::Status CheckRoutes(const Caller& caller, const kubemq::Request& request) {
  if (caller.routes.empty() || request.channel() != contract::kJobsChannel) return absl::OkStatus();
  const auto question = contract::ParseJobsQuestion(request.body());
  if (!question.ok()) return absl::OkStatus();  // the jobs service says what is wrong with it
  std::vector<std::string> asked;
  if (const auto* submit = std::get_if<contract::SubmitJob>(&*question)) asked = {submit->route};
  if (const auto* create = std::get_if<contract::CreateBatch>(&*question)) {
    asked = create->options.routes;
    if (!create->options.route.empty()) asked.push_back(create->options.route);
  }
  for (const std::string& route : asked)
    RETURN_IF_ERROR(CheckAccess(caller, kSendQuery, contract::RequestsChannel(route)));
  return absl::OkStatus();
}

// A list of channels is open to all: it names those that its caller may see.
absl::Status CheckManagement(const Caller& caller, const kubemq::Request& request) {
  const std::string& verb = request.metadata();
  const std::string_view channel = Tag(request.tags(), "channel");
  if (verb == kubemq_text::kCreateChannel) return CheckAccess(caller, kCreateChannel, channel);
  if (verb == kubemq_text::kDeleteChannel) return CheckAccess(caller, kDeleteChannel, channel);
  return absl::OkStatus();
}

bool KeepsTenants(const Caller& caller) { return IsGranted(caller.level, kKeepTenant, ChannelClass::kNone); }

void Stamp(const Caller& caller, Message& message) {
  message.tags.erase("authorization");
  message.tags.erase("x-api-key");
  if (KeepsTenants(caller) && !TagOr(message.tags, tag::kTenant).empty()) return;
  message.tags[std::string(tag::kTenant)] = caller.tenant;
}

bool IsStrangers(std::string_view channel, std::string_view tenant) {
  const ChannelClass channel_class = ClassOf(channel, tenant);
  return channel_class == ChannelClass::kOther || channel_class == ChannelClass::kInternal;
}

// Where a query's chunks go, or those of a stream it resumes, its sender must be able to read them.
absl::Status CheckStreamTo(const Caller& caller, const kubemq::Request& request) {
  std::string stream_to(Tag(request.tags(), tag::kStreamTo));
  switch (ClassOf(request.channel(), caller.tenant)) {
    case ChannelClass::kRequests:
      break;
    case ChannelClass::kWorkerControl:
      if (auto resume = contract::ParseResume(request.body()); resume.ok()) stream_to = resume->stream_to;
      break;
    default:
      return absl::OkStatus();
  }
  return stream_to.empty() ? absl::OkStatus() : CheckAccess(caller, kSubscribe, stream_to);
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
  RETURN_IF_ERROR(CheckStreamTo(caller, request));
  RETURN_IF_ERROR(CheckRoutes(caller, request));
  return CheckReplyTo(caller, request, request.channel());
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
  RETURN_IF_ERROR(CheckReplyTo(caller, message, message.channel()));
  // Where a message goes that nobody could take is a queue it is sent to.
  const std::string& dead_letter = message.policy().maxreceivequeue();
  if (dead_letter.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckAccess(caller, kSendQueue, dead_letter));
  return CheckReplyTo(caller, message, dead_letter);
}

absl::Status CheckAccess(const Caller& caller, const kubemq::ReceiveQueueMessagesRequest& request) {
  return CheckAccess(caller, kReceiveQueue, request.channel());
}

absl::Status CheckAccess(const Caller& caller, const kubemq::AckAllQueueMessagesRequest& request) {
  return CheckAccess(caller, kPurgeQueue, request.channel());
}

absl::Status CheckAccess(const Caller& caller, const kubemq::QueuesInfoRequest& request) {
  const auto queues = QueueNamesOf(request);
  if (queues.empty()) return CheckAccess(caller, kQueueInfo);
  for (const std::string& queue : queues) RETURN_IF_ERROR(CheckAccess(caller, kQueueInfo, queue));
  return absl::OkStatus();
}

absl::Status CheckAccess(const Caller& caller, const kubemq::QueuesDownstreamRequest& request) {
  switch (request.requesttypedata()) {
    case kubemq::Get:
      return CheckAccess(caller, kReceiveQueue, request.channel());
    case kubemq::ReQueueAll:
    case kubemq::ReQueueRange:
      return CheckAccess(caller, kSendQueue, request.requeuechannel());
    default:  // of what was received
      return absl::OkStatus();
  }
}

absl::Status CheckAccess(const Caller& caller, const kubemq::StreamQueueMessagesRequest& request) {
  switch (request.streamrequesttypedata()) {
    case kubemq::ReceiveMessage:
      return CheckAccess(caller, kReceiveQueue, request.channel());
    case kubemq::ResendMessage:
      return CheckAccess(caller, kSendQueue, request.channel());
    case kubemq::SendModifiedMessage:
      return CheckAccess(caller, request.modifiedmessage());
    default:
      return absl::OkStatus();
  }
}

std::set<std::string, std::less<>> QueueNamesOf(const kubemq::QueuesInfoRequest& request) {
  std::set<std::string, std::less<>> names;
  std::string_view left = request.queuename();
  while (!left.empty()) {
    const std::string_view name = left.substr(0, left.find(';'));
    if (!name.empty()) names.emplace(name);
    left.remove_prefix(std::min(left.size(), name.size() + 1));
  }
  return names;
}

std::string DenialText(const absl::Status& denial) {
  const bool known = FaultOf(denial) == Fault::kPermissionDenied;
  return fmt::format("{}{}", known ? kubemq_text::kAccessDenied : kubemq_text::kNotAuthenticated,
                     MessageOf(denial));
}

void HoldToRoutes(const Caller& caller, Message& message) {
  if (caller.routes.empty() || message.channel != contract::kJobsChannel) return;
  auto question = contract::ParseJobsQuestion(message.body);
  auto* create = question.ok() ? std::get_if<contract::CreateBatch>(&*question) : nullptr;
  if (create == nullptr || !create->options.routes.empty()) return;
  create->options.routes = caller.routes;
  message.body = ToJson(*create);
}

void StampTenant(const Caller& caller, Message& message) {
  if (caller.level == AccessLevel::kAll && IsStrangers(message.channel, caller.tenant)) return;
  Stamp(caller, message);
}

void StampQueueMessage(const Caller& caller, Outgoing& outgoing) {
  Message& message = outgoing.message;
  const std::string& dead_letter = outgoing.dead_letter;
  const bool strangers = IsStrangers(message.channel, caller.tenant) &&
                         (dead_letter.empty() || IsStrangers(dead_letter, caller.tenant));
  if (caller.level == AccessLevel::kAll && strangers) return;
  Stamp(caller, message);
  // Where there are no keys, the jobs service of another process comes without one.
  if (strangers || KeepsTenants(caller) || caller.level == AccessLevel::kAll) return;
  message.tags.erase(std::string(tag::kQuery));
  message.tags.erase(std::string(tag::kJob));
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
