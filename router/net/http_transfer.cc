#include "router/net/http_transfer.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr Milliseconds kConnectTimeout = std::chrono::seconds(10);
constexpr size_t kMaxHeaderBytes = 256 * 1024;
constexpr size_t kMostUnread = 256 * 1024;  // of a body that streams

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// The host and port of a URL, for messages: never its user part, path or query.
std::string_view HostOf(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const auto at = url.rfind('@');
  return at == std::string_view::npos ? url : url.substr(at + 1);
}

bool Append(curl_slist*& list, const char* line) {
  curl_slist* longer = curl_slist_append(list, line);
  if (longer != nullptr) list = longer;
  return longer != nullptr;
}

}  // namespace

HttpTransfer::HttpTransfer(Executor executor, CurlMulti& multi, HttpCall call, bool streams)
    : call_(std::move(call)), streams_(streams), multi_(multi), easy_(multi.Take()), changed_(executor) {}

HttpTransfer::~HttpTransfer() {
  if (easy_ != nullptr) multi_.Return(easy_);
  curl_slist_free_all(headers_);
}

absl::Status HttpTransfer::Start() {
  if (easy_ == nullptr) return MakeFault(Fault::kInternal, "out of memory");
  if (Remaining(call_.deadline) == Milliseconds(0)) return TimedOut();
  const auto connect = std::clamp(Remaining(call_.deadline), Milliseconds(1), kConnectTimeout);
  curl_easy_setopt(easy_, CURLOPT_URL, call_.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect.count()));
  curl_easy_setopt(easy_, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(call_.max_reply));
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  SetMethod();
  RETURN_IF_ERROR(SetHeaders());
  const CURLMcode code = multi_.Start(easy_, *this);
  if (code == CURLM_OK) return absl::OkStatus();
  return MakeFault(Fault::kInternal, fmt::format("libcurl: {}", curl_multi_strerror(code)));
}

// Returning less than what came makes libcurl abort the transfer.
size_t HttpTransfer::OnHeader(const char* data, size_t, size_t size, void* user) {
  auto& self = *static_cast<HttpTransfer*>(user);
  const std::string_view line(data, size);
  self.header_bytes_ += size;
  if (self.header_bytes_ > kMaxHeaderBytes) {
    self.overflow_ = Overflow::kHeaders;
    return 0;
  }
  if (line.substr(0, 5) == "HTTP/") self.reply_.headers.clear();  // after an interim reply (100)
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && colon > 0) {
    self.reply_.headers.emplace_back(LowerCase(Trim(line.substr(0, colon))), Trim(line.substr(colon + 1)));
  }
  if (Trim(line).empty() && self.Status() >= 200) self.OnHead();
  return size;
}

size_t HttpTransfer::OnBody(const char* data, size_t, size_t size, void* user) {
  auto& self = *static_cast<HttpTransfer*>(user);
  std::string& body = self.reply_.body;
  if (self.streams_ && body.size() >= kMostUnread) {
    self.paused_ = true;
    return CURL_WRITEFUNC_PAUSE;  // libcurl keeps these bytes and gives them again
  }
  if (size > self.call_.max_reply - std::min(self.body_bytes_, self.call_.max_reply)) {
    self.overflow_ = Overflow::kBody;
    return 0;
  }
  self.body_bytes_ += size;
  const bool is_first = body.empty();
  body.append(data, size);
  if (is_first) self.OnHead();  // else who waits was woken already
  return size;
}

// There is one, and maybe more of what follows it.
void HttpTransfer::OnHead() {
  has_head_ = true;
  if (streams_) changed_.Wake();
}

void HttpTransfer::OnEnd(CURLcode code) {
  ended_ = code;
  changed_.Wake();
}

Awaitable<absl::Status> HttpTransfer::AwaitHead() {
  while (!has_head_ && !ended_) CO_RETURN_IF_ERROR(co_await Change());
  co_return has_head_ ? absl::OkStatus() : Outcome();
}

Awaitable<absl::Status> HttpTransfer::AwaitBytes() {
  while (reply_.body.empty() && !ended_) CO_RETURN_IF_ERROR(co_await Change());
  co_return reply_.body.empty() ? Outcome() : absl::OkStatus();
}

Awaitable<absl::Status> HttpTransfer::AwaitEnd(TimePoint until) {
  while (!ended_) CO_RETURN_IF_ERROR(co_await Change(until));
  co_return Outcome();
}

Awaitable<absl::Status> HttpTransfer::Change(TimePoint until) {
  until = std::min(until, call_.deadline);
  if (!co_await changed_.Wait(until))
    co_return MakeFault(Fault::kCancelled, "the caller went away or cancelled");
  if (!ended_ && Now() >= until) co_return TimedOut();
  co_return absl::OkStatus();
}

int HttpTransfer::Status() const {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

HttpReply HttpTransfer::TakeReply() {
  reply_.status = Status();
  return std::move(reply_);
}

std::string HttpTransfer::TakeBytes() {
  std::string bytes = std::exchange(reply_.body, {});
  if (std::exchange(paused_, false)) multi_.Continue(easy_);
  return bytes;
}

absl::Status HttpTransfer::SetHeaders() {
  bool kept = Append(headers_, "Expect:");
  if (HeaderOr(call_.headers, "content-type").empty()) {
    kept = kept && Append(headers_, "Content-Type:");  // else libcurl calls it a form
  }
  for (const auto& [name, value] : call_.headers) {
    if (!IsHeaderText(name) || !IsHeaderText(value)) {
      return MakeFault(Fault::kInvalidRequest, "a header for the provider contains a line break: remove it");
    }
    const std::string line = value.empty() ? absl::StrCat(name, ";") : absl::StrCat(name, ": ", value);
    kept = kept && Append(headers_, line.c_str());
  }
  if (!kept) return MakeFault(Fault::kInternal, "out of memory");
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  return absl::OkStatus();
}

// Sets the method and the body of this call and takes back those of the handle's last one.
void HttpTransfer::SetMethod() {
  curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, nullptr);
  if (call_.method == "GET") return;
  if (call_.method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    return;
  }
  curl_easy_setopt(easy_, CURLOPT_POST, 1L);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, call_.body.c_str());
  if (call_.method != "POST") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, call_.method.c_str());
}

absl::Status HttpTransfer::TimedOut() const {
  return MakeFault(
      Fault::kProviderTimeout,
      fmt::format("{} did not answer before the deadline: allow more time, or look at its status",
                  HostOf(call_.url)));
}

absl::Status HttpTransfer::BadReply() const {
  const auto host = HostOf(call_.url);
  if (overflow_ == Overflow::kHeaders) {
    return MakeFault(Fault::kProviderBadReply,
                     fmt::format("{} sent more than {} bytes of headers: check the provider's base_url", host,
                                 kMaxHeaderBytes));
  }
  return MakeFault(Fault::kProviderBadReply, fmt::format("{} sent a reply of more than {} bytes: raise "
                                                         "limits.body, or ask for less",
                                                         host, call_.max_reply));
}

// Of a call that ended.
absl::Status HttpTransfer::Outcome() const {
  const auto host = HostOf(call_.url);
  const auto unreachable = [&](std::string_view what) {
    return MakeFault(Fault::kProviderUnreachable, fmt::format("{} {}", host, what));
  };
  switch (*ended_) {
    case CURLE_OK:
      return absl::OkStatus();
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
      return BadReply();
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return MakeFault(
          Fault::kProviderBadReply,
          fmt::format("{} answered something that is no HTTP: check the provider's base_url", host));
    case CURLE_OPERATION_TIMEDOUT:  // only the connection has a timeout in libcurl
      if (Remaining(call_.deadline) == Milliseconds(0)) return TimedOut();
      return unreachable(
          "did not accept a connection in time: check the provider's base_url and the network");
    case CURLE_URL_MALFORMAT:
      return unreachable("is part of a URL that can't be read: check the provider's base_url");
    case CURLE_COULDNT_RESOLVE_HOST:
      return unreachable("was not found: check the provider's base_url and the name server");
    case CURLE_COULDNT_RESOLVE_PROXY:
      return unreachable("can't be reached, as its proxy was not found: check HTTPS_PROXY and NO_PROXY");
    case CURLE_COULDNT_CONNECT:
      return unreachable("refused the connection: check the provider's base_url and that it runs");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return unreachable(
          "has a certificate that is not trusted: check the provider's base_url, or SSL_CERT_FILE");
    default:
      return unreachable(fmt::format("broke the connection ({}): try again", curl_easy_strerror(*ended_)));
  }
}

}  // namespace llm_router
