// HttpClient: outgoing HTTP/1.1 and HTTPS calls as coroutines, by libcurl's multi interface on the loop.
//
// One per process, owned by the composition root; loop thread only. A call ends at its deadline, and is
// aborted when its coroutine is cancelled: the connection is then closed, so that the provider stops working
// too. Connections are kept and reused. Faults: provider_timeout at the deadline, provider_unreachable for
// refused, reset or broken connections and names not found, provider_bad_reply for what is no HTTP or larger
// than max_reply, cancelled. Error messages never contain a header or a body.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"

namespace llm_router {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;  // names in lower case

struct HttpCall {
  HttpCall() = default;

  std::string method = "POST";
  std::string url;
  HttpHeaders headers;
  std::string body;
  TimePoint deadline;
  size_t max_reply = 32 * 1024 * 1024;  // bytes of body
};

struct HttpReply {
  HttpReply() = default;

  int status = 0;
  HttpHeaders headers;
  std::string body;
};

class HttpClient {
 public:
  explicit HttpClient(Executor executor);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  Awaitable<absl::StatusOr<HttpReply>> Do(HttpCall call);

 private:
  class Multi;
  std::unique_ptr<Multi> multi_;
};

}  // namespace llm_router
