#include "broker_adapters/nats/streams.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/nats/subjects.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr size_t kMostKnown = 10'000;
constexpr auto kPatience = std::chrono::seconds(10);
constexpr Milliseconds kElection(100);
constexpr auto kSilence = std::chrono::seconds(2);
constexpr int kStreamExists = 10'058;  // and is made in another way
constexpr int kStreamUnknown = 10'059;
constexpr int kConsumerExists = 10'013;
constexpr int kConsumerUnknown = 10'014;
constexpr int kConsumerIsOther = 10'012;
constexpr std::string_view kMessageId = "Nats-Msg-Id";
constexpr std::string_view kExpectedStream = "Nats-Expected-Stream";

absl::Status NoJetStream() {
  return MakeFault(
      Fault::kNotSupported,
      "the NATS server keeps no queues: start it with JetStream (nats-server -js), for all its accounts");
}

absl::Status NotKept(const Connection& connection) {
  if (connection.stopping()) return connection.ShuttingDown();
  return MakeFault(Fault::kEngineUnavailable,
                   "the NATS server does not say that it has the message: it may have it all the same");
}

absl::Status NotSettled(const Connection& connection) {
  if (connection.stopping()) return connection.ShuttingDown();
  return MakeFault(Fault::kEngineUnavailable,
                   "the NATS server does not say that the message is settled: it may come again");
}

}  // namespace

Keeping Streams::KeepingOf() const {
  Keeping keeping;
  keeping.replicas = connection_.options().replicas;
  keeping.in_memory = connection_.options().in_memory;
  return keeping;
}

std::unique_ptr<Streams::Question> Streams::Pose(WireMessage message, TimePoint deadline) {
  auto question = std::make_unique<Question>(connection_);
  question->message = std::move(message);
  question->message.reply = question->mailbox.address();
  question->published = connection_.Publish(question->message, deadline);
  return question;
}

Awaitable<std::optional<WireMessage>> Streams::AnswerTo(Question& question, TimePoint deadline) {
  while (true) {
    auto answer = co_await question.mailbox.Next(deadline);
    const bool is_lost = answer && answer->status == kNobodyThere;
    if (!is_lost || connection_.caps().durability == Durability::kNone) co_return answer;
    if (Now() + kElection >= deadline || !co_await Sleep(Now() + kElection)) co_return answer;
    if (!connection_.Publish(question.message, deadline).ok()) co_return answer;
  }
}

Awaitable<absl::StatusOr<std::string>> Streams::Api(std::string subject, std::string body) {
  const TimePoint deadline = Now() + kPatience;
  const auto question = Pose(WireMessage(std::move(subject), std::move(body)), deadline);
  CO_RETURN_IF_ERROR(question->published);
  auto answer = co_await AnswerTo(*question, std::min<TimePoint>(deadline, Now() + kSilence));
  while (!answer && Now() < deadline && !question->mailbox.is_cut() && !co_await Cancelled()) {
    CO_RETURN_IF_ERROR(connection_.Publish(question->message, deadline));
    answer = co_await AnswerTo(*question, std::min<TimePoint>(deadline, Now() + kSilence));
  }
  if (answer && answer->status == 0) co_return std::move(answer->body);
  if (connection_.stopping()) co_return connection_.ShuttingDown();
  if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "the caller went away");
  if (connection_.caps().durability == Durability::kNone) co_return NoJetStream();
  co_return MakeFault(Fault::kEngineUnavailable, "JetStream does not answer: ask again");
}

// A stream that somebody made in another way is used as it is: its replicas and limits are theirs.
Awaitable<absl::Status> Streams::Create(std::string stream, std::string config) {
  CO_ASSIGN_OR_RETURN(const std::string answer, co_await Api(CreateStream(stream), std::move(config)));
  if (CodeIn(answer) == kStreamExists) co_return absl::OkStatus();
  co_return Annotate(ErrorIn(answer), "make stream " + stream);
}

Awaitable<absl::Status> Streams::AddConsumer(std::string stream, std::string_view consumer,
                                             std::string subject) {
  CO_ASSIGN_OR_RETURN(
      const std::string answer,
      co_await Api(CreateConsumer(stream, consumer), ConsumerConfig(stream, consumer, subject, kLease)));
  const int code = CodeIn(answer);
  if (code == kConsumerExists || code == kConsumerIsOther) co_return absl::OkStatus();
  co_return Annotate(ErrorIn(answer), "make a consumer of stream " + stream);
}

Awaitable<absl::Status> Streams::Ensure(std::string queue) {
  if (known_.contains(queue)) co_return absl::OkStatus();
  if (connection_.caps().durability == Durability::kNone) co_return NoJetStream();
  const std::string stream = StreamOf(queue);
  CO_RETURN_IF_ERROR(co_await Create(stream, StreamConfig(queue, KeepingOf())));
  CO_RETURN_IF_ERROR(co_await AddConsumer(stream, kWorkConsumer, QueueSubject(queue)));
  CO_RETURN_IF_ERROR(co_await AddConsumer(stream, kLaterConsumer, LaterSubject(queue)));
  if (known_.size() >= kMostKnown) known_.clear();
  known_.insert(std::move(queue));
  co_return absl::OkStatus();
}

Awaitable<absl::Status> Streams::EnsureNotes() {
  if (notes_known_) co_return absl::OkStatus();
  CO_RETURN_IF_ERROR(co_await Create(std::string(kNotesStream), NotesConfig(KeepingOf())));
  notes_known_ = true;
  co_return absl::OkStatus();
}

Awaitable<std::vector<absl::StatusOr<uint64_t>>> Streams::Store(std::string queue,
                                                                std::vector<WireMessage> messages) {
  const TimePoint deadline = Now() + kPatience;
  const std::string stream = StreamOf(queue);
  Questions questions;
  for (WireMessage& message : messages) {
    if (!message.Has(kMessageId)) message.Add(kMessageId, NewId());
    message.Add(kExpectedStream, stream);
    questions.push_back(Pose(std::move(message), deadline));
  }
  std::vector<absl::StatusOr<uint64_t>> results;
  for (const auto& question : questions) {
    if (!question->published.ok()) {
      results.emplace_back(question->published);
      continue;
    }
    const auto answer = co_await AnswerTo(*question, deadline);
    if (answer && answer->status == kNobodyThere) Forget(queue);
    const bool is_told = answer && answer->status == 0;
    results.push_back(is_told ? SequenceIn(answer->body) : NotKept(connection_));
  }
  co_return results;
}

Awaitable<std::vector<absl::Status>> Streams::Tell(std::vector<std::string> receipts, std::string verdict) {
  const TimePoint deadline = Now() + kPatience;
  Questions questions;
  for (std::string& receipt : receipts)
    questions.push_back(Pose(WireMessage(std::move(receipt), verdict), deadline));
  std::vector<absl::Status> results;
  for (const auto& question : questions) {
    if (!question->published.ok()) {
      results.push_back(question->published);
      continue;
    }
    const auto answer = co_await AnswerTo(*question, deadline);
    results.push_back(answer && answer->status == 0 ? absl::OkStatus() : NotSettled(connection_));
  }
  co_return results;
}

void Streams::Mention(const std::string& receipt, std::string verdict) {
  (void)connection_.Publish(WireMessage(receipt, std::move(verdict)), Now() + kPatience);
}

Awaitable<int> Streams::Released(std::string stream, uint64_t sequence) {
  const auto answer = co_await Api(GetMessage(kNotesStream), LastOn(NoteSubject(stream, sequence)));
  const auto body = answer.ok() ? BodyIn(*answer) : std::nullopt;
  co_return body ? ParseNumber<int>(*body).value_or(0) : 0;
}

Awaitable<absl::Status> Streams::NoteReleased(std::string stream, uint64_t sequence, int times) {
  CO_RETURN_IF_ERROR(co_await EnsureNotes());
  const auto answer = co_await Api(NoteSubject(stream, sequence), std::to_string(times));
  notes_known_ = answer.ok();
  CO_RETURN_IF_ERROR(answer.status());
  co_return SequenceIn(*answer).status();
}

void Streams::ForgetReleased(const std::string& stream, uint64_t sequence) {
  Mention(PurgeStream(kNotesStream), OnlyOn(NoteSubject(stream, sequence)));
}

Awaitable<absl::StatusOr<std::optional<StreamState>>> Streams::State(std::string queue) {
  if (connection_.caps().durability == Durability::kNone) co_return NoJetStream();
  constexpr std::string_view kWithSubjects = R"({"subjects_filter":">"})";
  CO_ASSIGN_OR_RETURN(const std::string answer,
                      co_await Api(StreamInfo(StreamOf(queue)), std::string(kWithSubjects)));
  if (CodeIn(answer) == kStreamUnknown) co_return std::optional<StreamState>();
  CO_ASSIGN_OR_RETURN(StreamState state, StateIn(answer));
  co_return std::optional<StreamState>(std::move(state));
}

Awaitable<absl::StatusOr<std::optional<uint64_t>>> Streams::Given(std::string queue) {
  if (connection_.caps().durability == Durability::kNone) co_return NoJetStream();
  CO_ASSIGN_OR_RETURN(const std::string answer,
                      co_await Api(ConsumerInfo(StreamOf(queue), kWorkConsumer), ""));
  const int code = CodeIn(answer);
  if (code == kStreamUnknown || code == kConsumerUnknown) co_return std::optional<uint64_t>();
  CO_ASSIGN_OR_RETURN(const uint64_t given, GivenIn(answer));
  co_return std::optional<uint64_t>(given);
}

Awaitable<absl::StatusOr<uint64_t>> Streams::PurgeLater(std::string queue) {
  CO_ASSIGN_OR_RETURN(const std::string answer,
                      co_await Api(PurgeStream(StreamOf(queue)), OnlyOn(LaterSubject(queue))));
  co_return PurgedIn(answer);
}

Awaitable<absl::StatusOr<StreamPage>> Streams::List(size_t offset) {
  if (connection_.caps().durability == Durability::kNone) co_return NoJetStream();
  CO_ASSIGN_OR_RETURN(const std::string answer, co_await Api(std::string(kListStreams), From(offset)));
  co_return PageIn(answer);
}

}  // namespace llm_router::nats
