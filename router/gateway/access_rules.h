// The rules of access: which access may do what on which channels, as a table.
//
// A verb is what a caller does, whatever door it came by; a door names the verbs of its own calls
// (kubemq_grpc_verbs.h). What no row grants is forbidden. Constant data and pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "router/gateway/caller.h"

namespace llm_router {

enum class Verb {
  kSendQuery,
  kSendCommand,
  kServeQueries,
  kServeCommands,
  kAnswer,  // what one serves; the reply channel is the secret that proves it
  kPublish,
  kSubscribe,
  kPublishStored,
  kSubscribeStored,
  kSendQueue,
  kReceiveQueue,
  kPurgeQueue,
  kQueueInfo,
  kSeeChannel,  // in a list of channels
  kCreateChannel,
  kDeleteChannel,
  kReplyTo,     // name the channel as the `reply-to` of a job
  kKeepTenant,  // speak for the tenant that the tag names
  kReadMetrics,
};

// What kind of channel a name or pattern is, to one caller.
enum class ChannelClass {
  kNone,             // the verb has no channel
  kRequests,         // <route>_requests
  kJobs,             // <route>_jobs
  kDead,             // <route>_dead
  kJobsService,      // llm_jobs
  kJournal,          // llm_journal
  kHeartbeats,       // llm_workers
  kControl,          // llm_control
  kWorkerControl,    // llm_control.<worker>
  kOwnStream,        // stream.<the caller's tenant>.<anything>
  kForeignStream,    // stream.<another tenant>.<anything>
  kReserved,         // whatever else begins with llm or stream
  kInternal,         // kubemq.cluster.internal.requests
  kPattern,          // with wildcards, matching none of the above
  kReservedPattern,  // with wildcards, and able to match one of the above
  kOther,
};

struct VerbRow {
  Verb verb;
  std::string_view name;   // for tests and logs
  std::string_view words;  // "serve queries on": for errors
};
struct ChannelClassRow {
  ChannelClass channel_class;
  std::string_view name;
  std::string_view example;  // to a caller of tenant acme
};
// One grant. Channels of a route are granted for the key's routes only.
struct AccessRule {
  Verb verb;
  ChannelClass channel_class;
  uint8_t who;  // bits: 1 << AccessLevel
};

std::span<const VerbRow> AllVerbs();
std::span<const ChannelClassRow> AllChannelClasses();
std::span<const AccessRule> AllAccessRules();

ChannelClass ClassOf(std::string_view channel, std::string_view tenant);
// Whether a row of the table grants it, routes aside.
bool IsGranted(AccessLevel level, Verb verb, ChannelClass channel_class);

// OK, or fault permission_denied with a sentence that names the key's id, the verb, the channel and what
// would do. `channel` is empty for verbs without one.
[[nodiscard]] absl::Status CheckAccess(const Caller& caller, Verb verb, std::string_view channel = {});

}  // namespace llm_router
