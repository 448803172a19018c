#include "router/net/http_session.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>
#include <utility>

#include "broker_adapters/base/log.h"

namespace llm_router {
namespace {

namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;
using boost::system::error_code;

constexpr size_t kHeadRead = 2048;
constexpr size_t kBodyRead = 64 * 1024;
constexpr size_t kSmallRequest = 64 * 1024;
constexpr Milliseconds kLingerTime = std::chrono::seconds(2);

std::string NameOf(const HttpSocket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "unknown";
  return fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

// For what is still to come: room that is not filled costs, too.
size_t RoomFor(const Parser& parser) {
  if (!parser.is_header_done()) return kHeadRead;
  const auto left = parser.content_length_remaining();
  return left ? std::clamp<uint64_t>(*left, kHeadRead, kBodyRead) : kBodyRead;
}

HttpRequest HeadOf(const http::request<http::string_body>& message, const std::string& remote) {
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
  request.remote = remote;
  return request;
}

HttpRequest ToRequest(http::request<http::string_body>&& message, const std::string& remote) {
  HttpRequest request = HeadOf(message, remote);
  request.body = std::move(message.body());
  return request;
}

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

// Holds a request whose head has come to its limit, which may be above the usual one; false: it says, or has
// shown, that it is larger.
bool LimitBody(Parser& parser, const HttpServerOptions& options, const std::string& remote, size_t& limit) {
  const size_t read = parser.get().body().size();
  const auto length = parser.content_length();
  if (length && *length <= options.body_limit) return true;
  if (options.body_limit_of && !parser.is_done()) limit = options.body_limit_of(HeadOf(parser.get(), remote));
  if (std::max<size_t>(length.value_or(0), read) > limit) return false;
  if (!length && !parser.is_done()) parser.body_limit(limit - read);
  return true;
}

// The share of one request in what its server holds of requests that are not whole.
class Unfinished {
 public:
  explicit Unfinished(HttpSessionContext& context) : context_(context) {}
  ~Unfinished() { context_.unfinished -= bytes_; }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  // Whether the server has room for so much of it.
  bool Holds(size_t bytes) {
    context_.unfinished += bytes;
    context_.unfinished -= std::exchange(bytes_, bytes);
    return bytes <= kSmallRequest || context_.unfinished <= context_.options.unfinished_limit;
  }

 private:
  HttpSessionContext& context_;
  size_t bytes_ = 0;
};

int StatusFor(const error_code& error) {
  if (error == http::error::body_limit) return 413;
  return error == http::error::header_limit ? 431 : 400;
}

}  // namespace

HttpSession::HttpSession(HttpStream stream, HttpSessionContext& context)
    : stream_(std::move(stream)),
      context_(context),
      remote_(NameOf(stream_.next_layer())),
      watched_(stream_.get_executor(), TimePoint::max()) {
  error_code ignored;
  stream_.next_layer().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

Awaitable<void> HttpSession::Run() {
  if (!co_await Handshake()) co_return;
  while (!context_.stopping && co_await ReadRequest()) {
    co_await Handle();
    if (!keep_alive_ || broken_) break;
  }
  co_await Linger();
}

void HttpSession::Close() {
  error_code ignored;
  stream_.next_layer().close(ignored);
  if (websocket_) websocket_->Cut();
}

void HttpSession::Expire(TimePoint now) {
  if (websocket_) websocket_->Expire(now);
  if (now < limit_) return;
  limit_ = TimePoint::max();
  expired_ = true;
  error_code ignored;
  stream_.next_layer().cancel(ignored);
}

void HttpSession::Enter(Phase phase, Milliseconds limit) {
  phase_ = phase;
  expired_ = false;
  limit_ = limit == Milliseconds::max() ? TimePoint::max() : Now() + limit;
}

// False when the other side is gone or its time is over. Only between requests is that the ordinary end.
Awaitable<bool> HttpSession::ReadMore(size_t room) {
  if (co_await Cancelled()) co_return false;
  if (watching_) {
    const size_t before = unread_.size();
    co_await EndOfWatch();
    co_return unread_.size() > before;
  }
  const size_t size = unread_.size();
  unread_.resize(size + room);
  const auto [error, count] =
      co_await stream_.async_read_some(boost::asio::buffer(unread_.data() + size, room), kUseTuple);
  unread_.resize(size + count);
  co_return !error;
}

// Reads until one request is whole; false when there will be none. What is wrong with it is answered here.
Awaitable<bool> HttpSession::ReadRequest() {
  Enter(Phase::kIdle, context_.options.idle_timeout);
  if (unread_.empty() && !co_await ReadMore(kHeadRead)) co_return false;
  Enter(Phase::kHead, context_.options.header_timeout);
  sent_ = Sent::kNothing;
  Parser parser;
  parser.eager(true);
  parser.header_limit(static_cast<uint32_t>(context_.options.header_limit));
  body_limit_ = context_.options.body_limit;
  parser.body_limit(std::max(body_limit_, context_.options.most_body_limit));
  Unfinished unfinished(context_);
  for (error_code error = Feed(parser, unread_); error; error = Feed(parser, unread_)) {
    if (unread_.size() > context_.options.header_limit + kBodyRead) error = http::error::buffer_overflow;
    if (error != http::error::need_more) {
      co_await RefuseRequest(StatusFor(error), error.message());
      co_return false;
    }
    if (parser.is_header_done() && phase_ == Phase::kHead) {
      if (!LimitBody(parser, context_.options, remote_, body_limit_)) {
        co_await RefuseRequest(413, {});
        co_return false;
      }
      co_await BeginBody(View(parser.get()[http::field::expect]));
    }
    if (!unfinished.Holds(parser.get().body().size() + unread_.size())) {
      co_await RefuseRequest(503, "too much is being sent to this server at once: try again later");
      co_return false;
    }
    if (co_await ReadMore(RoomFor(parser))) continue;
    if (expired_) co_await RefuseRequest(408, "the request took too long to arrive");
    co_return false;
  }
  if (phase_ == Phase::kHead && !LimitBody(parser, context_.options, remote_, body_limit_)) {
    co_await RefuseRequest(413, {});
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
    message = fmt::format("the body is larger than the {} bytes that {} allows", body_limit_,
                          options.body_limit_setting);
  } else if (status == 431) {
    message = fmt::format("the headers are larger than {} bytes", options.header_limit);
  } else if (status == 400) {
    message = fmt::format("not a valid HTTP/1.1 request: {}", message);
  }
  if (const auto left_out = context_.refusals.Admit(Now()))
    log::Info("{}: refused with {}: {} ({} more)", remote_, status, message, *left_out);
  (void)co_await Send(PlainError(status, message));
}

Awaitable<void> HttpSession::Handle() {
  Enter(Phase::kHandler, Milliseconds::max());
  ++number_;
  ScheduleWatch();
  co_await CallHandler();
  ++number_;  // a watch that is under way sees that it is late
  if (websocket_ && websocket_->accepted()) co_return co_await FinishWebSocket();
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

// Closing with unread bytes would be a reset, which can overtake the reply: so the client closes first, if it
// does so in time.
Awaitable<void> HttpSession::Linger() {
  if (broken_ || !stream_.next_layer().is_open()) co_return;
  Enter(Phase::kLinger, kLingerTime);
  error_code ignored;
  if (watching_) stream_.next_layer().cancel(ignored);
  co_await EndOfWatch();
  co_await stream_.ShutDown();
  co_await Drain();
}

// Reads what nobody wants until the other side's end.
Awaitable<void> HttpSession::Drain() {
  std::array<char, 4096> bytes;
  while (!expired_ && !context_.stopping && !co_await Cancelled()) {
    const auto [error, count] =
        co_await stream_.next_layer().async_read_some(boost::asio::buffer(bytes), kUseTuple);
    if (error) co_return;
  }
}

}  // namespace llm_router
