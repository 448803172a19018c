// The half of HttpSession that writes: replies, whole or in pieces.
#include <fmt/format.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <iterator>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "proto/fault.h"
#include "router/net/http_session.h"

namespace llm_router {
namespace {

using boost::system::error_code;

constexpr size_t kWriteSlice = 256 * 1024;

absl::Status Gone() { return MakeFault(Fault::kCancelled, "the client went away"); }

}  // namespace

HttpConnection HttpSession::ConnectionHeader() const {
  if (!keep_alive_) return HttpConnection::kClose;
  return version_11_ ? HttpConnection::kDefault : HttpConnection::kKeepAlive;
}

Awaitable<absl::Status> HttpSession::Send(HttpResponse response) {
  if (sent_ != Sent::kNothing) co_return MakeFault(Fault::kInternal, "a reply was sent already");
  if (context_.stopping) keep_alive_ = false;
  sent_ = Sent::kAll;
  const bool bodiless = response.status == 204 || response.status == 304;
  std::optional<size_t> length;
  if (!bodiless) length = response.body.size();
  const std::string head =
      ReplyHead(response.status, response.headers, HttpFraming::kLength, length, ConnectionHeader());
  if (bodiless || head_only_) response.body.clear();
  co_return co_await WriteAll(head, response.body);
}

Awaitable<absl::Status> HttpSession::SendHead(int status, HttpHeaders headers, std::string first) {
  if (sent_ != Sent::kNothing) co_return MakeFault(Fault::kInternal, "a reply was sent already");
  if (context_.stopping) keep_alive_ = false;
  sent_ = Sent::kHead;
  left_ = ParseNumber<size_t>(HeaderOr(headers, "content-length"));
  framing_ = left_.has_value() ? HttpFraming::kLength
             : version_11_     ? HttpFraming::kChunked
                               : HttpFraming::kUntilClose;
  if (framing_ == HttpFraming::kUntilClose) keep_alive_ = false;
  std::string head = ReplyHead(status, headers, framing_, std::nullopt, ConnectionHeader());
  if (head_only_) first.clear();
  CO_RETURN_IF_ERROR(Frame(head, first));
  co_return co_await WriteAll(head, first);
}

Awaitable<absl::Status> HttpSession::Write(std::string bytes) {
  if (sent_ != Sent::kHead) co_return MakeFault(Fault::kInternal, "no reply is open to write to");
  if (bytes.empty() || head_only_) co_return broken_ ? Gone() : absl::OkStatus();
  std::string head;
  CO_RETURN_IF_ERROR(Frame(head, bytes));
  co_return head.empty() ? co_await WriteAll(bytes, {}) : co_await WriteAll(head, bytes);
}

// Makes of bytes what goes over the wire; what goes before them is added to `head`.
absl::Status HttpSession::Frame(std::string& head, std::string& bytes) {
  if (bytes.empty()) return absl::OkStatus();
  if (framing_ == HttpFraming::kChunked) {
    fmt::format_to(std::back_inserter(head), "{:x}\r\n", bytes.size());
    bytes.append("\r\n");
  } else if (left_.has_value()) {
    if (bytes.size() > *left_) return MakeFault(Fault::kInternal, "more than the content-length");
    *left_ -= bytes.size();
  }
  return absl::OkStatus();
}

Awaitable<absl::Status> HttpSession::Finish() {
  if (sent_ != Sent::kHead) co_return MakeFault(Fault::kInternal, "no reply is open to finish");
  sent_ = Sent::kAll;
  if (head_only_) co_return absl::OkStatus();
  if (left_.value_or(0) > 0) keep_alive_ = false;  // the client learns by the end of the connection
  if (framing_ != HttpFraming::kChunked) co_return broken_ ? Gone() : absl::OkStatus();
  co_return co_await WriteAll("0\r\n\r\n", {});
}

void HttpSession::Reset() {
  sent_ = Sent::kAll;
  broken_ = true;
  error_code ignored;
  stream_.next_layer().set_option(boost::asio::socket_base::linger(true, 0), ignored);
  Close();
}

// By way of the loop: the cancellation itself may be what resumed us, and must have returned before its state
// goes.
Awaitable<bool> HttpSession::HasLastWord() {
  co_await boost::asio::post(kUseAwaitable);
  if (broken_ || !context_.grace_over || !co_await Cancelled() || std::exchange(said_last_word_, true))
    co_return false;
  co_await boost::asio::this_coro::reset_cancellation_state();
  co_return true;
}

// In slices, each with the whole write timeout: a slow client may take long, a stuck one may not.
Awaitable<absl::Status> HttpSession::WriteAll(std::string_view head, std::string_view body) {
  const Phase phase = phase_;
  do {
    const bool cancelled = co_await Cancelled();
    if (cancelled) broken_ = broken_ || head.empty();  // half of it went: nothing fits behind
    if (broken_ || cancelled) co_return Gone();
    const std::string_view slice = body.substr(0, kWriteSlice);
    const std::array buffers = {boost::asio::buffer(head), boost::asio::buffer(slice)};
    Enter(phase, context_.options.write_timeout);
    const auto [error, count] = co_await boost::asio::async_write(stream_, buffers, kUseTuple);
    Enter(phase, Milliseconds::max());
    if (error) {
      broken_ = true;
      co_return Gone();
    }
    head = {};
    body.remove_prefix(slice.size());
  } while (!body.empty());
  co_return absl::OkStatus();
}

}  // namespace llm_router
