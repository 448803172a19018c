// How a connection learns of its client's end while a handler runs.
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "router/net/http_session.h"

namespace llm_router {
namespace {

using boost::system::error_code;

constexpr size_t kReadAhead = 64 * 1024;  // of the next request, while one is handled
constexpr int kTurnsBefore = 2;

}  // namespace

// Handlers that answer at once never need the watch: it starts when they are still running some turns of the
// loop later, in which what they ask for went on its way.
void HttpSession::ScheduleWatch() { WatchIn(kTurnsBefore); }

void HttpSession::WatchIn(int turns) {
  boost::asio::post(stream_.get_executor(), [self = shared_from_this(), number = number_, turns] {
    if (number != self->number_ || self->sent_ == Sent::kAll) return;
    if (turns > 1) return self->WatchIn(turns - 1);
    self->Watch();
  });
}

// Learns of the client's end, and takes in what it sends ahead of its turn, since behind it may come the end.
// A read that is still there when the handler is done is the first one of the next request.
void HttpSession::Watch() {
  watched_for_ = number_;
  if (std::exchange(watching_, true)) return;
  stream_.async_read_some(
      boost::asio::buffer(ahead_),
      [self = shared_from_this()](const error_code& error, size_t count) { self->Watched(error, count); });
}

void HttpSession::Watched(const error_code& error, size_t count) {
  watching_ = false;
  watched_.cancel();
  unread_.append(ahead_.data(), count);
  if (watched_for_ != number_) return;
  if (error) {
    broken_ = true;
    Interrupt();
  } else if (unread_.size() < kReadAhead) {
    Watch();
  }
}

Awaitable<void> HttpSession::EndOfWatch() {
  while (watching_ && !co_await Cancelled()) (void)co_await watched_.async_wait(kUseTuple);
}

}  // namespace llm_router
