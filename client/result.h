// Result<T>: what a call of the client gives back, either a T or an Error. Nothing here throws, except that
// value(), * and -> on an Error throw std::logic_error with the error's message: look at ok() first.
//
// Plain values: copy, move and send them between threads as you like. C++17, standard library only.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace llm_router::client {

// Why a call failed. The set is fixed and the same in every language: NameOf(code) is the `code` in the
// server's error bodies.
enum class ErrorCode {
  kInternal,             // a mistake of llm-router, or a worker that did not say more
  kInvalidRequest,       // the question can't be understood; the message says what to change
  kUnknownRoute,         // nobody serves a route of that name
  kUnknownModel,         // the route does not list that model
  kTooLarge,             // the question or the answer is over a limit
  kTimeout,              // no answer within the timeout
  kCancelled,            // by a Canceller, or the Client was destroyed
  kOverloaded,           // more waits already than the server holds; try again after retry_after
  kWorkerLost,           // the worker that held the query went away; ask again
  kStorageFailed,        // the disk of the server can't keep it: full, read-only, broken
  kShuttingDown,         // the server is on its way out; ask again
  kEngineUnavailable,    // no server, or no broker behind it
  kNotSupported,         // this server can't do that
  kUnauthenticated,      // no key, or one that the server does not know
  kPermissionDenied,     // the key may not do that
  kProviderKeyMissing,   // the server has no key for the provider
  kProviderRejected,     // the provider calls the question wrong; the message has its words
  kProviderAuth,         // the provider refuses the server's key
  kProviderBusy,         // the provider asks to come back later
  kProviderFailed,       // the provider's own error
  kProviderTimeout,      // the provider gave up or did not answer in time
  kProviderUnreachable,  // no connection to the provider, or it broke
  kProviderBadReply,     // it answered something that is no reply
};

// "unknown_route" for kUnknownRoute, and so on. Lives as long as the process.
std::string_view NameOf(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;                                   // one sentence: what was wrong and how to mend it
  std::optional<std::chrono::milliseconds> retry_after;  // where the server knows when to try again
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& { return Checked(), *std::get_if<0>(&state_); }
  T& value() & { return Checked(), *std::get_if<0>(&state_); }
  T&& value() && { return Checked(), std::move(*std::get_if<0>(&state_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  // Throws std::logic_error when there is a value instead.
  const Error& error() const {
    if (ok()) throw std::logic_error("llm_router::client::Result: error() of a result that holds a value");
    return *std::get_if<1>(&state_);
  }

 private:
  void Checked() const {
    if (!ok()) throw std::logic_error("llm_router::client::Result: " + error().message);
  }

  std::variant<T, Error> state_;
};

}  // namespace llm_router::client
