#include "router/net/http_session.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <exception>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;
using boost::system::error_code;

constexpr size_t kHeadRead = 2048;
constexpr size_t kBodyRead = 64 * 1024;
constexpr size_t kReadAhead = 64 * 1024;  // of the next request, while one is handled
constexpr size_t kWriteSlice = 256 * 1024;
constexpr Milliseconds kLingerTime = std::chrono::seconds(2);

std::string NameOf(const HttpSocket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "unknown";
  return fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

HttpRequest ToRequest(http::request<http::string_body>&& message, const std::string& remote) {
  HttpRequest request;
  request.method = View(message.method_string());
  const std::string_view target = View(message.target());
  const auto mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  request.headers.reserve(16);
  for (const auto& field : message) {
    request.headers.emplace_back(LowerCase(View(field.name_string())), View(field.value()));
  }
  request.body = std::move(message.body());
  request.remote = remote;
  return request;
}

absl::Status Gone() { return MakeFault(Fault::kCancelled, "the client went away"); }

// `message` is ours, and free of quotes and line breaks.
HttpResponse PlainError(int status, std::string_view message) {
  return HttpResponse(status, {{"content-type", "application/json"}},
                      fmt::format(R"({{"error":{{"message":"{}","type":"{}","param":null,"code":null}}}})",
                                  message, status < 500 ? "invalid_request_error" : "server_error"));
}

// Gives the parser what came: no error when the request is whole, need_more when it is not yet.
error_code Feed(Parser& parser, std::string& unread) {
  error_code error;
  size_t used = 0;
  do {
    used = parser.put(boost::asio::buffer(unread), error);
    unread.erase(0, used);
  } while (!error && !parser.is_done() && used > 0);
  if (!error && !parser.is_done()) error = http::error::need_more;
  return error;
}

int StatusFor(const error_code& error) {
  if (error == http::error::body_limit) return 413;
  return error == http::error::header_limit ? 431 : 400;
}

}  // namespace

HttpSession::HttpSession(HttpSocket socket, HttpSessionContext& context)
    : socket_(std::move(socket)), context_(context), remote_(NameOf(socket_)) {
  error_code ignored;
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

Awaitable<void> HttpSession::Run() {
  while (!context_.stopping && co_await ReadRequest()) {
    co_await Handle();
    if (!keep_alive_ || broken_) break;
  }
  co_await Linger();
}

void HttpSession::Close() {
  error_code ignored;
  socket_.close(ignored);
}

void HttpSession::Expire(TimePoint now) {
  if (now < limit_) return;
  limit_ = TimePoint::max();
  expired_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void HttpSession::Enter(Phase phase, Milliseconds limit) {
  phase_ = phase;
  expired_ = false;
  limit_ = limit == Milliseconds::max() ? TimePoint::max() : Now() + limit;
}

// False when the other side is gone or its time is over. Only between requests is that the ordinary end.
Awaitable<bool> HttpSession::ReadMore() {
  if (co_await Cancelled()) co_return false;
  const size_t size = unread_.size();
  const size_t room = phase_ == Phase::kBody ? kBodyRead : kHeadRead;
  unread_.resize(size + room);
  const auto [error, count] =
      co_await socket_.async_read_some(boost::asio::buffer(unread_.data() + size, room), kUseTuple);
  unread_.resize(size + count);
  co_return !error;
}

// Reads until one request is whole; false when there will be none. What is wrong with it is answered here.
Awaitable<bool> HttpSession::ReadRequest() {
  Enter(Phase::kIdle, context_.options.idle_timeout);
  if (unread_.empty() && !co_await ReadMore()) co_return false;
  Enter(Phase::kHead, context_.options.header_timeout);
  sent_ = Sent::kNothing;
  Parser parser;
  parser.eager(true);
  parser.header_limit(static_cast<uint32_t>(context_.options.header_limit));
  parser.body_limit(context_.options.body_limit);
  for (error_code error = Feed(parser, unread_); error; error = Feed(parser, unread_)) {
    if (unread_.size() > context_.options.header_limit + kBodyRead) error = http::error::buffer_overflow;
    if (error != http::error::need_more) {
      co_await RefuseRequest(StatusFor(error), error.message());
      co_return false;
    }
    if (parser.is_header_done() && phase_ == Phase::kHead) {
      co_await BeginBody(View(parser.get()[http::field::expect]));
    }
    if (co_await ReadMore()) continue;
    if (expired_) co_await RefuseRequest(408, "the request took too long to arrive");
    co_return false;
  }
  if (unread_.empty() && unread_.capacity() > kBodyRead / 2) unread_ = std::string();
  keep_alive_ = parser.keep_alive();
  version_11_ = parser.get().version() >= 11;
  head_only_ = parser.get().method() == http::verb::head;
  request_ = ToRequest(parser.release(), remote_);
  co_return true;
}

Awaitable<void> HttpSession::BeginBody(std::string_view expect) {
  phase_ = Phase::kBody;
  if (LowerCase(expect) == "100-continue" && unread_.empty()) {
    (void)co_await WriteAll("HTTP/1.1 100 Continue\r\n\r\n", {});
  }
  Enter(Phase::kBody, context_.options.body_timeout);
}

Awaitable<void> HttpSession::RefuseRequest(int status, std::string message) {
  const HttpServerOptions& options = context_.options;
  keep_alive_ = false;
  head_only_ = false;
  if (status == 413) {
    message = fmt::format("the body is larger than the {} bytes that {} allows", options.body_limit,
                          options.body_limit_setting);
  } else if (status == 431) {
    message = fmt::format("the headers are larger than {} bytes", options.header_limit);
  } else if (status == 400) {
    message = fmt::format("not a valid HTTP/1.1 request: {}", message);
  }
  (void)co_await Send(PlainError(status, message));
}

Awaitable<void> HttpSession::Handle() {
  Enter(Phase::kHandler, Milliseconds::max());
  ++number_;
  ScheduleWatch();
  co_await CallHandler();
  ++number_;  // a watch that is under way sees that it is late
  if (sent_ == Sent::kAll || broken_) co_return;
  if (sent_ == Sent::kHead || co_await Cancelled()) {
    Reset();  // the client must not take what it has for the whole
    co_return;
  }
  (void)co_await Send(PlainError(500, "the server gave no reply to this request"));
}

Awaitable<void> HttpSession::CallHandler() {
  try {
    co_await context_.handler(request_, *this);
  } catch (const std::exception& error) {
    log::Error("an HTTP handler ended by an exception: {}", error.what());
  }
}

// Most handlers that answer at once never need the watch: it starts when they are still running a turn of the
// loop later.
void HttpSession::ScheduleWatch() {
  boost::asio::post(socket_.get_executor(), [self = shared_from_this(), number = number_] {
    if (number == self->number_ && self->sent_ != Sent::kAll) self->Watch();
  });
}

// A wait that is still there when the handler is done ends, unheeded, with the next bytes.
void HttpSession::Watch() {
  socket_.async_wait(HttpSocket::wait_read,
                     [self = shared_from_this(), number = number_](const error_code& error) {
                       if (!error && number == self->number_) self->ReadAhead();
                     });
}

// Takes in what a client sends ahead of its turn, since behind it may come the end.
void HttpSession::ReadAhead() {
  std::array<char, 4096> bytes;
  const ssize_t count = recv(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
    broken_ = true;
    Interrupt();
    return;
  }
  if (count > 0) unread_.append(bytes.data(), static_cast<size_t>(count));
  if (unread_.size() < kReadAhead) Watch();
}

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

Awaitable<absl::Status> HttpSession::SendHead(int status, HttpHeaders headers) {
  if (sent_ != Sent::kNothing) co_return MakeFault(Fault::kInternal, "a reply was sent already");
  if (context_.stopping) keep_alive_ = false;
  sent_ = Sent::kHead;
  left_ = ParseNumber<size_t>(HeaderOr(headers, "content-length"));
  framing_ = left_.has_value() ? HttpFraming::kLength
             : version_11_     ? HttpFraming::kChunked
                               : HttpFraming::kUntilClose;
  if (framing_ == HttpFraming::kUntilClose) keep_alive_ = false;
  const std::string head = ReplyHead(status, headers, framing_, std::nullopt, ConnectionHeader());
  co_return co_await WriteAll(head, {});
}

Awaitable<absl::Status> HttpSession::Write(std::string bytes) {
  if (sent_ != Sent::kHead) co_return MakeFault(Fault::kInternal, "no reply is open to write to");
  if (bytes.empty() || head_only_) co_return broken_ ? Gone() : absl::OkStatus();
  if (framing_ == HttpFraming::kChunked) {
    const std::string size = fmt::format("{:x}\r\n", bytes.size());
    bytes.append("\r\n");
    co_return co_await WriteAll(size, bytes);
  }
  if (left_.has_value()) {
    if (bytes.size() > *left_) co_return MakeFault(Fault::kInternal, "more than the content-length");
    *left_ -= bytes.size();
  }
  co_return co_await WriteAll(bytes, {});
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
  socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  Close();
}

// In slices, each with the whole write timeout: a slow client may take long, a stuck one may not.
Awaitable<absl::Status> HttpSession::WriteAll(std::string_view head, std::string_view body) {
  const Phase phase = phase_;
  do {
    if (broken_ || co_await Cancelled()) co_return Gone();
    const std::string_view slice = body.substr(0, kWriteSlice);
    const std::array buffers = {boost::asio::buffer(head), boost::asio::buffer(slice)};
    Enter(phase, context_.options.write_timeout);
    const auto [error, count] = co_await boost::asio::async_write(socket_, buffers, kUseTuple);
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

// Closing with unread bytes would be a reset, which can overtake the reply: so the client closes first, if it
// does so in time.
Awaitable<void> HttpSession::Linger() {
  if (broken_ || !socket_.is_open()) co_return;
  error_code error;
  socket_.shutdown(HttpSocket::shutdown_send, error);
  Enter(Phase::kLinger, kLingerTime);
  while (!error && !expired_ && !context_.stopping && co_await ReadMore()) unread_.clear();
}

}  // namespace llm_router
