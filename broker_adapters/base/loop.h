// Loop: the one I/O thread of a process. It owns every coroutine, socket and timer of ours; other threads
// only Post.
//
// Made, run and stopped by the composition root (or by a client, which owns one of its own).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "broker_adapters/base/awaitable.h"

namespace llm_router {

class Loop {
 public:
  Loop();
  ~Loop();  // stops and joins a thread that Start made
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs the loop on the calling thread until Stop().
  void Run();
  // Runs it on the calling thread until `body` ended: a program's main coroutine. What it throws comes out
  // here.
  void RunUntilDone(std::function<Awaitable<void>()> body);
  // Runs it on a thread of its own.
  void Start();
  // Ends Run() after the handler now running. Any thread. Coroutines still waiting are destroyed with the
  // loop.
  void Stop();

  // Runs `function` on the loop thread, in the order of the calls of one thread. Any thread.
  template <class Function>
  void Post(Function&& function) {
    boost::asio::post(context_, std::forward<Function>(function));
  }

  // Runs `body` on the loop and blocks until it ended: for a main thread that is not the loop's.
  void RunTask(std::function<Awaitable<void>()> body);

  Executor executor() { return context_.get_executor(); }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<Executor> work_;
  std::thread thread_;
};

}  // namespace llm_router
