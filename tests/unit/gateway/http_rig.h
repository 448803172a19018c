// HttpRig: the HTTP gateway over an embedded broker, with a real jobs service, and workers of the test's own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/base/waker.h"
#include "broker_adapters/broker.h"
#include "router/gateway/http_gateway.h"
#include "tests/support/http_exchange.h"
#include "tests/unit/jobs/jobs_rig.h"

namespace llm_router::test {

inline constexpr std::string_view kChat = "/v1/chat/completions";
inline constexpr std::string_view kMessages = "/v1/messages";

class HttpRig {
 public:
  // The route openai, with the model gpt, is there from the start.
  explicit HttpRig(HttpGatewayOptions options = {});
  ~HttpRig();

  int port() const { return port_; }
  Loop& loop() { return loop_; }
  Broker& broker() { return jobs_->broker(); }
  JobsRig& jobs() { return *jobs_; }

  using Worker = std::function<Awaitable<absl::StatusOr<Reply>>(Query)>;
  void Serve(const std::string& route, Worker worker);
  // Who answers at once.
  void Answer(const std::string& route, std::function<absl::StatusOr<Reply>(const Query&)> answer);
  void AnswerOn(const std::string& channel, std::function<absl::StatusOr<Reply>(const Query&)> answer);
  // A worker of that route lives from now on.
  void Beat(const std::string& route, std::vector<std::string> models);

  // `headers`: more lines, each with its CRLF.
  HttpAnswer Send(std::string_view method, std::string_view path, std::string_view headers = "",
                  std::string_view body = "");
  HttpAnswer Get(std::string_view path, std::string_view headers = "") { return Send("GET", path, headers); }
  HttpAnswer Post(std::string_view path, std::string_view body, std::string_view headers = "") {
    return Send("POST", path, headers, body);
  }

  void EndRevoked();
  void Stop(Milliseconds grace);
  DoorStats Stats();

 private:
  Awaitable<void> KeepBeating();
  void ServeOn(const std::string& channel, Worker worker);
  void Publish(const std::string& beat);

  Loop loop_;
  TaskGroup tasks_{loop_.executor()};
  std::vector<std::string> beats_;
  std::unique_ptr<JobsRig> jobs_;
  std::unique_ptr<HttpGateway> gateway_;
  std::vector<SubscriptionPtr> subscriptions_;
  int port_ = 0;
};

// A worker that streams: one piece each time the test lets it, then its end.
class SteppedStream {
 public:
  SteppedStream(HttpRig& rig, absl::StatusOr<Reply> end)
      : rig_(rig), end_(std::move(end)), step_(rig.loop().executor()) {}

  HttpRig::Worker worker();
  // Any thread. One at a time: the test waits for it at the caller before the next.
  void Piece(std::string frames);
  void End();
  // Until the query was cancelled.
  void AwaitCancelled();

 private:
  Awaitable<absl::StatusOr<Reply>> Run(Query query);
  void Publish(const Query& query, int64_t seq, std::string frames);

  HttpRig& rig_;
  const absl::StatusOr<Reply> end_;
  Waker step_;
  std::vector<std::string> pieces_;
  bool ends_ = false;
  bool was_cancelled_ = false;
};

// {"model": model, "messages": [...], ...more}
std::string ChatBody(std::string_view model, std::string_view more = "");
Reply Executed(std::string body, Tags tags = {});

}  // namespace llm_router::test
