#include "client/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "client/batch_calls.h"
#include "client/cancel_watch.h"
#include "client/connection.h"
#include "client/convert.h"
#include "client/job_calls.h"
#include "client/jobs_link.h"
#include "client/many_run.h"
#include "client/route_table.h"
#include "client/stream_calls.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"

namespace llm_router::client {
namespace {

using Answers = std::promise<Result<Answer>>;
using RouteLists = std::promise<Result<std::vector<Route>>>;

template <class T>
std::future<Result<T>> Ready(Result<T> result) {
  std::promise<Result<T>> promise;
  promise.set_value(std::move(result));
  return promise.get_future();
}

absl::Status CheckConcurrency(size_t concurrency) {
  constexpr size_t kMost = 10'000;
  if (concurrency >= 1 && concurrency <= kMost) return absl::OkStatus();
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("concurrency is {}: it must be from 1 to {}", concurrency, kMost));
}

Question About(std::string route, std::string text) {
  Question question;
  question.route = std::move(route);
  question.text = std::move(text);
  return question;
}

}  // namespace

// Callers' threads check the question and post it; everything after that happens on the connection's loop.
class Client::Impl {
 public:
  explicit Impl(Options options) : connection_(std::make_shared<Connection>(std::move(options))) {}
  ~Impl() { connection_->Close(); }

  std::future<Result<Answer>> Ask(Question question);
  std::vector<Result<Answer>> AskMany(std::vector<Question> questions, const ManyOptions& options);
  std::future<Result<std::vector<Route>>> Routes(std::chrono::milliseconds listen_for);
  const Options& options() const { return connection_->options(); }
  const std::shared_ptr<JobsLink>& jobs() const { return jobs_; }
  const std::shared_ptr<Connection>& connection() const { return connection_; }

 private:
  Awaitable<void> RunAsk(Query query, std::string dialect, Answers answer);
  Awaitable<void> RunLane(std::shared_ptr<ManyRun> run);
  Awaitable<Result<Answer>> AskInLane(Question question);
  Awaitable<Result<Answer>> Exchange(Query query, std::string dialect);
  Awaitable<void> RunRoutes(std::chrono::milliseconds listen_for, RouteLists routes);
  Awaitable<absl::StatusOr<std::vector<Route>>> Listen(std::chrono::milliseconds listen_for);
  Awaitable<absl::Status> Reach(TimePoint until);

  const std::shared_ptr<Connection> connection_;  // shared with the handles given out
  const std::shared_ptr<JobsLink> jobs_ = std::make_shared<JobsLink>(connection_);
};

std::future<Result<Answer>> Client::Impl::Ask(Question question) {
  if (!connection_->usable().ok()) return Ready<Answer>(ToError(connection_->usable()));
  std::string dialect = question.dialect;
  auto query = ToQuery(std::move(question), connection_->options());
  if (!query.ok()) return Ready<Answer>(ToError(query.status()));
  Answers answer;
  auto future = answer.get_future();
  connection_->Post(
      [this, query = *std::move(query), dialect = std::move(dialect), answer = std::move(answer)]() mutable {
        connection_->tasks().Spawn(RunAsk(std::move(query), std::move(dialect), std::move(answer)));
      });
  return future;
}

Awaitable<void> Client::Impl::RunAsk(Query query, std::string dialect, Answers answer) {
  answer.set_value(co_await Exchange(std::move(query), std::move(dialect)));
}

Awaitable<Result<Answer>> Client::Impl::Exchange(Query query, std::string dialect) {
  auto reply = co_await connection_->Request(std::move(query));
  if (!reply.ok()) co_return ToError(reply.status());
  auto converted = ToAnswer(dialect, *std::move(reply));
  if (!converted.ok()) co_return ToError(converted.status());
  co_return *std::move(converted);
}

std::vector<Result<Answer>> Client::Impl::AskMany(std::vector<Question> questions,
                                                  const ManyOptions& options) {
  const absl::Status usable =
      connection_->usable().ok() ? CheckConcurrency(options.concurrency) : connection_->usable();
  if (!usable.ok()) return std::vector(questions.size(), Result<Answer>(ToError(usable)));
  const size_t lanes = std::min(options.concurrency, questions.size());
  const auto run = std::make_shared<ManyRun>(std::move(questions));
  connection_->Post([this, run, lanes] {
    for (size_t i = 0; i < lanes; ++i) run->lanes.push_back(connection_->tasks().Spawn(RunLane(run)));
  });
  const auto cancel = [this, run] {
    connection_->Post([this, run] {
      for (const auto lane : run->lanes) connection_->tasks().Cancel(lane);
    });
  };
  const CancelWatch watch(options.canceller, cancel);
  try {
    return run->Collect(options.on_progress);
  } catch (...) {
    cancel();
    throw;
  }
}

// A lane that is cancelled goes on to the end: it gives every question that nobody took its result.
Awaitable<void> Client::Impl::RunLane(std::shared_ptr<ManyRun> run) {
  while (auto taken = run->Take()) {
    run->Finish(taken->index, co_await AskInLane(std::move(taken->question)));
  }
}

Awaitable<Result<Answer>> Client::Impl::AskInLane(Question question) {
  if (co_await Cancelled()) {
    co_return ToError(MakeFault(Fault::kCancelled, "cancelled before it was asked"));
  }
  std::string dialect = question.dialect;
  auto query = ToQuery(std::move(question), connection_->options());
  if (!query.ok()) co_return ToError(query.status());
  co_return co_await Exchange(*std::move(query), std::move(dialect));
}

std::future<Result<std::vector<Route>>> Client::Impl::Routes(std::chrono::milliseconds listen_for) {
  if (!connection_->usable().ok()) return Ready<std::vector<Route>>(ToError(connection_->usable()));
  RouteLists routes;
  auto future = routes.get_future();
  connection_->Post([this, listen_for, routes = std::move(routes)]() mutable {
    connection_->tasks().Spawn(RunRoutes(listen_for, std::move(routes)));
  });
  return future;
}

Awaitable<void> Client::Impl::RunRoutes(std::chrono::milliseconds listen_for, RouteLists routes) {
  auto heard = co_await Listen(listen_for);
  if (heard.ok()) {
    routes.set_value(*std::move(heard));
  } else {
    const std::string channel(contract::kHeartbeatChannel);
    routes.set_value(ToError(co_await connection_->Explain(std::move(heard).status(), channel)));
  }
}

Awaitable<absl::StatusOr<std::vector<Route>>> Client::Impl::Listen(std::chrono::milliseconds listen_for) {
  const absl::Status reached = co_await Reach(Now() + listen_for);
  if (FaultOf(reached) == Fault::kEngineUnavailable) co_return reached;
  RouteTable table;
  const auto hear = [&table](const Message& event) {
    if (auto beat = contract::ParseHeartbeat(event.body); beat.ok()) table.Add(*std::move(beat));
  };
  CO_ASSIGN_OR_RETURN(
      const SubscriptionPtr subscription,
      co_await connection_->broker().Subscribe(std::string(contract::kHeartbeatChannel), "", hear));
  if (!co_await Sleep(Now() + listen_for)) co_return MakeFault(Fault::kCancelled, "cancelled");
  auto routes = table.Routes();
  if (reached.ok() || !routes.empty()) co_return routes;
  co_return MakeFault(Fault::kTimeout,
                      fmt::format("{} ms brought neither a heartbeat nor an answer of the server at {}",
                                  listen_for.count(), connection_->options().address));
}

// Whether a server is there: a subscription would wait for it in silence. A query that only times out may
// have met a KubeMQ server that does not know the verb.
Awaitable<absl::Status> Client::Impl::Reach(TimePoint until) {
  Query query(Kind::kQuery, Message(std::string(kubemq_text::kInternalRequests), {}), until);
  query.message.metadata = kubemq_text::kListChannels;
  query.message.tags = {{"channel_type", "events"},
                        {"channel_search", std::string(contract::kHeartbeatChannel)}};
  const auto reply = co_await connection_->broker().Request(std::move(query));
  const Fault fault = reply.ok() ? Fault::kInternal : FaultOf(reply.status());
  const bool silent = fault == Fault::kEngineUnavailable || fault == Fault::kTimeout;
  co_return silent ? reply.status() : absl::OkStatus();
}

Client::Client(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;

std::future<Result<Answer>> Client::AskAsync(Question question) { return impl_->Ask(std::move(question)); }

std::future<Result<Answer>> Client::AskAsync(std::string route, std::string text) {
  return AskAsync(About(std::move(route), std::move(text)));
}

Result<Answer> Client::Ask(Question question) { return AskAsync(std::move(question)).get(); }

Result<Answer> Client::Ask(std::string route, std::string text) {
  return AskAsync(std::move(route), std::move(text)).get();
}

AnswerStream Client::Stream(Question question, const StreamOptions& options) {
  return StreamCalls::Ask(impl_->connection(), std::move(question), options);
}

AnswerStream Client::Stream(std::string route, std::string text, const StreamOptions& options) {
  return Stream(About(std::move(route), std::move(text)), options);
}

Result<Answer> Client::Stream(Question question, const std::function<void(const Piece&)>& on_piece,
                              const StreamOptions& options) {
  AnswerStream stream = Stream(std::move(question), options);
  for (const Piece& piece : stream) on_piece(piece);
  return stream.Finish();
}

AnswerStream Client::Resume(const StreamPosition& from, const StreamOptions& options,
                            const std::string& dialect) {
  return StreamCalls::Resume(impl_->connection(), from, dialect, options);
}

std::vector<Result<Answer>> Client::AskMany(std::vector<Question> questions, ManyOptions options) {
  return impl_->AskMany(std::move(questions), options);
}

std::vector<Result<Answer>> Client::AskMany(const std::string& route, std::vector<std::string> texts,
                                            ManyOptions options) {
  std::vector<Question> questions;
  questions.reserve(texts.size());
  for (std::string& text : texts) questions.push_back(About(route, std::move(text)));
  return AskMany(std::move(questions), std::move(options));
}

Result<Job> Client::Submit(Question question, const JobOptions& options) {
  return SubmitJob(impl_->jobs(), std::move(question), options);
}

Result<Job> Client::Submit(std::string route, std::string text, const JobOptions& options) {
  return Submit(About(std::move(route), std::move(text)), options);
}

Result<Job> Client::FindJob(const std::string& id) { return client::FindJob(impl_->jobs(), id); }

Result<std::vector<JobStatus>> Client::Jobs(const JobFilter& filter) {
  return ListJobs(*impl_->jobs(), filter);
}

Result<Batch> Client::SubmitBatch(const std::string& file, const BatchOptions& options) {
  return SubmitBatchFile(impl_->jobs(), file, options);
}

Result<Batch> Client::SubmitBatch(std::istream& lines, const BatchOptions& options) {
  return SubmitBatchStream(impl_->jobs(), lines, options);
}

Result<Batch> Client::SubmitBatch(const std::vector<std::string>& prompts, const BatchOptions& options) {
  return SubmitBatchPrompts(impl_->jobs(), prompts, options);
}

Result<Batch> Client::FindBatch(const std::string& id) { return client::FindBatch(impl_->jobs(), id); }

Result<std::vector<BatchStatus>> Client::Batches(std::size_t most) {
  return ListBatches(*impl_->jobs(), most);
}

Result<std::vector<Route>> Client::Routes(std::chrono::milliseconds listen_for) {
  return impl_->Routes(listen_for).get();
}

const std::string& Client::address() const { return impl_->options().address; }

}  // namespace llm_router::client
