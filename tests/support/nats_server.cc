#include "tests/support/nats_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace llm_router::test {
namespace {

constexpr const char* kProgram = "/usr/sbin/nats-server";

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The port of `what` in a line such as {"nats":["nats://127.0.0.1:38817"]}, once it is whole.
std::optional<int> PortIn(const std::string& text, std::string_view what) {
  constexpr std::string_view kBefore = "://127.0.0.1:";
  const auto key = text.find(fmt::format("\"{}\":", what));
  const auto found = key == std::string::npos ? key : text.find(kBefore, key);
  if (found == std::string::npos || text.find('}') == std::string::npos) return std::nullopt;
  return std::stoi(text.substr(found + kBefore.size()));
}

}  // namespace

bool NatsServer::IsHere() { return std::filesystem::exists(kProgram); }

NatsServer::NatsServer(const std::string& config) : config_(config) { Start(); }

NatsServer::~NatsServer() { Kill(); }

std::string NatsServer::address() const { return fmt::format("127.0.0.1:{}", port_); }

void NatsServer::Start() {
  const std::string file = (folder_.path() / "server.conf").string();
  const std::string log = (folder_.path() / "log").string();
  std::ofstream(file) << fmt::format(
      "listen: \"127.0.0.1:{}\"\nports_file_dir: \"{}\"\njetstream {{ store_dir: \"{}\" }}\n{}\n", port_,
      folder_.path().string(), (folder_.path() / "store").string(), config_);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot start a process");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int to = open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(to, STDOUT_FILENO);
    dup2(to, STDERR_FILENO);
    closefrom(STDERR_FILENO + 1);  // the test's own connections are not this process's
    execl(kProgram, kProgram, "-c", file.c_str(), nullptr);
    _exit(127);
  }
  AwaitPort();
}

void NatsServer::AwaitPort() {
  const auto ports = folder_.path() / fmt::format("nats-server_{}.ports", pid_);
  for (int i = 0; i < 3'000; ++i) {
    const std::string text = Read(ports);
    if (const auto port = PortIn(text, "nats")) {
      port_ = *port;
      monitoring_port_ = PortIn(text, "monitoring").value_or(-1);
      return;
    }
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error("nats-server does not start: " + Read(folder_.path() / "log"));
}

void NatsServer::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace llm_router::test
