// The exporter against a collector over real HTTP.
#include "router/telemetry/span_exporter.h"

#include <fmt/format.h>

#include <map>
#include <memory>

#include "broker_adapters/base/one_shot.h"
#include "proto/json_fields.h"
#include "router/net/http_server.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using contract::Json;
using test::Run;

constexpr Milliseconds kPatience = std::chrono::seconds(20);

std::string SpanNamed(int number) { return fmt::format(R"({{"name":"{}"}})", number); }

// A collector that answers with the statuses it was told, then 200; or with nothing, while it is held.
class Collector {
 public:
  explicit Collector(Executor executor, std::vector<int> statuses = {})
      : statuses_(std::move(statuses)), changed_(executor) {
    auto server = HttpServer::Listen(
        executor, HttpServerOptions(),
        [this](HttpRequest& request, HttpResponder& responder) { return Answer(request, responder); });
    REQUIRE(server.ok());
    server_ = *std::move(server);
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }
  Awaitable<void> Stop() { co_await server_->Stop(Milliseconds(0)); }

  Awaitable<bool> Requests(size_t wanted) {
    const TimePoint patience = Now() + kPatience;
    while (requests.size() < wanted && Now() < patience) {
      if (!co_await changed_.Wait(patience)) break;
    }
    co_return requests.size() >= wanted;
  }

  bool held = false;
  std::vector<HttpRequest> requests;

 private:
  Awaitable<void> Answer(HttpRequest& request, HttpResponder& responder) {
    requests.push_back(std::move(request));
    changed_.Wake();
    if (held) (void)co_await Sleep(Now() + std::chrono::hours(1));
    const size_t number = requests.size() - 1;
    const int status = number < statuses_.size() ? statuses_[number] : 200;
    (void)co_await responder.Send(HttpResponse(status, {{"content-type", "application/json"}}, "{}"));
  }

  const std::vector<int> statuses_;
  Waker changed_;
  std::unique_ptr<HttpServer> server_;
};

struct Bench {
  explicit Bench(Loop& loop, std::vector<int> statuses = {})
      : collector(loop.executor(), std::move(statuses)), http(loop.executor()), executor(loop.executor()) {
    options.endpoint = collector.url();
    options.instance = "i-1";
    options.first_backoff = Milliseconds(1);
    options.longest_backoff = Milliseconds(2);
  }

  SpanExporter& Start() {
    exporter = std::make_unique<SpanExporter>(
        executor, http, options,
        [this](std::string_view outcome, size_t spans) { counts[std::string(outcome)] += spans; });
    exporter->Start();
    return *exporter;
  }
  Awaitable<void> Stop() {
    co_await exporter->Stop(kPatience);
    co_await collector.Stop();
  }

  // Of the request's body.
  Json Spans(size_t request) const {
    return Json::parse(collector.requests.at(request).body)
        .at("resourceSpans")
        .at(0)
        .at("scopeSpans")
        .at(0)
        .at("spans");
  }

  Collector collector;
  HttpClient http;
  Executor executor;
  SpanExporterOptions options;
  std::map<std::string, size_t> counts;
  std::unique_ptr<SpanExporter> exporter;
};

using Counts = std::map<std::string, size_t>;

TEST_CASE(
    "spans are posted to the collector's traces, with the headers of the settings and who they are of") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Bench bench(loop);
    bench.options.headers.emplace_back("authorization", Secret("Basic x"));
    SpanExporter& exporter = bench.Start();
    exporter.Take(SpanNamed(1));
    exporter.Take(SpanNamed(2));
    REQUIRE(co_await bench.collector.Requests(1));
    const HttpRequest& request = bench.collector.requests[0];
    CHECK(request.method == "POST");
    CHECK(request.path == "/v1/traces");
    CHECK(HeaderOr(request.headers, "content-type") == "application/json");
    CHECK(HeaderOr(request.headers, "authorization") == "Basic x");
    CHECK(Json::parse(request.body).at("resourceSpans").at(0).at("resource").at("attributes") ==
          Json::parse(R"([
      {"key": "service.name", "value": {"stringValue": "llm-router"}},
      {"key": "service.instance.id", "value": {"stringValue": "i-1"}}])"));
    CHECK(bench.Spans(0) == Json::parse(R"([{"name": "1"}, {"name": "2"}])"));
    co_await bench.Stop();
    CHECK(bench.counts == Counts{{"sent", 2}});
  });
}

TEST_CASE("a full batch does not wait, and what is left goes out at the end") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Bench bench(loop);
    bench.options.batch = 3;
    bench.options.every = std::chrono::hours(1);
    SpanExporter& exporter = bench.Start();
    for (int span = 0; span < 7; ++span) exporter.Take(SpanNamed(span));
    REQUIRE(co_await bench.collector.Requests(2));
    co_await bench.Stop();
    REQUIRE(bench.collector.requests.size() == 3);
    CHECK(bench.Spans(0).size() == 3);
    CHECK(bench.Spans(2) == Json::parse(R"([{"name": "6"}])"));
    CHECK(bench.counts == Counts{{"sent", 7}});
  });
}

TEST_CASE("of more spans than may wait the newest are dropped, and counted") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Bench bench(loop);
    bench.options.most_waiting = 5;
    SpanExporter& exporter = bench.Start();
    for (int span = 0; span < 100; ++span) exporter.Take(SpanNamed(span));
    co_await bench.Stop();
    REQUIRE(bench.collector.requests.size() == 1);
    CHECK(bench.Spans(0).size() == 5);
    CHECK(bench.Spans(0).at(4) == Json::parse(R"({"name": "4"})"));
    CHECK(bench.counts == Counts{{"dropped", 95}, {"sent", 5}});
    exporter.Take(SpanNamed(100));  // nobody sends it any more
    CHECK(bench.counts["dropped"] == 96);
  });
}

TEST_CASE("a batch that the collector can't take now is sent again") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Bench bench(loop, {503, 429});
    bench.Start().Take(SpanNamed(1));
    REQUIRE(co_await bench.collector.Requests(3));
    co_await bench.Stop();
    CHECK(bench.collector.requests[0].body == bench.collector.requests[2].body);
    CHECK(bench.counts == Counts{{"sent", 1}});
  });
}

TEST_CASE("a batch is given up after some tries, and at once when the collector refuses it") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Bench bench(loop, {503, 503, 401});
    bench.options.tries = 2;
    bench.options.batch = 1;
    SpanExporter& exporter = bench.Start();
    for (int span = 1; span <= 3; ++span) exporter.Take(SpanNamed(span));
    REQUIRE(co_await bench.collector.Requests(4));
    co_await bench.Stop();
    CHECK(bench.Spans(1) == Json::parse(R"([{"name": "1"}])"));
    CHECK(bench.Spans(2) == Json::parse(R"([{"name": "2"}])"));
    CHECK(bench.Spans(3) == Json::parse(R"([{"name": "3"}])"));
    CHECK(bench.counts == Counts{{"failed", 2}, {"sent", 1}});
  });
}

TEST_CASE(
    "a collector that hangs holds up a stop no longer than its limit, and what was not sent is counted") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Bench bench(loop);
    bench.options.batch = 1;
    bench.collector.held = true;
    SpanExporter& exporter = bench.Start();
    exporter.Take(SpanNamed(1));
    exporter.Take(SpanNamed(2));
    REQUIRE(co_await bench.collector.Requests(1));
    co_await exporter.Stop(Milliseconds(1));
    co_await bench.collector.Stop();
    CHECK(bench.counts == Counts{{"failed", 2}});
  });
}

TEST_CASE("a collector that is not there loses spans, and a stop does not wait to try again") {
  Run([&](Loop& loop) -> Awaitable<void> {
    Bench bench(loop);
    bench.options.first_backoff = bench.options.longest_backoff = std::chrono::hours(1);
    co_await bench.collector.Stop();
    SpanExporter& exporter = bench.Start();
    exporter.Take(SpanNamed(1));
    co_await exporter.Stop(kPatience);
    CHECK(bench.counts == Counts{{"failed", 1}});
  });
}

}  // namespace
}  // namespace llm_router
