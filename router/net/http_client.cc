#include "router/net/http_client.h"

#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/net/curl_multi.h"

namespace llm_router {
namespace {

constexpr Milliseconds kConnectTimeout = std::chrono::seconds(10);
constexpr size_t kMaxHeaderBytes = 256 * 1024;

enum class Overflow { kNone, kHeaders, kBody };

// One call in flight: lives in the frame of Do, where libcurl's callbacks find it.
struct Transfer {
  Transfer(Executor executor, CurlMulti& owner, HttpCall request)
      : call(std::move(request)), multi(owner), easy(owner.Take()), done(executor) {}
  ~Transfer() {
    if (easy != nullptr) multi.Return(easy);
    curl_slist_free_all(headers);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  HttpCall call;
  CurlMulti& multi;
  CURL* easy;
  OneShot<CURLcode> done;
  curl_slist* headers = nullptr;
  HttpReply reply;
  size_t header_bytes = 0;
  Overflow overflow = Overflow::kNone;
};

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// Returning less than what came makes libcurl abort the transfer.
size_t OnHeader(const char* data, size_t, size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, size);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kMaxHeaderBytes) {
    transfer.overflow = Overflow::kHeaders;
    return 0;
  }
  if (line.substr(0, 5) == "HTTP/") transfer.reply.headers.clear();  // after an interim reply (100)
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && colon > 0) {
    transfer.reply.headers.emplace_back(LowerCase(Trim(line.substr(0, colon))), Trim(line.substr(colon + 1)));
  }
  return size;
}

size_t OnBody(const char* data, size_t, size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string& body = transfer.reply.body;
  if (size > transfer.call.max_reply - std::min(body.size(), transfer.call.max_reply)) {
    transfer.overflow = Overflow::kBody;
    return 0;
  }
  body.append(data, size);
  return size;
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

absl::Status SetHeaders(Transfer& transfer) {
  bool kept = Append(transfer.headers, "Expect:");
  if (HeaderOr(transfer.call.headers, "content-type").empty()) {
    kept = kept && Append(transfer.headers, "Content-Type:");  // else libcurl calls it a form
  }
  for (const auto& [name, value] : transfer.call.headers) {
    if (!IsHeaderText(name) || !IsHeaderText(value)) {
      return MakeFault(Fault::kInvalidRequest, "a header for the provider contains a line break: remove it");
    }
    const std::string line = value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value);
    kept = kept && Append(transfer.headers, line.c_str());
  }
  if (!kept) return MakeFault(Fault::kInternal, "out of memory");
  curl_easy_setopt(transfer.easy, CURLOPT_HTTPHEADER, transfer.headers);
  return absl::OkStatus();
}

// Sets the method and the body of this call and takes back those of the handle's last one.
void SetMethod(CURL* easy, const HttpCall& call) {
  curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
  if (call.method == "GET") return;
  if (call.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.c_str());
  if (call.method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
}

absl::Status Prepare(Transfer& transfer) {
  if (transfer.easy == nullptr) return MakeFault(Fault::kInternal, "out of memory");
  const HttpCall& call = transfer.call;
  CURL* easy = transfer.easy;
  const auto connect = std::clamp(Remaining(call.deadline), Milliseconds(1), kConnectTimeout);
  curl_easy_setopt(easy, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect.count()));
  curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(call.max_reply));
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  SetMethod(easy, call);
  return SetHeaders(transfer);
}

absl::Status TimedOut(const HttpCall& call) {
  return MakeFault(
      Fault::kProviderTimeout,
      fmt::format("{} did not answer before the deadline: allow more time, or look at its status",
                  HostOf(call.url)));
}

absl::Status BadReply(const Transfer& transfer) {
  const auto host = HostOf(transfer.call.url);
  if (transfer.overflow == Overflow::kHeaders) {
    return MakeFault(Fault::kProviderBadReply,
                     fmt::format("{} sent more than {} bytes of headers: check the provider's base_url", host,
                                 kMaxHeaderBytes));
  }
  return MakeFault(Fault::kProviderBadReply, fmt::format("{} sent a reply of more than {} bytes: raise "
                                                         "limits.body, or ask for less",
                                                         host, transfer.call.max_reply));
}

absl::Status ToStatus(CURLcode code, const Transfer& transfer) {
  const auto host = HostOf(transfer.call.url);
  const auto unreachable = [&](std::string_view what) {
    return MakeFault(Fault::kProviderUnreachable, fmt::format("{} {}", host, what));
  };
  switch (code) {
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
      return BadReply(transfer);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return MakeFault(
          Fault::kProviderBadReply,
          fmt::format("{} answered something that is no HTTP: check the provider's base_url", host));
    case CURLE_OPERATION_TIMEDOUT:  // only the connection has a timeout in libcurl
      if (Remaining(transfer.call.deadline) == Milliseconds(0)) return TimedOut(transfer.call);
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
      return unreachable(fmt::format("broke the connection ({}): try again", curl_easy_strerror(code)));
  }
}

}  // namespace

HttpClient::HttpClient(Executor executor)
    : executor_(executor), multi_(std::make_unique<CurlMulti>(executor)) {}
HttpClient::~HttpClient() = default;

Awaitable<absl::StatusOr<HttpReply>> HttpClient::Do(HttpCall call) {
  Transfer transfer(executor_, *multi_, std::move(call));
  CO_RETURN_IF_ERROR(Prepare(transfer));
  if (Remaining(transfer.call.deadline) == Milliseconds(0)) co_return TimedOut(transfer.call);
  if (const CURLMcode code = multi_->Start(transfer.easy, transfer.done); code != CURLM_OK) {
    co_return MakeFault(Fault::kInternal, fmt::format("libcurl: {}", curl_multi_strerror(code)));
  }
  const auto code = co_await transfer.done.Wait(transfer.call.deadline);
  if (!code.has_value()) {
    if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "the caller went away or cancelled");
    co_return TimedOut(transfer.call);
  }
  if (*code != CURLE_OK) co_return ToStatus(*code, transfer);
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  transfer.reply.status = static_cast<int>(status);
  co_return std::move(transfer.reply);
}

}  // namespace llm_router
