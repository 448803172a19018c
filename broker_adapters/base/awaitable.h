// The coroutine vocabulary: C++20 coroutines on Boost.Asio, all on the executor of one Loop (loop.h).
//
// Every coroutine of ours is spawned by a TaskGroup (task_group.h), which also cancels it. A cancelled
// coroutine is not thrown out of: its present wait, and every later wait on what stands here (Sleep,
// OneShot), returns at once and says so; the coroutine then leaves by its own straight line.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "broker_adapters/base/clock.h"

namespace llm_router {

using Executor = boost::asio::io_context::executor_type;

template <class T = void>
using Awaitable = boost::asio::awaitable<T, Executor>;

using Timer =
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

inline constexpr boost::asio::use_awaitable_t<Executor> kUseAwaitable;
// co_await with this gives a tuple that begins with the error_code: an operation that fails does not throw.
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<Executor>> kUseTuple;

// Whether the running coroutine was cancelled.
inline Awaitable<bool> Cancelled() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  co_return state.cancelled() != boost::asio::cancellation_type::none;
}

// Waits until `when`. False when the coroutine was cancelled instead.
inline Awaitable<bool> Sleep(TimePoint when) {
  if (co_await Cancelled()) co_return false;
  Timer timer(co_await boost::asio::this_coro::executor, when);
  const auto [error] = co_await timer.async_wait(kUseTuple);
  co_return !error;
}

}  // namespace llm_router
