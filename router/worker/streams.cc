#include "router/worker/streams.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

constexpr auto kKeep = std::chrono::seconds(60);
constexpr size_t kMostKept = 1'000;
constexpr size_t kMostBytes = 64 << 20;
// Over an engine that does not tell when a subscription is in force, little may be lost at once.
constexpr int64_t kSmallWindow = 64;

absl::Status Unknown(std::string_view query) {
  return MakeFault(
      Fault::kInvalidRequest,
      fmt::format("no stream of query \"{}\" is here: it is over for more than a minute, or another "
                  "worker has it; ask the query again",
                  query.substr(0, 64)));
}

}  // namespace

Streams::Streams(Executor executor, Broker& broker, std::string worker)
    : executor_(executor), source_(broker, std::move(worker)) {}

std::shared_ptr<OutgoingStream> Streams::Open(const Message& query) {
  const auto channel = TagOr(query.tags, tag::kStreamTo);
  if (channel.empty()) return nullptr;
  if (!source_.broker.caps().confirms_subscribe) source_.window = kSmallWindow;
  std::string id(TagOr(query.tags, tag::kQuery));
  std::string tenant(TagOr(query.tags, tag::kTenant, contract::kDefaultTenant));
  StreamReader first{std::string(channel), std::string(TagOr(query.tags, tag::kStreamTag))};
  auto stream = std::make_shared<OutgoingStream>(executor_, source_, id, std::move(tenant), std::move(first));
  streams_.insert_or_assign(std::move(id), stream);
  return stream;
}

void Streams::Ended(const std::string& query) {
  const auto found = streams_.find(query);
  if (found == streams_.end()) return;
  ended_.emplace_back(Now() + kKeep, query, found->second);
  ended_bytes_ += found->second->bytes();
  while (ended_.size() > kMostKept || ended_bytes_ > kMostBytes) ForgetOldest();
}

void Streams::Expire(TimePoint now) {
  while (!ended_.empty() && ended_.front().until <= now) ForgetOldest();
}

void Streams::ForgetOldest() {
  const Kept& oldest = ended_.front();
  ended_bytes_ -= oldest.stream->bytes();
  // A later run of the same query has a stream of its own there.
  const auto found = streams_.find(oldest.query);
  if (found != streams_.end() && found->second == oldest.stream) streams_.erase(found);
  ended_.pop_front();
}

std::shared_ptr<OutgoingStream> Streams::Find(const std::string& query, std::string_view tenant) const {
  const auto found = streams_.find(query);
  return found != streams_.end() && found->second->tenant() == tenant ? found->second : nullptr;
}

void Streams::OnCredit(const contract::Credit& credit, std::string_view tenant) {
  if (const auto stream = Find(credit.query, tenant)) stream->OnCredit(credit);
}

Awaitable<absl::StatusOr<Reply>> Streams::Resume(Query query) {
  CO_ASSIGN_OR_RETURN(const contract::Resume resume, contract::ParseResume(query.message.body));
  const auto stream = Find(resume.query, TagOr(query.message.tags, tag::kTenant, contract::kDefaultTenant));
  if (!stream) co_return Unknown(resume.query);
  StreamReader reader{resume.stream_to, resume.stream_tag};
  co_return co_await stream->Follow(std::move(reader), resume.after, query.deadline);
}

}  // namespace llm_router
