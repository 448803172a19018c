// The exact texts of the KubeMQ wire about queues, as KubeMQ community server v2.4.0 says them (kubemq_text.h
// has the others), and what our door and our adapter say to each other beyond that wire. Constants; any
// thread.
#pragma once

#include <string_view>

namespace llm_router::kubemq_text {

inline constexpr std::string_view kQueueName =
    "Error 120: invalid queue name value, cannot be empty, contains wildcards ,white spaces and end with dot";
inline constexpr std::string_view kMaxMessages =
    "Error 122: max messages should be between 1 and max message setting in kubemq config  ";
inline constexpr std::string_view kNothingToAck = "Error 124: no active message to ack";
inline constexpr std::string_view kAckSequence = "Error 125: ack sequence cannot be 0 or negative";
inline constexpr std::string_view kNothingToSend = "Error 126: no active message to send";
inline constexpr std::string_view kVisibility =
    "Error 127: invalid visibility time, cannot be negative or exceed setting in kubemq config";
inline constexpr std::string_view kAlreadyReceiving = "Error 128: subscription to queue is already active";
inline constexpr std::string_view kVisibilityOver = "Error 129: current visibility timer expired";
inline constexpr std::string_view kQueueMessage = "Error 131: invalid queue message";
inline constexpr std::string_view kStreamRequestType =
    "Error 132: invalid stream queue messages request type";
inline constexpr std::string_view kExpiration =
    "Error 133: invalid expiration seconds, exceed max expiration seconds setting in kubemq config";
inline constexpr std::string_view kMaxReceiveCount =
    "Error 134: invalid max received count, cannot be negative or exceed max receive count setting in kubemq "
    "config";
inline constexpr std::string_view kDelay =
    "Error 135: invalid delay seconds, exceed max delay seconds setting in kubemq config";
inline constexpr std::string_view kWaitTimeout =
    "Error 136: invalid wait timeout, value cannot be negative or exceed max wait timeout seconds setting in "
    "kubemq config";
inline constexpr std::string_view kNothingToReject = "Error 137: no active message to reject";
inline constexpr std::string_view kWaitOver = "Error 138: no new message in queue, wait time expired";

inline constexpr std::string_view kNoMessages = "no messages to send";
inline constexpr std::string_view kEmptyBatch = "empty messages batch";

// Of QueuesDownstream.
inline constexpr std::string_view kNoTransaction = "transaction is completed or transaction id not found";
inline constexpr std::string_view kRequestUnknown = "request unknown";
inline constexpr std::string_view kAckNothing = "cannot ack empty list of of offsets";
inline constexpr std::string_view kNackNothing = "cannot nack empty list of of offsets";
inline constexpr std::string_view kRequeueNothing = "cannot requeue empty list of of offsets";
inline constexpr std::string_view kRequeueNowhere = "cannot requeue messages with empty channel destination ";
inline constexpr std::string_view kAckUnknown = "invalid ack sequence id ";    // the number follows
inline constexpr std::string_view kNackUnknown = "invalid nack sequence id ";  // the same

// Beyond that wire: keys of QueuesDownstreamRequest.Metadata, which that server does not read.
// On a Get: "first" answers as soon as one message is there, with at most MaxItems, and WaitTimeout has no
// least value; otherwise a Get waits until it has MaxItems, or WaitTimeout is over.
inline constexpr std::string_view kAnswer = "answer";
inline constexpr std::string_view kAnswerFirst = "first";
// On NAckAll and NAckRange: milliseconds until the messages are given out again.
inline constexpr std::string_view kNackDelay = "nack-delay-ms";
// On NAckAll and NAckRange: "yes" puts the messages back to their places, and the delivery does not count.
inline constexpr std::string_view kRelease = "release";
// On every settlement and CloseByClient: "yes" has it answered once it is done, too, by a response of the
// same type without an error; otherwise only a failure is answered.
inline constexpr std::string_view kConfirm = "confirm";
inline constexpr std::string_view kYes = "yes";
// On a CloseByClient without a transaction: the RequestID of a Get of this stream that is given up. One that
// waits still ends with an error that nobody need hear; what it has brought already stays leased.
inline constexpr std::string_view kGet = "get";

}  // namespace llm_router::kubemq_text
