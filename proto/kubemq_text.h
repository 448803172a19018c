// The exact texts of the KubeMQ wire, as KubeMQ community server v2.4.0 says them: SDKs match on some, users
// search for all. The door says them, the client adapter reads them. Constants; any thread.
#pragma once

#include <string_view>

namespace llm_router::kubemq_text {

inline constexpr std::string_view kNoClientId = "Error 101: invalid clientID value, cannot be empty";
inline constexpr std::string_view kNoChannel = "Error 102: invalid channel value, cannot be empty";
inline constexpr std::string_view kWildcard = "Error 107: invalid channel value, no wildcards are allowed";
inline constexpr std::string_view kWhiteSpace =
    "Error 108: invalid channel value, no white spaces are allowed";
inline constexpr std::string_view kTimeoutNotPositive =
    "Error 109: invalid set timeout value, cannot be 0 or negative";
inline constexpr std::string_view kEmptyMessage = "Error 110: invalid message, cannot be empty";
inline constexpr std::string_view kNoStoreType =
    "Error 111: invalid subscription type, cannot be undefined or 0";
inline constexpr std::string_view kSequenceNotPositive =
    "Error 112: invalid subscription type start at sequence value, cannot by 0 or negative";
inline constexpr std::string_view kTimeNotPositive =
    "Error 113: invalid subscription type start at time value, cannot by 0 or negative";
inline constexpr std::string_view kTimeDeltaNotPositive =
    "Error 114: invalid subscription type start at time delta value, cannot by 0 or negative";
inline constexpr std::string_view kEmptyRequest = "Error 115: invalid request, cannot be empty";
inline constexpr std::string_view kTtlNotPositive =
    "Error 116: invalid cache ttl value, cannot be 0 or negative";
inline constexpr std::string_view kNoRequestId = "Error 117: invalid request id, cannot be empty";
inline constexpr std::string_view kNotEventsStore =
    "Error 118: event store parameters were set but subscribe type is not event store";
inline constexpr std::string_view kTrailingDot = "Error 119: invalid channel value, cannot end with `.`";
inline constexpr std::string_view kRequestType = "Error 206: invalid request type";
inline constexpr std::string_view kSubscribeType = "Error 207: invalid subscribe type";
inline constexpr std::string_view kTimeout = "Error 301: timeout for request message";
// Followed by the sentence of the refusal.
inline constexpr std::string_view kAccessDenied = "Error 412: access denied to resource: ";
inline constexpr std::string_view kNotAuthenticated = "Error 421: authentication verification failed, ";
inline constexpr std::string_view kNotReady = "grpc server is not ready to accept requests";
inline constexpr std::string_view kBadSubject = "nats: invalid subject";
inline constexpr std::string_view kBadGroup = "nats: invalid queue name";

// What is ours, because that server knows no such limit.
inline constexpr std::string_view kChannelTooLong =
    "invalid channel value, at most 1024 bytes are allowed: use a shorter channel name";

// Requests on this channel are for the server itself; their metadata is the verb.
inline constexpr std::string_view kInternalRequests = "kubemq.cluster.internal.requests";
inline constexpr std::string_view kCreateChannel = "create-channel";
inline constexpr std::string_view kDeleteChannel = "delete-channel";
inline constexpr std::string_view kListChannels = "list-channels";

// The metadata key under which a caller gives its key, as it is or after "Bearer ".
inline constexpr std::string_view kAuthorization = "authorization";

// Beyond that wire. In a Ping's initial metadata, "1" says that the server is one of ours:
inline constexpr std::string_view kMark = "llm-router";
// and this, beside it, how well its queues keep (the names of broker.h).
inline constexpr std::string_view kDurability = "llm-router-durability";
// and this, where a key came with it, the tenant it belongs to.
inline constexpr std::string_view kTenant = "llm-router-tenant";
// The tag on a failed reply that came of a failed status, not of a handler's own reply: the Fault's name.
inline constexpr std::string_view kFaultTag = "fault";

}  // namespace llm_router::kubemq_text
