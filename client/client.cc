#include "client/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/base/tls_files.h"
#include "broker_adapters/kubemq/kubemq_broker.h"
#include "client/address.h"
#include "client/cancel_watch.h"
#include "client/convert.h"
#include "client/many_run.h"
#include "client/route_table.h"
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

Options Resolved(Options options) {
  options.address = ResolveAddress(options.address);
  if (options.key.empty()) options.key = FromEnvironment("LLM_ROUTER_KEY");
  if (options.client_id.empty()) options.client_id = fmt::format("client-{}", NewId());
  return options;
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

// The connection these options ask for, its files read; or what is wrong with them.
absl::StatusOr<KubemqOptions> ToConnection(const Options& options) {
  RETURN_IF_ERROR(CheckAddress(options.address));
  RETURN_IF_ERROR(CheckKey(options.key));
  TlsFiles files;
  files.ca = options.ca;
  files.cert = options.cert;
  files.cert_key = options.cert_key;
  KubemqOptions connection;
  ASSIGN_OR_RETURN(connection.tls, ReadTls(files, TlsNames{"ca", "cert", "cert_key"}));
  connection.address = options.address;
  connection.client_id = options.client_id;
  connection.key = Secret(options.key);
  connection.max_body = options.max_body;
  return connection;
}

}  // namespace

// Callers' threads check the question and post it; everything after that happens on the loop's thread, and
// broker_ and tasks_ are touched there only.
class Client::Impl {
 public:
  explicit Impl(Options options);
  ~Impl();

  std::future<Result<Answer>> Ask(Question question);
  std::vector<Result<Answer>> AskMany(std::vector<Question> questions, const ManyOptions& options);
  std::future<Result<std::vector<Route>>> Routes(std::chrono::milliseconds listen_for);
  const std::string& address() const { return options_.address; }

 private:
  Awaitable<void> Open();
  Awaitable<void> Close();
  Awaitable<void> RunAsk(Query query, std::string dialect, Answers answer);
  Awaitable<void> RunLane(std::shared_ptr<ManyRun> run);
  Awaitable<Result<Answer>> AskInLane(Question question);
  Awaitable<Result<Answer>> Exchange(Query query, std::string dialect);
  Awaitable<void> RunRoutes(std::chrono::milliseconds listen_for, RouteLists routes);
  Awaitable<absl::StatusOr<std::vector<Route>>> Listen(std::chrono::milliseconds listen_for);
  Awaitable<absl::Status> Reach(TimePoint until);
  Awaitable<absl::Status> Explain(absl::Status failure, std::string channel);

  const Options options_;
  const absl::StatusOr<KubemqOptions> connection_;  // or what is wrong with options_
  Loop loop_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<TaskGroup> tasks_;
};

Client::Impl::Impl(Options options)
    : options_(Resolved(std::move(options))), connection_(ToConnection(options_)) {
  if (!connection_.ok()) return;
  loop_.Start();
  loop_.RunTask([this] { return Open(); });
}

Client::Impl::~Impl() {
  if (connection_.ok()) loop_.RunTask([this] { return Close(); });
}

Awaitable<void> Client::Impl::Open() {
  broker_ = MakeKubemqBroker(loop_.executor(), *connection_);
  tasks_ = std::make_unique<TaskGroup>(loop_.executor());
  co_return;
}

Awaitable<void> Client::Impl::Close() {
  tasks_->Cancel();
  co_await tasks_->Join();
  co_await broker_->Stop();
  broker_.reset();
}

std::future<Result<Answer>> Client::Impl::Ask(Question question) {
  if (!connection_.ok()) return Ready<Answer>(ToError(connection_.status()));
  std::string dialect = question.dialect;
  auto query = ToQuery(std::move(question), options_);
  if (!query.ok()) return Ready<Answer>(ToError(query.status()));
  Answers answer;
  auto future = answer.get_future();
  loop_.Post(
      [this, query = *std::move(query), dialect = std::move(dialect), answer = std::move(answer)]() mutable {
        tasks_->Spawn(RunAsk(std::move(query), std::move(dialect), std::move(answer)));
      });
  return future;
}

Awaitable<void> Client::Impl::RunAsk(Query query, std::string dialect, Answers answer) {
  answer.set_value(co_await Exchange(std::move(query), std::move(dialect)));
}

Awaitable<Result<Answer>> Client::Impl::Exchange(Query query, std::string dialect) {
  std::string channel = query.message.channel;
  auto reply = co_await broker_->Request(std::move(query));
  if (!reply.ok()) co_return ToError(co_await Explain(std::move(reply).status(), std::move(channel)));
  auto converted = ToAnswer(dialect, *std::move(reply));
  if (!converted.ok()) co_return ToError(converted.status());
  co_return *std::move(converted);
}

std::vector<Result<Answer>> Client::Impl::AskMany(std::vector<Question> questions,
                                                  const ManyOptions& options) {
  const absl::Status usable = connection_.ok() ? CheckConcurrency(options.concurrency) : connection_.status();
  if (!usable.ok()) return std::vector(questions.size(), Result<Answer>(ToError(usable)));
  const size_t lanes = std::min(options.concurrency, questions.size());
  const auto run = std::make_shared<ManyRun>(std::move(questions));
  loop_.Post([this, run, lanes] {
    for (size_t i = 0; i < lanes; ++i) run->lanes.push_back(tasks_->Spawn(RunLane(run)));
  });
  const auto cancel = [this, run] {
    loop_.Post([this, run] {
      for (const auto lane : run->lanes) tasks_->Cancel(lane);
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
  auto query = ToQuery(std::move(question), options_);
  if (!query.ok()) co_return ToError(query.status());
  co_return co_await Exchange(*std::move(query), std::move(dialect));
}

std::future<Result<std::vector<Route>>> Client::Impl::Routes(std::chrono::milliseconds listen_for) {
  if (!connection_.ok()) return Ready<std::vector<Route>>(ToError(connection_.status()));
  RouteLists routes;
  auto future = routes.get_future();
  loop_.Post([this, listen_for, routes = std::move(routes)]() mutable {
    tasks_->Spawn(RunRoutes(listen_for, std::move(routes)));
  });
  return future;
}

Awaitable<void> Client::Impl::RunRoutes(std::chrono::milliseconds listen_for, RouteLists routes) {
  auto heard = co_await Listen(listen_for);
  if (heard.ok()) {
    routes.set_value(*std::move(heard));
  } else {
    const std::string channel(contract::kHeartbeatChannel);
    routes.set_value(ToError(co_await Explain(std::move(heard).status(), channel)));
  }
}

Awaitable<absl::StatusOr<std::vector<Route>>> Client::Impl::Listen(std::chrono::milliseconds listen_for) {
  const absl::Status reached = co_await Reach(Now() + listen_for);
  if (FaultOf(reached) == Fault::kEngineUnavailable) co_return reached;
  RouteTable table;
  const auto hear = [&table](const Message& event) {
    if (auto beat = contract::ParseHeartbeat(event.body); beat.ok()) table.Add(*std::move(beat));
  };
  CO_ASSIGN_OR_RETURN(const SubscriptionPtr subscription,
                      co_await broker_->Subscribe(std::string(contract::kHeartbeatChannel), "", hear));
  if (!co_await Sleep(Now() + listen_for)) co_return MakeFault(Fault::kCancelled, "cancelled");
  auto routes = table.Routes();
  if (reached.ok() || !routes.empty()) co_return routes;
  co_return MakeFault(Fault::kTimeout,
                      fmt::format("{} ms brought neither a heartbeat nor an answer of the server at {}",
                                  listen_for.count(), options_.address));
}

// Whether a server is there: a subscription would wait for it in silence. A query that only times out may
// have met a KubeMQ server that does not know the verb.
Awaitable<absl::Status> Client::Impl::Reach(TimePoint until) {
  Query query(Kind::kQuery, Message(std::string(kubemq_text::kInternalRequests), {}), until);
  query.message.metadata = kubemq_text::kListChannels;
  query.message.tags = {{"channel_type", "events"},
                        {"channel_search", std::string(contract::kHeartbeatChannel)}};
  const auto reply = co_await broker_->Request(std::move(query));
  const Fault fault = reply.ok() ? Fault::kInternal : FaultOf(reply.status());
  const bool silent = fault == Fault::kEngineUnavailable || fault == Fault::kTimeout;
  co_return silent ? reply.status() : absl::OkStatus();
}

// What only this side can word well: the Client is going away, nobody is there, nobody answers.
Awaitable<absl::Status> Client::Impl::Explain(absl::Status failure, std::string channel) {
  if (co_await Cancelled()) {
    co_return MakeFault(Fault::kCancelled, "cancelled before the answer came");
  }
  const Fault fault = FaultOf(failure);
  if (fault == Fault::kTimeout) co_return Annotate(std::move(failure), channel);
  // A door that lost the broker behind it says so in its own words, and a handshake that failed met somebody:
  // only of this address, and where starting a server helps.
  const std::string_view said = MessageOf(failure);
  const bool nobody = said.find(options_.address) != std::string_view::npos &&
                      said.find(": start it") != std::string_view::npos;
  if (fault != Fault::kEngineUnavailable || !nobody) co_return failure;
  co_return MakeFault(fault, fmt::format("{}; `llm-router serve` starts one", MessageOf(failure)));
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

Result<std::vector<Route>> Client::Routes(std::chrono::milliseconds listen_for) {
  return impl_->Routes(listen_for).get();
}

const std::string& Client::address() const { return impl_->address(); }

}  // namespace llm_router::client
