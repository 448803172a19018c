#include "router/net/http_client.h"

#include <utility>

#include "broker_adapters/base/status.h"
#include "router/net/curl_multi.h"
#include "router/net/http_transfer.h"

namespace llm_router {
namespace {

class Download final : public HttpDownload {
 public:
  Download(Executor executor, CurlMulti& multi, HttpCall call)
      : transfer_(executor, multi, std::move(call), /*streams=*/true), started_(transfer_.Start()) {}

  Awaitable<absl::StatusOr<HttpReply>> Head() override {
    CO_RETURN_IF_ERROR(started_);
    CO_RETURN_IF_ERROR(co_await transfer_.AwaitHead());
    HttpReply head = transfer_.TakeReply();
    first_ = std::exchange(head.body, {});
    co_return head;
  }

  Awaitable<absl::StatusOr<std::string>> Read() override {
    if (!first_.empty()) co_return std::exchange(first_, {});
    CO_RETURN_IF_ERROR(co_await transfer_.AwaitBytes());
    co_return transfer_.TakeBytes();
  }

  Awaitable<void> Finish(Milliseconds patience) override {
    (void)co_await transfer_.AwaitEnd(Now() + patience);
  }

 private:
  HttpTransfer transfer_;
  const absl::Status started_;
  std::string first_;  // came with the head
};

}  // namespace

HttpClient::HttpClient(Executor executor)
    : executor_(executor), multi_(std::make_unique<CurlMulti>(executor)) {}
HttpClient::~HttpClient() = default;

Awaitable<absl::StatusOr<HttpReply>> HttpClient::Do(HttpCall call) {
  HttpTransfer transfer(executor_, *multi_, std::move(call), /*streams=*/false);
  CO_RETURN_IF_ERROR(transfer.Start());
  CO_RETURN_IF_ERROR(co_await transfer.AwaitEnd());
  co_return transfer.TakeReply();
}

std::unique_ptr<HttpDownload> HttpClient::Begin(HttpCall call) {
  return std::make_unique<Download>(executor_, *multi_, std::move(call));
}

}  // namespace llm_router
