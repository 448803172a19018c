// Streams: JetStream's side of queues: streams that are made when they are first needed, what is stored in
// them, and what is said about a message beside it.
//
// Owned by the broker's queues; loop thread only. Faults: not_supported where the server has no JetStream,
// engine_unavailable, storage_failed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "broker_adapters/nats/connection.h"
#include "broker_adapters/nats/jetstream_text.h"
#include "broker_adapters/nats/mailbox.h"

namespace llm_router::nats {

// What is leased is nobody else's for so long, unless it is renewed.
inline constexpr std::chrono::seconds kLease(15);

class Streams {
 public:
  explicit Streams(Connection& connection) : connection_(connection) {}

  // Makes the queue's stream and its consumers, unless they are known to be there.
  Awaitable<absl::Status> Ensure(std::string queue);
  // What is known of it is no longer true.
  void Forget(const std::string& queue) { known_.erase(queue); }

  // Stores messages in their order, each once however often it is tried; their sequences. Only in queues that
  // Ensure was called for.
  Awaitable<std::vector<absl::StatusOr<uint64_t>>> Store(std::string queue,
                                                         std::vector<WireMessage> messages);

  // Says `verdict` about what is leased, and returns when the server has taken it in.
  Awaitable<std::vector<absl::Status>> Tell(std::vector<std::string> receipts, std::string verdict);
  // The same, without waiting.
  void Mention(const std::string& receipt, std::string verdict);

  // How often a message was given out that does not count.
  Awaitable<int> Released(std::string stream, uint64_t sequence);
  Awaitable<absl::Status> NoteReleased(std::string stream, uint64_t sequence, int times);
  void ForgetReleased(const std::string& stream, uint64_t sequence);

  // Nothing where there is no such queue.
  Awaitable<absl::StatusOr<std::optional<StreamState>>> State(std::string queue);
  // The same; the highest sequence that was given to anybody.
  Awaitable<absl::StatusOr<std::optional<uint64_t>>> Given(std::string queue);
  // Removes what waits for its time; how many.
  Awaitable<absl::StatusOr<uint64_t>> PurgeLater(std::string queue);
  // All streams there are from the `offset`th on, as many as the server tells at once.
  Awaitable<absl::StatusOr<StreamPage>> List(size_t offset);

 private:
  // What waits for the server's word: asked again while nobody leads the stream.
  struct Question {
    explicit Question(Connection& connection) : mailbox(connection) {}

    WireMessage message;
    Mailbox mailbox;
    absl::Status published;
  };
  using Questions = std::vector<std::unique_ptr<Question>>;

  std::unique_ptr<Question> Pose(WireMessage message, TimePoint deadline);
  Awaitable<std::optional<WireMessage>> AnswerTo(Question& question, TimePoint deadline);
  Awaitable<absl::StatusOr<std::string>> Api(std::string subject, std::string body);
  Awaitable<absl::Status> Create(std::string stream, std::string config);
  Awaitable<absl::Status> AddConsumer(std::string stream, std::string_view consumer, std::string subject);
  Awaitable<absl::Status> EnsureNotes();
  Keeping KeepingOf() const;

  Connection& connection_;
  absl::flat_hash_set<std::string> known_;  // queues; at most 10,000, then all are asked for anew
  bool notes_known_ = false;
};

}  // namespace llm_router::nats
