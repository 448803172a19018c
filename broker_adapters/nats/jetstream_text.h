// What is said to JetStream's API, and what it answers: subjects and JSON. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace llm_router::nats {

inline constexpr std::string_view kAccountInfo = "$JS.API.INFO";
inline constexpr std::string_view kListStreams = "$JS.API.STREAM.LIST";

// The consumers of a queue's stream: of what can be taken, and of what waits for its time.
inline constexpr std::string_view kWorkConsumer = "work";
inline constexpr std::string_view kLaterConsumer = "later";
// What is said about messages beside the messages: one stream for all queues.
inline constexpr std::string_view kNotesStream = "llm-router-notes";

// How streams are kept that we make.
struct Keeping {
  Keeping() = default;
  int replicas = 1;
  bool in_memory = false;
};

std::string CreateStream(std::string_view stream);
std::string StreamConfig(std::string_view queue, const Keeping& keeping);
std::string NotesConfig(const Keeping& keeping);
std::string CreateConsumer(std::string_view stream, std::string_view consumer);
// `lease`: how long what was given is nobody else's.
std::string ConsumerConfig(std::string_view stream, std::string_view consumer, std::string_view subject,
                           std::chrono::nanoseconds lease);
std::string NextMessage(std::string_view stream, std::string_view consumer);
// Up to `batch` messages; none to wait for where `wait` is 0.
std::string Pull(size_t batch, std::chrono::nanoseconds wait);
std::string StreamInfo(std::string_view stream);
std::string GetMessage(std::string_view stream);
std::string LastOn(std::string_view subject);
std::string PurgeStream(std::string_view stream);
std::string OnlyOn(std::string_view subject);
std::string ConsumerInfo(std::string_view stream, std::string_view consumer);
// The message itself is the answer, for streams that allow it.
std::string GetDirect(std::string_view stream);
std::string NextOn(std::string_view subject, uint64_t sequence);
std::string From(size_t offset);

// What an answer complains about, if anything.
[[nodiscard]] absl::Status ErrorIn(std::string_view answer);
// The code of that: 10058, a stream has this name and is made in another way, for one. 0 = none.
int CodeIn(std::string_view answer);
// The acknowledgement of a message that was published: its sequence.
absl::StatusOr<uint64_t> SequenceIn(std::string_view answer);
// The body of the message in an answer to GetMessage.
std::optional<std::string> BodyIn(std::string_view answer);

struct StreamState {
  StreamState() = default;

  std::map<std::string, uint64_t, std::less<>> messages;  // by subject
  int64_t first_at = 0;                                   // Unix ns, 0 = empty
};
absl::StatusOr<StreamState> StateIn(std::string_view answer);

// Of an answer to PurgeStream: how many messages there were.
absl::StatusOr<uint64_t> PurgedIn(std::string_view answer);
// Of an answer to ConsumerInfo: the highest sequence that was given to anybody.
absl::StatusOr<uint64_t> GivenIn(std::string_view answer);

struct QueueStream {
  QueueStream() = default;

  std::string queue;
  uint64_t messages = 0;
  uint64_t bytes = 0;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
};
struct StreamPage {
  StreamPage() = default;

  size_t streams = 0;  // on this page, whosever they are
  size_t total = 0;
  std::vector<QueueStream> queues;
};
absl::StatusOr<StreamPage> PageIn(std::string_view answer);

// What the reply subject of a message from a consumer says: where it is acknowledged, and what it is.
struct Ticket {
  Ticket() = default;

  std::string stream;
  int deliveries = 1;
  uint64_t sequence = 0;
  int64_t stored_at = 0;  // Unix ns
};
std::optional<Ticket> ParseTicket(std::string_view reply);

// Unix ns of a time like 2026-01-02T03:04:05.678Z; 0 where it is none.
int64_t ParseTime(std::string_view text);

}  // namespace llm_router::nats
