#include "router/pipeline/stream_call.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <vector>

#include "router/net/http_server.h"
#include "router/providers/provider_table.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

std::string Frame(std::string_view delta, std::string_view finish = "null") {
  return fmt::format(
      R"(data: {{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{},"finish_reason":{}}}]}})"
      "\n\n",
      delta, finish);
}

const std::string kRole = Frame(R"({"role":"assistant","content":""})");
const std::string kFirst = Frame(R"({"content":"one "})");
const std::string kSecond = Frame(R"({"content":"two"})");
const std::string kStop = Frame("{}", R"("stop")");
constexpr std::string_view kDone = "data: [DONE]\n\n";

// Keeps what is written to it, and how much that was when the first piece would leave a gateway in the same
// process: two turns of the loop later.
class Written final : public ReplySink {
 public:
  explicit Written(Executor executor) : executor_(executor) {}

  Awaitable<absl::Status> Write(std::string frames) override {
    pieces.push_back(std::move(frames));
    if (pieces.size() == 1) {
      boost::asio::post(
          executor_, [this] { boost::asio::post(executor_, [this] { when_first_left = pieces.size(); }); });
    }
    co_return absl::OkStatus();
  }
  int64_t chunks() const override { return static_cast<int64_t>(pieces.size()); }

  std::vector<std::string> pieces;
  size_t when_first_left = 0;

 private:
  Executor executor_;
};

TEST_CASE("the first word of a stream leaves before what came with it is read") {
  Run([](Loop& loop) -> Awaitable<void> {
    const std::string body = kRole + kFirst + kSecond + kStop + std::string(kDone);
    auto server = HttpServer::Listen(loop.executor(), HttpServerOptions(),
                                     [&body](HttpRequest&, HttpResponder& responder) -> Awaitable<void> {
                                       HttpResponse whole(200, {{"content-type", "text/event-stream"}}, body);
                                       (void)co_await responder.Send(std::move(whole));
                                     });
    REQUIRE(server.ok());
    HttpClient http(loop.executor());
    const Dialect& dialect = *FindDialect(contract::dialect::kOpenAiChat);
    const Provider provider(*FindProviderRow("openai"), dialect, ProviderConfig());
    const Target target(&provider, "m");
    const Route route;
    Written written(loop.executor());
    Exchange exchange(route, Query(), &written);
    exchange.dialect = &dialect;
    exchange.target = &target;
    HttpCall call;
    call.url = fmt::format("http://127.0.0.1:{}/", (*server)->port());
    call.deadline = Now() + std::chrono::seconds(30);
    const auto reply = co_await StreamCall(http, exchange, dialect, std::move(call));
    REQUIRE(reply.ok());
    REQUIRE(written.pieces.size() == 2);
    CHECK(written.pieces[0] == kRole + kFirst);
    CHECK(written.pieces[1] == kSecond + kStop + std::string(kDone));
    CHECK(written.when_first_left == 1);
    CHECK_THAT(reply->message.body, Catch::Contains("one two"));
    co_await (*server)->Stop(std::chrono::seconds(1));
  });
}

}  // namespace
}  // namespace llm_router
