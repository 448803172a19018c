#include <functional>
#include <string>

#include "broker_adapters/kubemq/check.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

kubemq::Request ValidRequest() {
  kubemq::Request request;
  request.set_requesttypedata(kubemq::Request::Query);
  request.set_clientid("c");
  request.set_channel("a.b");
  request.set_timeout(1);
  request.set_body("b");
  return request;
}

TEST_CASE("a request is refused in KubeMQ's order and words") {
  struct Row {
    const char* what;
    std::function<void(kubemq::Request&)> spoil;
    const char* text;
  };
  // Each row spoils one thing more than what the rows below it do: the first fault in order is named.
  const Row rows[] = {
      {"type", [](auto& r) { r.set_requesttypedata(kubemq::Request::RequestTypeUnknown); },
       "Error 206: invalid request type"},
      {"client", [](auto& r) { r.clear_clientid(); }, "Error 101: invalid clientID value, cannot be empty"},
      {"channel", [](auto& r) { r.clear_channel(); }, "Error 102: invalid channel value, cannot be empty"},
      {"dot", [](auto& r) { r.set_channel("a b*."); },
       "Error 119: invalid channel value, cannot end with `.`"},
      {"space", [](auto& r) { r.set_channel("a b*"); },
       "Error 108: invalid channel value, no white spaces are allowed"},
      {"star", [](auto& r) { r.set_channel("a.*"); },
       "Error 107: invalid channel value, no wildcards are allowed"},
      {"rest", [](auto& r) { r.set_channel("a.>"); },
       "Error 107: invalid channel value, no wildcards are allowed"},
      {"zero timeout", [](auto& r) { r.set_timeout(0); },
       "Error 109: invalid set timeout value, cannot be 0 or negative"},
      {"negative timeout", [](auto& r) { r.set_timeout(-5); },
       "Error 109: invalid set timeout value, cannot be 0 or negative"},
      {"empty", [](auto& r) { r.clear_body(); }, "Error 115: invalid request, cannot be empty"},
      {"cache", [](auto& r) { r.set_cachekey("k"); },
       "Error 116: invalid cache ttl value, cannot be 0 or negative"},
  };
  for (size_t first = 0; first < std::size(rows); ++first) {
    INFO(rows[first].what);
    kubemq::Request alone = ValidRequest();
    rows[first].spoil(alone);
    CHECK(kubemq_check::Request(alone) == rows[first].text);
    kubemq::Request all = ValidRequest();
    for (size_t later = std::size(rows); later > first; --later) rows[later - 1].spoil(all);
    CHECK(kubemq_check::Request(all) == rows[first].text);
  }
  CHECK(kubemq_check::Request(ValidRequest()).empty());
}

TEST_CASE("control characters count as white space, and names have a bound") {
  for (const char c : {'\t', '\n', '\r', '\0', '\x7f'}) {
    CHECK(kubemq_check::Channel(std::string("a") + c + "b") ==
          "Error 108: invalid channel value, no white spaces are allowed");
  }
  CHECK(kubemq_check::Channel(std::string(1'024, 'a')).empty());
  CHECK_THAT(std::string(kubemq_check::Channel(std::string(1'025, 'a'))), Catch::Contains("1024 bytes"));
}

TEST_CASE("an answer is refused in KubeMQ's order and words") {
  kubemq::Response answer;
  CHECK(kubemq_check::Response(answer) == "Error 101: invalid clientID value, cannot be empty");
  answer.set_clientid("c");
  CHECK(kubemq_check::Response(answer) == "Error 102: invalid channel value, cannot be empty");
  answer.set_replychannel("_INBOX.*");
  CHECK(kubemq_check::Response(answer) == "Error 107: invalid channel value, no wildcards are allowed");
  answer.set_replychannel("_INBOX.a");
  CHECK(kubemq_check::Response(answer) == "Error 117: invalid request id, cannot be empty");
  answer.set_requestid("r");
  CHECK(kubemq_check::Response(answer).empty());
}

TEST_CASE("an event without metadata and body is refused, tags or not") {
  kubemq::Event event;
  event.set_clientid("c");
  event.set_channel("a");
  (*event.mutable_tags())["only"] = "tags";
  CHECK(kubemq_check::Event(event) == "Error 110: invalid message, cannot be empty");
  event.set_metadata("m");
  CHECK(kubemq_check::Event(event).empty());
}

TEST_CASE("subscriptions may hold wildcards; their types are checked last") {
  kubemq::Subscribe subscribe;
  subscribe.set_channel("a.b c");
  CHECK(kubemq_check::RequestsSubscription(subscribe) ==
        "Error 101: invalid clientID value, cannot be empty");
  subscribe.set_clientid("c");
  CHECK(kubemq_check::RequestsSubscription(subscribe) ==
        "Error 108: invalid channel value, no white spaces are allowed");
  for (const char* subject : {"a..b", ".a"}) {
    subscribe.set_channel(subject);
    CHECK(kubemq_check::RequestsSubscription(subscribe) == "nats: invalid subject");
  }
  subscribe.set_channel("a.*.>");
  CHECK(kubemq_check::RequestsSubscription(subscribe) == "Error 207: invalid subscribe type");
  CHECK(kubemq_check::EventsSubscription(subscribe) == "Error 207: invalid subscribe type");
  subscribe.set_group("two words");
  CHECK(kubemq_check::RequestsSubscription(subscribe) == "nats: invalid queue name");
  subscribe.set_group("g");
  subscribe.set_subscribetypedata(kubemq::Subscribe::Queries);
  CHECK(kubemq_check::RequestsSubscription(subscribe).empty());
  subscribe.set_subscribetypedata(kubemq::Subscribe::Events);
  CHECK(kubemq_check::EventsSubscription(subscribe).empty());
  subscribe.set_eventsstoretypedata(kubemq::Subscribe::StartFromFirst);
  CHECK(kubemq_check::EventsSubscription(subscribe) ==
        "Error 118: event store parameters were set but subscribe type is not event store");
}

}  // namespace
}  // namespace llm_router
