// Events at the KubeMQ door, as a KubeMQ SDK sees them.
#include "broker_adapters/base/clock.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/door_rig.h"

namespace llm_router::test {
namespace {

kubemq::Event EventOn(const std::string& channel, const std::string& body) {
  kubemq::Event event;
  event.set_clientid("sender");
  event.set_channel(channel);
  event.set_body(body);
  return event;
}

TEST_CASE("an event goes out whether or not anybody listens, with an id and a time") {
  DoorRig rig;
  kubemq::Result result;
  REQUIRE(Send(rig, EventOn("a.b", "to nobody"), result).ok());
  CHECK(result.sent());
  CHECK(result.eventid().size() == 22);
  const auto stream = SubscribeToEvents(rig, Subscribe(kubemq::Subscribe::Events, "a.*"));
  kubemq::Event event = EventOn("a.b", "body");
  event.set_eventid("e1");
  event.set_metadata("metadata");
  (*event.mutable_tags())["k"] = "v";
  const int64_t before = UnixNanos();
  REQUIRE(Send(rig, event, result).ok());
  CHECK(result.eventid() == "e1");
  kubemq::EventReceive got;
  REQUIRE(stream->reader->Read(&got));
  CHECK(got.eventid() == "e1");
  CHECK(got.channel() == "a.b");
  CHECK(got.body() == "body");
  CHECK(got.metadata() == "metadata");
  CHECK(got.tags().at("k") == "v");
  CHECK(got.timestamp() >= before);
  CHECK(got.sequence() == 0);
}

TEST_CASE("on a stream only refused events are answered, in order, and half-close ends it with OK") {
  DoorRig rig;
  const auto events = SubscribeToEvents(rig, Subscribe(kubemq::Subscribe::Events, "good"));
  grpc::ClientContext context;
  const auto stream = rig.stub().SendEventsStream(&context);
  kubemq::Event bad = EventOn("two words", "x");
  bad.set_eventid("bad");
  kubemq::Event stored = EventOn("good", "stored");
  stored.set_eventid("stored");
  stored.set_store(true);
  REQUIRE(stream->Write(EventOn("good", "1")));
  REQUIRE(stream->Write(bad));
  REQUIRE(stream->Write(stored));
  REQUIRE(stream->Write(EventOn("good", "2")));
  REQUIRE(stream->WritesDone());
  kubemq::Result result;
  REQUIRE(stream->Read(&result));
  CHECK(result.eventid() == "bad");
  CHECK_FALSE(result.sent());
  CHECK(result.error() == "Error 108: invalid channel value, no white spaces are allowed");
  REQUIRE(stream->Read(&result));
  CHECK(result.eventid() == "stored");
  CHECK_FALSE(result.sent());
  CHECK_THAT(result.error(), Catch::Contains("keeps no stored events"));
  CHECK_FALSE(stream->Read(&result));
  CHECK(stream->Finish().ok());
  kubemq::EventReceive got;
  REQUIRE(events->reader->Read(&got));
  CHECK(got.body() == "1");
  REQUIRE(events->reader->Read(&got));
  CHECK(got.body() == "2");
}

TEST_CASE("what a slow subscriber does not take is dropped, and others get everything") {
  DoorRig rig;
  const auto slow = SubscribeToEvents(rig, Subscribe(kubemq::Subscribe::Events, "e"));
  const auto quick = SubscribeToEvents(rig, Subscribe(kubemq::Subscribe::Events, "e"));
  const std::string body(100'000, 'x');
  for (int i = 0; i < 2'000; ++i) {
    rig.Publish("e", body);
    kubemq::EventReceive got;
    REQUIRE(quick->reader->Read(&got));
  }
  const DoorStats stats = rig.Stats();
  CHECK(stats.events_dropped > 0);
  CHECK(stats.events_delivered >= 2'000);
}

}  // namespace
}  // namespace llm_router::test
