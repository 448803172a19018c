#include "tests/contract/kubemq_harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "broker_adapters/embedded/embedded_broker.h"
#include "broker_adapters/kubemq/kubemq_broker.h"
#include "router/gateway/kubemq_grpc.h"
#include "router/net/server_tls.h"
#include "tests/support/certificates.h"
#include "tests/support/temporary_folder.h"

namespace llm_router::test {
namespace {

// TLS for both ends, by one CA.
class Secrets {
 public:
  Secrets() {
    constexpr TlsNames kNames{"ca", "cert", "cert_key"};
    auto client = ReadTls(certificates_.Issue("client"), kNames);
    auto server = ServerTls::Load(certificates_.Issue("server"), kNames);
    if (!client.ok() || !server.ok()) throw std::runtime_error("the certificates of the test are not usable");
    client_ = *std::move(client);
    server_ = *std::move(server);
  }
  const std::optional<TlsPem>& client() const { return client_; }
  const ServerTls* server() const { return server_.get(); }

 private:
  Certificates certificates_;
  std::optional<TlsPem> client_;
  std::unique_ptr<ServerTls> server_;
};

// Connections to one server, stopped in one go.
class Connections {
 public:
  Broker* Open(Executor executor, int port, const std::optional<TlsPem>& tls = std::nullopt) {
    KubemqOptions options;
    options.address = fmt::format("127.0.0.1:{}", port);
    options.tls = tls;
    brokers_.push_back(MakeKubemqBroker(executor, std::move(options)));
    return brokers_.back().get();
  }
  Awaitable<void> Stop() {
    for (const auto& broker : brokers_) co_await broker->Stop();
  }

 private:
  std::vector<std::unique_ptr<Broker>> brokers_;
};

std::unique_ptr<Broker> OpenEngine(Loop& loop, const std::filesystem::path& folder) {
  QueueOptions queues;
  queues.folder = folder;
  auto engine = OpenEmbeddedBroker(loop.executor(), EmbeddedOptions(), queues);
  if (!engine.ok()) throw std::runtime_error(engine.status().ToString());
  return *std::move(engine);
}

class DoorHarness final : public Harness {
 public:
  DoorHarness(Loop& loop, bool announce, bool secured)
      : loop_(loop),
        announce_(announce),
        secrets_(secured ? std::make_unique<Secrets>() : nullptr),
        engine_(OpenEngine(loop, folder_.path())) {
    KubemqServerOptions serving;
    serving.announce = announce;
    server_ = KubemqServer::Start(loop, *engine_, serving);
    KubemqDoorOptions options;
    options.port = 0;
    if (secrets_) options.tls = secrets_->server();
    auto door = KubemqDoor::Start(server_, options);
    if (!door.ok()) throw std::runtime_error(door.status().ToString());
    door_ = *std::move(door);
  }

  Awaitable<Broker*> Connect() override {
    Broker* const broker =
        connections_.Open(loop_.executor(), door_->port(), secrets_ ? secrets_->client() : std::nullopt);
    // What it can do is known once it has met the server.
    while (announce_ && !broker->caps().confirms_subscribe && co_await Sleep(Now() + Milliseconds(5))) {
    }
    co_return broker;
  }

  Awaitable<void> Stop() override {
    co_await connections_.Stop();
    co_await server_->Stop(Milliseconds(0));
    co_await door_->Stop();
    co_await engine_->Stop();
  }

 private:
  Loop& loop_;
  const bool announce_;
  const std::unique_ptr<Secrets> secrets_;  // null: plaintext
  const TemporaryFolder folder_;
  const std::unique_ptr<Broker> engine_;
  std::shared_ptr<KubemqServer> server_;
  std::unique_ptr<KubemqDoor> door_;
  Connections connections_;
};

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

// Runs `program` in a folder of its own, where it keeps what it writes.
class ServerHarness final : public Harness {
 public:
  ServerHarness(Loop& loop, const std::string& program) : loop_(loop), port_(FreePort()) {
    std::string folder = (std::filesystem::temp_directory_path() / "kubemq-XXXXXX").string();
    if (!mkdtemp(folder.data())) throw std::runtime_error("no temporary folder");
    folder_ = folder;
    const std::vector<std::string> environment = {
        fmt::format("GRPC_PORT={}", port_), fmt::format("REST_PORT={}", FreePort()),
        fmt::format("API_PORT={}", FreePort()), "STORE_STORE_PATH=./store", "LOG_LEVEL=error"};
    pid_ = fork();
    if (pid_ == 0) Become(program, environment);
    if (pid_ < 0) throw std::runtime_error("cannot start the KubeMQ server");
  }

  Awaitable<Broker*> Connect() override {
    Broker* const broker = connections_.Open(loop_.executor(), port_);
    // Up when it refuses a query by its own words: Error 301, not "can't be reached".
    Query query(Kind::kQuery, Message("contract_up", "x"), Now() + Milliseconds(200));
    while (absl::IsUnavailable((co_await broker->Request(query)).status()) &&
           co_await Sleep(Now() + Milliseconds(50))) {
      query.deadline = Now() + Milliseconds(200);
    }
    co_return broker;
  }

  Awaitable<void> Stop() override {
    co_await connections_.Stop();
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }

 private:
  [[noreturn]] void Become(const std::string& program, const std::vector<std::string>& environment) {
    if (chdir(folder_.c_str()) != 0) _exit(1);
    for (const std::string& setting : environment) putenv(const_cast<char*>(setting.c_str()));
    if (const int null = open("/dev/null", O_WRONLY); null >= 0) {
      dup2(null, STDOUT_FILENO);
      dup2(null, STDERR_FILENO);
    }
    execl(program.c_str(), program.c_str(), "server", nullptr);
    _exit(1);
  }

  Loop& loop_;
  const int port_;
  std::string folder_;
  pid_t pid_ = -1;
  Connections connections_;
};

}  // namespace

std::unique_ptr<Harness> MakeDoorHarness(Loop& loop, bool announce) {
  return std::make_unique<DoorHarness>(loop, announce, false);
}

std::unique_ptr<Harness> MakeSecuredDoorHarness(Loop& loop) {
  return std::make_unique<DoorHarness>(loop, true, true);
}

std::unique_ptr<Harness> MakeServerHarness(Loop& loop) {
  const char* const program = getenv("KUBEMQ_SERVER");
  if (!program || !*program) return nullptr;
  return std::make_unique<ServerHarness>(loop, program);
}

}  // namespace llm_router::test
