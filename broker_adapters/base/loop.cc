#include "broker_adapters/base/loop.h"

#include <boost/asio/co_spawn.hpp>
#include <future>

namespace llm_router {
namespace {

Awaitable<void> Root(std::function<Awaitable<void>()> body) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await body();
}

}  // namespace

Loop::Loop() : work_(context_.get_executor()) {}

Loop::~Loop() {
  Stop();
  if (thread_.joinable()) thread_.join();
}

void Loop::Run() { context_.run(); }

void Loop::RunUntilDone(std::function<Awaitable<void>()> body) {
  std::exception_ptr failure;
  boost::asio::co_spawn(context_, Root(std::move(body)), [&](std::exception_ptr escaped) {
    failure = escaped;
    Stop();
  });
  Run();
  if (failure) std::rethrow_exception(failure);
}

void Loop::Start() {
  thread_ = std::thread([this] { Run(); });
}
void Loop::Stop() { context_.stop(); }

void Loop::RunTask(std::function<Awaitable<void>()> body) {
  std::promise<void> ended;
  boost::asio::co_spawn(context_, Root(std::move(body)), [&ended](std::exception_ptr escaped) {
    if (escaped) {
      ended.set_exception(escaped);
    } else {
      ended.set_value();
    }
  });
  ended.get_future().get();
}

}  // namespace llm_router
