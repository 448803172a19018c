// HttpClient: outgoing HTTP/1.1 and HTTPS calls as coroutines, by libcurl's multi interface on the loop.
//
// One per process, owned by the composition root; loop thread only. A call ends at its deadline, and is
// aborted when its coroutine is cancelled: the connection is then closed, so that the provider stops working
// too. All calls must have ended before the client is destroyed. Connections are kept and reused; one that
// the other side closed while it was idle is replaced unseen. Redirects are not followed. A connection must
// stand within 10 s. Proxies are taken from the environment as curl does (HTTPS_PROXY, NO_PROXY), never for
// loopback; trusted certificates are Debian's, or those in the file $SSL_CERT_FILE.
//
// Faults: provider_timeout at the deadline, provider_unreachable for refused, reset or broken connections and
// names not found, provider_bad_reply for what is no HTTP or larger than max_reply, cancelled,
// invalid_request for a header with a line break in it. Error messages never contain a header or a body.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"
#include "router/net/http_headers.h"

namespace llm_router {

class CurlMulti;

struct HttpCall {
  HttpCall() = default;

  std::string method = "POST";
  std::string url;
  HttpHeaders headers;
  std::string body;  // not sent with GET and HEAD
  TimePoint deadline;
  size_t max_reply = 32 * 1024 * 1024;  // bytes of body
};

struct HttpReply {
  HttpReply() = default;

  int status = 0;
  HttpHeaders headers;
  std::string body;
};

// A reply whose body is read as it arrives. One reader; destroying it aborts the call. While nobody reads, at
// most 256 KB wait here, and then the other side has to.
class HttpDownload {
 public:
  virtual ~HttpDownload() = default;
  // Status and headers, once they are there; ask once, first.
  virtual Awaitable<absl::StatusOr<HttpReply>> Head() = 0;
  // More of the body, at least a byte; empty: its end.
  virtual Awaitable<absl::StatusOr<std::string>> Read() = 0;
  // Lets a body end of which no more is wanted, so that its connection can be used again; gives it up after
  // `patience`.
  virtual Awaitable<void> Finish(Milliseconds patience) = 0;
};

class HttpClient {
 public:
  explicit HttpClient(Executor executor);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status of the other side's is a reply; what fails is the exchange itself.
  Awaitable<absl::StatusOr<HttpReply>> Do(HttpCall call);
  // The same, read as it arrives. Ends before the client does.
  std::unique_ptr<HttpDownload> Begin(HttpCall call);

 private:
  Executor executor_;
  std::unique_ptr<CurlMulti> multi_;
};

}  // namespace llm_router
