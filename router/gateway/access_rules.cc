#include "router/gateway/access_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "broker_adapters/base/utf8.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"

namespace llm_router {
namespace {

using enum Verb;
using enum ChannelClass;

constexpr std::array kVerbs = {
    VerbRow{kSendQuery, "send_query", "send queries to"},
    VerbRow{kSendCommand, "send_command", "send commands to"},
    VerbRow{kServeQueries, "serve_queries", "serve queries on"},
    VerbRow{kServeCommands, "serve_commands", "serve commands on"},
    VerbRow{kAnswer, "answer", "answer queries"},
    VerbRow{kPublish, "publish", "publish events on"},
    VerbRow{kSubscribe, "subscribe", "subscribe to"},
    VerbRow{kPublishStored, "publish_stored", "publish stored events on"},
    VerbRow{kSubscribeStored, "subscribe_stored", "subscribe to stored events of"},
    VerbRow{kSendQueue, "send_queue", "send to the queue"},
    VerbRow{kReceiveQueue, "receive_queue", "receive from the queue"},
    VerbRow{kPurgeQueue, "purge_queue", "purge the queue"},
    VerbRow{kQueueInfo, "queue_info", "read the state of the queue"},
    VerbRow{kSeeChannel, "see_channel", "see the channel"},
    VerbRow{kCreateChannel, "create_channel", "create the channel"},
    VerbRow{kDeleteChannel, "delete_channel", "delete the channel"},
    VerbRow{kReplyTo, "reply_to", "name as reply-to the channel"},
    VerbRow{kKeepTenant, "keep_tenant", "speak for another tenant"},
    VerbRow{kReadMetrics, "read_metrics", "read the metrics"},
};

constexpr std::array kClasses = {
    ChannelClassRow{kNone, "none", ""},
    ChannelClassRow{kRequests, "requests", "openai_requests"},
    ChannelClassRow{kJobs, "jobs", "openai_jobs"},
    ChannelClassRow{kDead, "dead", "openai_dead"},
    ChannelClassRow{kJobsService, "jobs_service", "llm_jobs"},
    ChannelClassRow{kJournal, "journal", "llm_journal"},
    ChannelClassRow{kHeartbeats, "heartbeats", "llm_workers"},
    ChannelClassRow{kControl, "control", "llm_control"},
    ChannelClassRow{kWorkerControl, "worker_control", "llm_control.w1"},
    ChannelClassRow{kOwnStream, "own_stream", "stream.acme.1f3870be274f6c49"},
    ChannelClassRow{kForeignStream, "foreign_stream", "stream.other.1f3870be274f6c49"},
    ChannelClassRow{kReserved, "reserved", "llm_something"},
    ChannelClassRow{kInternal, "internal", "kubemq.cluster.internal.requests"},
    ChannelClassRow{kPattern, "pattern", "orders.*.paid"},
    ChannelClassRow{kReservedPattern, "reserved_pattern", "stream.>"},
    ChannelClassRow{kOther, "other", "orders.new"},
};

constexpr uint8_t Bit(AccessLevel level) { return static_cast<uint8_t>(1U << static_cast<unsigned>(level)); }
constexpr uint8_t kCallers = Bit(AccessLevel::kCaller);
constexpr uint8_t kWorkers = Bit(AccessLevel::kWorker);
constexpr uint8_t kAdmins = Bit(AccessLevel::kAdmin);
constexpr uint8_t kEvery = kCallers | kWorkers | kAdmins;

// The contract's table of access (proto/README.md), cell by cell.
constexpr std::array kRules = {
    AccessRule{kSendQuery, kRequests, kEvery},
    AccessRule{kSendQuery, kJobsService, kEvery},
    AccessRule{kSendQuery, kJournal, kWorkers},
    AccessRule{kSendQuery, kWorkerControl, kEvery},  // resume; of its own tenant, as stamped
    AccessRule{kSendQuery, kInternal, kEvery},       // each request there is a verb of its own
    AccessRule{kSendQuery, kOther, kEvery},
    AccessRule{kSendCommand, kOther, kEvery},
    AccessRule{kServeQueries, kRequests, kWorkers},
    AccessRule{kServeQueries, kJobsService, kWorkers},
    AccessRule{kServeQueries, kJournal, kWorkers},
    AccessRule{kServeQueries, kWorkerControl, kWorkers},
    AccessRule{kServeQueries, kPattern, kAdmins},
    AccessRule{kServeQueries, kOther, kEvery},
    AccessRule{kServeCommands, kPattern, kAdmins},
    AccessRule{kServeCommands, kOther, kEvery},
    AccessRule{kAnswer, kNone, kEvery},
    AccessRule{kPublish, kHeartbeats, kWorkers},
    AccessRule{kPublish, kControl, kEvery},        // cancel, credit; of its own tenant, as stamped
    AccessRule{kPublish, kWorkerControl, kEvery},  // the same
    AccessRule{kPublish, kOwnStream, kWorkers},
    AccessRule{kPublish, kForeignStream, kWorkers},
    AccessRule{kPublish, kOther, kEvery},
    AccessRule{kSubscribe, kHeartbeats, kEvery},  // how callers learn routes
    AccessRule{kSubscribe, kControl, kWorkers},
    AccessRule{kSubscribe, kWorkerControl, kWorkers},
    AccessRule{kSubscribe, kOwnStream, kEvery},
    AccessRule{kSubscribe, kPattern, kAdmins},
    AccessRule{kSubscribe, kReservedPattern, kAdmins},
    AccessRule{kSubscribe, kOther, kEvery},
    AccessRule{kPublishStored, kOther, kEvery},
    AccessRule{kSubscribeStored, kOther, kEvery},
    AccessRule{kSendQueue, kJobs, kEvery},
    AccessRule{kSendQueue, kDead, kWorkers},
    AccessRule{kSendQueue, kOther, kEvery},
    AccessRule{kReceiveQueue, kJobs, kWorkers},
    AccessRule{kReceiveQueue, kDead, kAdmins},
    AccessRule{kReceiveQueue, kOther, kEvery},
    AccessRule{kPurgeQueue, kJobs, kAdmins},
    AccessRule{kPurgeQueue, kDead, kAdmins},
    AccessRule{kPurgeQueue, kOther, kEvery},
    AccessRule{kQueueInfo, kNone, kAdmins},  // all queues
    AccessRule{kQueueInfo, kJobs, kEvery},
    AccessRule{kQueueInfo, kDead, kAdmins},
    AccessRule{kQueueInfo, kOther, kEvery},
    AccessRule{kSeeChannel, kNone, kEvery},  // a list, of what is granted below
    AccessRule{kSeeChannel, kRequests, kEvery},
    AccessRule{kSeeChannel, kJobs, kEvery},
    AccessRule{kSeeChannel, kDead, kAdmins},
    AccessRule{kSeeChannel, kJobsService, kAdmins},
    AccessRule{kSeeChannel, kJournal, kAdmins},
    AccessRule{kSeeChannel, kHeartbeats, kEvery},
    AccessRule{kSeeChannel, kControl, kAdmins},
    AccessRule{kSeeChannel, kWorkerControl, kAdmins},
    AccessRule{kSeeChannel, kOwnStream, kEvery},
    AccessRule{kSeeChannel, kForeignStream, kAdmins},
    AccessRule{kSeeChannel, kReserved, kAdmins},
    AccessRule{kSeeChannel, kInternal, kAdmins},
    AccessRule{kSeeChannel, kOther, kEvery},
    AccessRule{kCreateChannel, kRequests, kAdmins},
    AccessRule{kCreateChannel, kJobs, kAdmins},
    AccessRule{kCreateChannel, kDead, kAdmins},
    AccessRule{kCreateChannel, kOther, kEvery},
    AccessRule{kDeleteChannel, kRequests, kAdmins},
    AccessRule{kDeleteChannel, kJobs, kAdmins},
    AccessRule{kDeleteChannel, kDead, kAdmins},
    AccessRule{kDeleteChannel, kOther, kEvery},
    AccessRule{kReplyTo, kOther, kEvery},
    AccessRule{kKeepTenant, kNone, kWorkers},
    AccessRule{kReadMetrics, kNone, kAdmins},
};

constexpr bool InEnumOrder() {
  for (size_t i = 0; i < kVerbs.size(); ++i) {
    if (static_cast<size_t>(kVerbs[i].verb) != i) return false;
  }
  for (size_t i = 0; i < kClasses.size(); ++i) {
    if (static_cast<size_t>(kClasses[i].channel_class) != i) return false;
  }
  return kVerbs.size() == static_cast<size_t>(kReadMetrics) + 1 &&
         kClasses.size() == static_cast<size_t>(kOther) + 1;
}
static_assert(InEnumOrder());

// The rules by verb and class, so that a check costs one load.
using Grants = std::array<std::array<uint8_t, kClasses.size()>, kVerbs.size()>;
constexpr Grants MakeGrants() {
  Grants grants{};
  for (const AccessRule& rule : kRules) {
    grants[static_cast<size_t>(rule.verb)][static_cast<size_t>(rule.channel_class)] |= rule.who;
  }
  return grants;
}
constexpr Grants kGrants = MakeGrants();

uint8_t WhoMay(Verb verb, ChannelClass channel_class) {
  return kGrants[static_cast<size_t>(verb)][static_cast<size_t>(channel_class)];
}

bool HasWildcard(std::string_view text) { return text.find_first_of("*>") != std::string_view::npos; }

bool IsReserved(std::string_view token) { return token.starts_with("llm") || token.starts_with("stream"); }

struct RouteSuffix {
  std::string_view suffix;
  ChannelClass channel_class;
};
constexpr std::array kRouteSuffixes = {RouteSuffix{"_requests", kRequests}, RouteSuffix{"_jobs", kJobs},
                                       RouteSuffix{"_dead", kDead}};

const RouteSuffix* SuffixOf(std::string_view channel) {
  const auto found = std::ranges::find_if(
      kRouteSuffixes, [&](const RouteSuffix& row) { return channel.ends_with(row.suffix); });
  return found == kRouteSuffixes.end() ? nullptr : &*found;
}

// A wildcard first could match llm_jobs or a stream, one last a route's channel.
ChannelClass ClassOfPattern(std::string_view pattern) {
  const std::string_view first = pattern.substr(0, pattern.find('.'));
  const std::string_view last = pattern.substr(pattern.rfind('.') + 1);
  const bool reserved = HasWildcard(first) || HasWildcard(last) || IsReserved(first) ||
                        SuffixOf(last) != nullptr || pattern.starts_with("kubemq.");
  return reserved ? kReservedPattern : kPattern;
}

constexpr std::string_view kStream = "stream.";

ChannelClass ClassOfStream(std::string_view channel, std::string_view tenant) {
  channel.remove_prefix(kStream.size());
  const bool own = channel.starts_with(tenant) && channel.substr(tenant.size()).starts_with('.');
  return own ? kOwnStream : kForeignStream;
}

ChannelClass ClassOfReserved(std::string_view channel, std::string_view tenant) {
  if (channel == "llm_jobs") return kJobsService;
  if (channel == "llm_journal") return kJournal;
  if (channel == contract::kHeartbeatChannel) return kHeartbeats;
  if (channel == contract::kControlChannel) return kControl;
  if (channel.starts_with(contract::WorkerControlChannel(""))) return kWorkerControl;
  return channel.starts_with(kStream) ? ClassOfStream(channel, tenant) : kReserved;
}

bool IsOfRoute(ChannelClass channel_class) {
  return channel_class == kRequests || channel_class == kJobs || channel_class == kDead;
}

std::string Remedy(uint8_t who) {
  std::vector<std::string_view> names;
  if ((who & kCallers) != 0) names.emplace_back("caller");
  if ((who & kWorkers) != 0) names.emplace_back("worker");
  if ((who & kAdmins) != 0) names.emplace_back("admin");
  if (names.empty()) return "no key may: use another channel";
  return fmt::format("use a key with access {}", fmt::join(names, " or "));
}

std::string Doing(Verb verb, std::string_view channel) {
  const std::string_view words = AllVerbs()[static_cast<size_t>(verb)].words;
  return channel.empty() ? std::string(words) : fmt::format("{} {}", words, Excerpt(channel, 64));
}

}  // namespace

std::span<const VerbRow> AllVerbs() { return kVerbs; }
std::span<const ChannelClassRow> AllChannelClasses() { return kClasses; }
std::span<const AccessRule> AllAccessRules() { return kRules; }

ChannelClass ClassOf(std::string_view channel, std::string_view tenant) {
  if (channel.empty()) return kNone;
  if (HasWildcard(channel)) return ClassOfPattern(channel);
  if (IsReserved(channel)) return ClassOfReserved(channel, tenant);
  if (const RouteSuffix* suffix = SuffixOf(channel)) return suffix->channel_class;
  return channel == kubemq_text::kInternalRequests ? kInternal : kOther;
}

bool IsGranted(AccessLevel level, Verb verb, ChannelClass channel_class) {
  if (level != AccessLevel::kAll) return (WhoMay(verb, channel_class) & Bit(level)) != 0;
  // Where there are no keys nobody is kept from anything, except from what would loop; and there is one
  // tenant.
  return verb == kReplyTo ? WhoMay(verb, channel_class) == kEvery : verb != kKeepTenant;
}

absl::Status CheckAccess(const Caller& caller, Verb verb, std::string_view channel) {
  const ChannelClass channel_class = ClassOf(channel, caller.tenant);
  if (!IsGranted(caller.level, verb, channel_class)) {
    return MakeFault(Fault::kPermissionDenied,
                     fmt::format("the key {} may not {}: {}", caller.id, Doing(verb, channel),
                                 Remedy(WhoMay(verb, channel_class))));
  }
  if (!IsOfRoute(channel_class)) return absl::OkStatus();
  const std::string_view route = channel.substr(0, channel.size() - SuffixOf(channel)->suffix.size());
  if (caller.MayUseRoute(route)) return absl::OkStatus();
  return MakeFault(Fault::kPermissionDenied,
                   fmt::format("the key {} may not {}: its routes are {}; use a key for that route",
                               caller.id, Doing(verb, channel), fmt::join(caller.routes, ", ")));
}

}  // namespace llm_router
