// Subjects: how channels and queues are called on NATS. Pure; any thread.
//
// All of ours begin with `llm-router.`; what is sent to `llm-router.query.<channel>` or published on
// `llm-router.queue.<queue>` by any client of NATS reaches whom it should (README.md).
#pragma once

#include <string>
#include <string_view>

#include "broker_adapters/broker.h"

namespace llm_router::nats {

// Of a cancelled query: its reply subject is the body.
inline constexpr std::string_view kCancelSubject = "llm-router.cancel";

// Of who is there.
inline constexpr std::string_view kPresencePrefix = "llm-router.here.";

std::string QuerySubject(Kind kind, std::string_view channel);
std::string EventSubject(std::string_view channel);
std::string QueueSubject(std::string_view queue);
// Where a message waits that was sent with a delay.
std::string LaterSubject(std::string_view queue);
// What was said about one message of a stream beside the message.
std::string NoteSubject(std::string_view stream, uint64_t sequence);

// The channel or queue of a subject that one of the above made.
std::string_view ChannelOf(std::string_view subject);

// The stream that keeps a queue: a name that is also that of a folder, at most 255 bytes.
std::string StreamOf(std::string_view queue);

// What can be subscribed to: NATS takes `>` nowhere but at the end. Fault invalid_request.
[[nodiscard]] absl::Status CheckPattern(const std::string& pattern);
// The same for what is sent to, and its length.
[[nodiscard]] absl::Status CheckName(std::string_view channel);

}  // namespace llm_router::nats
