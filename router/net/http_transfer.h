// HttpTransfer: one call of HttpClient in flight, as libcurl's callbacks find it. Inside of net/ only.
//
// Owned by the coroutine or the HttpDownload that waits for it; loop thread only. Destroying it aborts the
// call: the connection is closed.
#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "broker_adapters/base/waker.h"
#include "router/net/curl_multi.h"
#include "router/net/http_client.h"

namespace llm_router {

class HttpTransfer final : public CurlMulti::Ending {
 public:
  // Of one that `streams` the body is taken piece by piece, and no more than 256 KB of it wait here.
  HttpTransfer(Executor executor, CurlMulti& multi, HttpCall call, bool streams);
  ~HttpTransfer() override;
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  absl::Status Start();

  // Each returns when what it says has happened, or the call failed, its deadline passed, or the coroutine
  // was cancelled.
  Awaitable<absl::Status> AwaitHead();
  Awaitable<absl::Status> AwaitBytes();  // some are there, or the body is at its end
  Awaitable<absl::Status> AwaitEnd(TimePoint until = TimePoint::max());

  // Status and headers, and of the body what came and was not taken.
  HttpReply TakeReply();
  std::string TakeBytes();

 private:
  enum class Overflow { kNone, kHeaders, kBody };

  static size_t OnHeader(const char* data, size_t, size_t size, void* user);
  static size_t OnBody(const char* data, size_t, size_t size, void* user);
  void OnHead();
  void OnEnd(CURLcode code) override;

  int Status() const;
  absl::Status SetHeaders();
  void SetMethod();
  Awaitable<absl::Status> Change(TimePoint until = TimePoint::max());
  absl::Status Outcome() const;
  absl::Status TimedOut() const;
  absl::Status BadReply() const;

  const HttpCall call_;
  const bool streams_;
  CurlMulti& multi_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  Waker changed_;
  std::optional<CURLcode> ended_;
  bool has_head_ = false;
  bool paused_ = false;
  HttpReply reply_;
  size_t header_bytes_ = 0;
  size_t body_bytes_ = 0;
  Overflow overflow_ = Overflow::kNone;
};

}  // namespace llm_router
