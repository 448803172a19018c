#include "router/app.h"

#include <fmt/format.h>

#include <boost/asio/signal_set.hpp>
#include <cstdio>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/registry.h"
#include "proto/fault.h"
#include "router/app_connections.h"
#include "router/app_doors.h"
#include "router/app_jobs.h"
#include "router/app_pipeline.h"
#include "router/app_roles.h"
#include "router/app_routes.h"
#include "router/app_tracing.h"
#include "router/config/chain_check.h"
#include "router/config/checks.h"
#include "router/config/load.h"
#include "router/gateway/admin.h"
#include "router/gateway/key_reload.h"
#include "router/gateway/kubemq_rest.h"
#include "router/jobs/jobs_service.h"
#include "router/providers/providers.h"
#include "router/store/sqlite_store.h"
#include "router/worker/worker.h"

namespace llm_router {
namespace {

constexpr int kFailed = 1;
constexpr int kToldWrong = 2;
// After the time to drain, for what the worker here then says to go out by the doors.
constexpr Milliseconds kLastWords(5'000);

// Everything one `serve` runs, in the order in which it starts; it stops the other way round.
class App {
 public:
  App(Loop& loop, Config config, Connections connections, Roles roles, Providers providers,
      KeyReload::Read read_config)
      : loop_(loop),
        config_(std::move(config)),
        broker_options_(std::move(connections.broker)),
        tls_(std::move(connections.tls)),
        roles_(roles),
        providers_(std::move(providers)),
        http_(loop.executor()),
        watches_(loop.executor()),
        tracing_(loop.executor(), http_, config_.tracing, name_, metrics_),
        access_(MakeAccess(config_)),
        keys_(loop.executor(), access_, config_, std::move(read_config), [this] { doors_.EndRevoked(); }) {
    access_->OnDenial([this](Fault fault) { metrics_.Denied(RowOf(fault).name); });
  }

  Awaitable<absl::Status> Start(bool simulate) {
    if (tls_) watches_.Spawn(tls_->Watch());
    keys_.Start();
    tracing_.Start();
    CO_RETURN_IF_ERROR(OpenAdmin());
    if (simulate) CO_RETURN_IF_ERROR(StartSimulator());
    CO_RETURN_IF_ERROR(OpenEngine());
    if (roles_.jobs) CO_RETURN_IF_ERROR(co_await StartJobs());
    if (roles_.gateway) CO_RETURN_IF_ERROR(OpenDoors());
    if (roles_.worker) CO_RETURN_IF_ERROR(co_await StartWorker());
    if (admin_) admin_->SetReady(true);
    co_return absl::OkStatus();
  }

  // The one line on stdout, for whoever started us.
  std::string ReadyLine() const {
    std::string line = "llm-router ready";
    line += doors_.KubemqPorts();
    if (admin_) line += fmt::format(" admin={}:{}", config_.listen.host, admin_->port());
    return line + doors_.HttpPort();
  }

  // Doors first, so that what they have taken still finds its worker.
  Awaitable<void> Stop() {
    const auto grace = std::chrono::seconds(config_.limits.drain_seconds);
    if (admin_) admin_->SetReady(false);
    if (worker_) co_await worker_->BeginDrain(Now() + grace);
    co_await doors_.Stop(loop_.executor(), worker_ ? grace + kLastWords : grace);
    if (worker_) co_await worker_->Drain();
    if (jobs_) co_await jobs_->Stop();
    if (store_) co_await store_->Stop();
    if (broker_) co_await broker_->Stop();
    co_await tracing_.Stop();
    if (simulator_) co_await simulator_->Stop();
    if (admin_) co_await admin_->Stop();
    watches_.Cancel();
    co_await watches_.Join();
    co_await keys_.Stop();
  }

 private:
  absl::Status StartSimulator() {
    SimulatorOptions options;
    options.port = 0;
    ASSIGN_OR_RETURN(simulator_, Simulator::Start(loop_.executor(), options));
    const auto simulated = providers_.SimulateMissing(fmt::format("http://127.0.0.1:{}", simulator_->port()));
    log::Info("simulated, as no key is set: {}",
              simulated.empty() ? "none" : fmt::format("{}", fmt::join(simulated, ", ")));
    return absl::OkStatus();
  }

  absl::Status OpenEngine() {
    BrokerOptions options = broker_options_;
    options.client_id = name_;
    ASSIGN_OR_RETURN(broker_, OpenBroker(loop_.executor(), std::move(options)));
    return absl::OkStatus();
  }

  // First, in every role: probes hear of a start that takes long. Several workers beside a gateway on one
  // machine all have the default port; they need not be told to take another.
  absl::Status OpenAdmin() {
    const int port = config_.listen.admin;
    const size_t limit = RestBodyLimit(static_cast<size_t>(config_.limits.body));
    auto admin =
        AdminDoor::Start(loop_.executor(), config_.listen.host, port, metrics_, access_, tls_.get(), limit);
    if (!admin.ok() && !roles_.gateway && port == ListenConfig().admin) {
      admin =
          AdminDoor::Start(loop_.executor(), config_.listen.host, 0, metrics_, access_, tls_.get(), limit);
      if (admin.ok()) log::Warning("listen.admin: port {} is taken, using {}", port, (*admin)->port());
    }
    if (!admin.ok()) return admin.status();
    admin_ = *std::move(admin);
    return absl::OkStatus();
  }

  absl::Status OpenDoors() {
    RETURN_IF_ERROR(doors_.Open(loop_, *broker_, config_, access_, tls_.get(), tracing_.tracer()));
    doors_.MountAt(*admin_);
    metrics_.doors().SetSource([this] { return doors_.Figures(); });
    return absl::OkStatus();
  }

  Awaitable<absl::Status> StartJobs() {
    CO_ASSIGN_OR_RETURN(store_, OpenSqliteStore(loop_.executor(), StoreOptionsOf(config_)));
    auto service = co_await JobsService::Start(loop_.executor(), *broker_, *store_,
                                               JobsOptionsOf(config_, metrics_.jobs()));
    if (!service.ok()) co_return Annotate(service.status(), "the role jobs");
    jobs_ = *std::move(service);
    co_return absl::OkStatus();
  }

  Awaitable<absl::Status> StartWorker() {
    pipeline_ = MakePipeline(*broker_, http_, static_cast<size_t>(config_.limits.body));
    WorkerOptions options;
    options.name = name_;
    options.config_version = config_.version;
    options.routes = ResolveRoutes(config_, providers_, metrics_.queries(), tracing_.tracer());
    worker_ = std::make_unique<Worker>(loop_.executor(), *broker_, *pipeline_, std::move(options));
    co_return co_await worker_->Start();
  }

  Loop& loop_;
  const Config config_;
  const BrokerOptions broker_options_;    // without the client's id
  const std::unique_ptr<ServerTls> tls_;  // null: plaintext
  const Roles roles_;
  const std::string name_ = NewId();  // of this process, on the broker and in heartbeats
  Providers providers_;
  HttpClient http_;
  TaskGroup watches_;  // over files
  Metrics metrics_;
  Tracing tracing_;
  const std::shared_ptr<Access> access_;  // shared with the doors and their calls
  KeyReload keys_;
  std::unique_ptr<Simulator> simulator_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<JobsService> jobs_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<AdminDoor> admin_;
  Doors doors_;
};

using Ended = OneShot<int>;  // the exit code, once there is one

// SIGTERM or SIGINT. Afterwards the signals do again what they do by default: a second one ends the process.
Awaitable<void> WaitForSignal(Ended& ended) {
  boost::asio::basic_signal_set<Executor> signals(co_await boost::asio::this_coro::executor, SIGTERM, SIGINT);
  const auto [error, signal] = co_await signals.async_wait(kUseTuple);
  if (error) co_return;
  log::Info("stopping: finishing what was taken; signal again to stop at once");
  ended.Set(0);
}

Awaitable<void> StartAndAnnounce(App& app, bool simulate, Ended& ended) {
  const absl::Status started = co_await app.Start(simulate);
  if (!started.ok()) {
    log::Error("{}", MessageOf(started));
    ended.Set(kFailed);
    co_return;
  }
  std::puts(app.ReadyLine().c_str());
  std::fflush(stdout);
}

Awaitable<void> RunApp(Loop& loop, App& app, bool simulate, int& code) {
  Ended ended(loop.executor());
  TaskGroup tasks(loop.executor());
  tasks.Spawn(WaitForSignal(ended));
  tasks.Spawn(StartAndAnnounce(app, simulate, ended));
  code = (co_await ended.Wait(TimePoint::max())).value_or(kFailed);
  tasks.Cancel();
  co_await tasks.Join();
  co_await app.Stop();
}

Awaitable<void> RunSimulator(Loop& loop, const SimulatorOptions& options, int& code) {
  auto simulator = Simulator::Start(loop.executor(), options);
  if (!simulator.ok()) {
    log::Error("{}", MessageOf(simulator.status()));
    co_return;
  }
  std::printf("llm-router simulate ready http=%s:%d\n", options.host.c_str(), (*simulator)->port());
  std::fflush(stdout);
  Ended ended(loop.executor());
  co_await WaitForSignal(ended);
  co_await (*simulator)->Stop();
  code = 0;
}

log::Level LevelNamed(const std::string& name) {
  if (name == "debug") return log::Level::kDebug;
  if (name == "warning") return log::Level::kWarning;
  return name == "error" ? log::Level::kError : log::Level::kInfo;
}

absl::StatusOr<Config> ReadConfig(const ServeArguments& arguments) {
  return LoadConfig(LoadRequestOf(arguments.file, arguments.settings));
}

int RefuseToStart(const absl::Status& why) {
  std::fprintf(stderr, "llm-router: %s\n", std::string(MessageOf(why)).c_str());
  return kToldWrong;
}

}  // namespace

LoadRequest LoadRequestOf(const std::optional<std::string>& file, const std::vector<std::string>& settings) {
  LoadRequest request;
  request.file = file;
  request.set = settings;
  request.environment = ProcessEnvironment();
  request.provider_types = AllProviderTypes();
  request.check_broker_url = CheckBrokerUrl;
  return request;
}

absl::StatusOr<std::vector<std::string>> CheckConfiguration(const ServeArguments& arguments) {
  ASSIGN_OR_RETURN(const Config config, ReadConfig(arguments));
  RETURN_IF_ERROR(ReadConnections(config).status());
  ASSIGN_OR_RETURN(const Providers providers, Providers::Resolve(config));
  std::vector<std::string> warnings = StepsElsewhere(config.routes);
  for (const ProviderConfig& provider : config.providers) {
    const absl::Status key = providers.Find(provider.id)->CheckKey();
    if (!key.ok()) warnings.emplace_back(MessageOf(key));
  }
  return warnings;
}

int Serve(const ServeArguments& arguments) {
  auto config = ReadConfig(arguments);
  if (!config.ok()) return RefuseToStart(config.status());
  auto connections = ReadConnections(*config);
  if (!connections.ok()) return RefuseToStart(connections.status());
  const auto roles = ParseRoles(arguments.roles, config->broker.url);
  if (!roles.ok()) return RefuseToStart(roles.status());
  auto providers = Providers::Resolve(*config);
  if (!providers.ok()) return RefuseToStart(providers.status());
  log::SetLevel(LevelNamed(config->log_level));
  Loop loop;
  App app(loop, *std::move(config), *std::move(connections), *roles, *std::move(providers),
          [&arguments] { return ReadConfig(arguments); });
  int code = kFailed;
  loop.RunUntilDone([&] { return RunApp(loop, app, arguments.simulate, code); });
  return code;
}

int Simulate(const SimulatorOptions& options) {
  Loop loop;
  int code = kFailed;
  loop.RunUntilDone([&] { return RunSimulator(loop, options, code); });
  return code;
}

}  // namespace llm_router
