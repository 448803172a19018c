#include "client/cli/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <thread>
#include <utility>

namespace llm_router::cli {
namespace {

sigset_t Wanted() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction present{};
    sigaction(signal, nullptr, &present);
    if (present.sa_handler != SIG_IGN) sigaddset(&wanted, signal);
  }
  return wanted;
}

}  // namespace

class Interrupt::Impl {
 public:
  explicit Impl(std::function<void()> on_signal) : wanted_(Wanted()), on_signal_(std::move(on_signal)) {
    pthread_sigmask(SIG_BLOCK, &wanted_, &before_);
    signals_ = signalfd(-1, &wanted_, SFD_CLOEXEC);
    end_ = eventfd(0, EFD_CLOEXEC);
    watcher_ = std::thread([this] { Watch(); });
  }

  ~Impl() {
    const uint64_t one = 1;
    (void)!write(end_, &one, sizeof(one));
    watcher_.join();
    close(end_);
    close(signals_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int signal() const { return signal_; }

 private:
  void Watch() {
    std::array<pollfd, 2> both = {pollfd{signals_, POLLIN, 0}, pollfd{end_, POLLIN, 0}};
    while (poll(both.data(), both.size(), -1) < 0) {
    }
    signalfd_siginfo came{};
    if ((both[0].revents & POLLIN) == 0 || read(signals_, &came, sizeof(came)) != sizeof(came)) return;
    signal_ = static_cast<int>(came.ssi_signo);
    on_signal_();
    pthread_sigmask(SIG_UNBLOCK, &wanted_, nullptr);  // the next one finds this thread, and ends the process
    both[1].revents = 0;
    while (poll(&both[1], 1, -1) < 0) {
    }
  }

  const sigset_t wanted_;
  sigset_t before_{};
  const std::function<void()> on_signal_;
  int signals_ = -1;
  int end_ = -1;
  std::atomic<int> signal_ = 0;
  std::thread watcher_;
};

Interrupt::Interrupt(std::function<void()> on_signal) : impl_(std::make_unique<Impl>(std::move(on_signal))) {}
Interrupt::~Interrupt() = default;

int Interrupt::signal() const { return impl_->signal(); }

}  // namespace llm_router::cli
