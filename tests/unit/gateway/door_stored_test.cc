// Stored events at the KubeMQ door, as a KubeMQ SDK sees them.
#include <nlohmann/json.hpp>
#include <set>

#include "broker_adapters/base/clock.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/door_rig.h"

namespace llm_router::test {
namespace {

using Start = kubemq::Subscribe;

kubemq::Event Stored(const std::string& channel, const std::string& body) {
  kubemq::Event event;
  event.set_eventid("id-" + body);
  event.set_clientid("sender");
  event.set_channel(channel);
  event.set_body(body);
  event.set_store(true);
  return event;
}

kubemq::Subscribe From(kubemq::Subscribe::EventsStoreType type, int64_t value = 0,
                       const std::string& client = "subscriber") {
  kubemq::Subscribe subscribe = Subscribe(kubemq::Subscribe::EventsStore, "c");
  subscribe.set_clientid(client);
  subscribe.set_eventsstoretypedata(type);
  subscribe.set_eventsstoretypevalue(value);
  return subscribe;
}

void Keep(DoorRig& rig, const std::vector<std::string>& bodies) {
  for (const std::string& body : bodies) {
    kubemq::Result result;
    REQUIRE(Send(rig, Stored("c", body), result).ok());
    CHECK(result.error().empty());
    CHECK(result.sent());
    CHECK(result.eventid() == "id-" + body);
  }
}

std::string ReadOne(OpenStream<kubemq::EventReceive>& stream) {
  kubemq::EventReceive event;
  return stream.reader->Read(&event) ? event.body() : "the stream ended";
}

std::string Manage(DoorRig& rig, const std::string& verb, const std::string& channel = "") {
  kubemq::Request request = QueryOn("kubemq.cluster.internal.requests", "");
  request.set_metadata(verb);
  (*request.mutable_tags())["channel_type"] = "events_store";
  if (!channel.empty()) (*request.mutable_tags())["channel"] = channel;
  kubemq::Response response;
  REQUIRE(Send(rig, request, response).ok());
  CHECK(response.executed());
  return response.body();
}

TEST_CASE("stored events come back with their numbers and times, from where a subscription begins") {
  DoorRig rig({}, true);
  const int64_t before = UnixNanos();
  Keep(rig, {"1", "2", "3"});
  const auto first = SubscribeToEvents(rig, From(Start::StartFromFirst, 0, "first"));
  for (uint64_t number = 1; number <= 3; ++number) {
    kubemq::EventReceive event;
    REQUIRE(first->reader->Read(&event));
    CHECK(event.body() == std::to_string(number));
    CHECK(event.eventid() == "id-" + event.body());
    CHECK(event.channel() == "c");
    CHECK(event.sequence() == number);
    CHECK(event.timestamp() >= before);
  }
  CHECK(ReadOne(*SubscribeToEvents(rig, From(Start::StartFromLast, 0, "last"))) == "3");
  CHECK(ReadOne(*SubscribeToEvents(rig, From(Start::StartAtSequence, 2, "sequence"))) == "2");
  CHECK(ReadOne(*SubscribeToEvents(rig, From(Start::StartAtTimeDelta, 3'600, "delta"))) == "1");
  const auto fresh = SubscribeToEvents(rig, From(Start::StartNewOnly, 0, "new"));
  // SDKs give times in seconds, milliseconds, microseconds or nanoseconds.
  for (const int64_t unit : {1'000'000'000LL, 1'000'000LL, 1'000LL, 1LL}) {
    const int64_t hour_ago = (before - 3'600'000'000'000LL) / unit,
                  hour_on = (before + 3'600'000'000'000LL) / unit;
    const std::string client = "time-" + std::to_string(unit);
    CHECK(ReadOne(*SubscribeToEvents(rig, From(Start::StartAtTime, hour_ago, client))) == "1");
    const auto later = SubscribeToEvents(rig, From(Start::StartAtTime, hour_on, client + "-on"));
    Keep(rig, {"at " + std::to_string(unit)});
    CHECK(ReadOne(*later) == "at " + std::to_string(unit));
  }
  CHECK(ReadOne(*fresh) == "at 1000000000");
}

TEST_CASE("a client that comes back goes on where it was; while it is there, its second is refused") {
  DoorRig rig({}, true);
  Keep(rig, {"1", "2"});
  {
    const auto stream = SubscribeToEvents(rig, From(Start::StartFromFirst));
    CHECK(ReadOne(*stream) == "1");
    CHECK(ReadOne(*stream) == "2");
    const auto second = SubscribeToEvents(rig, From(Start::StartFromFirst));
    const grpc::Status refused = second->reader->Finish();
    CHECK(refused.error_code() == grpc::StatusCode::INTERNAL);
    CHECK_THAT(refused.error_message(), Catch::Contains("clientID already registered"));
    stream->context.TryCancel();
    CHECK_FALSE(stream->reader->Finish().ok());
  }
  Keep(rig, {"3"});
  // Its place is free again when the door has seen that it left.
  std::string next;
  const TimePoint until = Now() + std::chrono::seconds(30);
  while (next != "3" && Now() < until) {
    next = ReadOne(*SubscribeToEvents(rig, From(Start::StartFromFirst)));
    CHECK((next == "3" || next == "the stream ended" || next == "2"));
  }
  CHECK(next == "3");
}

TEST_CASE("on a stream every stored event has exactly one result, once it is kept") {
  DoorRig rig({}, true);
  grpc::ClientContext context;
  const auto stream = rig.stub().SendEventsStream(&context);
  std::multiset<std::string> sent, told;
  for (int i = 0; i < 500; ++i) {
    const kubemq::Event event = Stored("c", std::to_string(i));
    sent.insert(event.eventid());
    REQUIRE(stream->Write(event));
    if (i % 100 == 0) {
      kubemq::Event plain = event;
      plain.set_store(false);
      REQUIRE(stream->Write(plain));
    }
    if (i < 200) continue;  // the sender need not take its results at once
    kubemq::Result result;
    REQUIRE(stream->Read(&result));
    CHECK(result.sent());
    told.insert(result.eventid());
  }
  REQUIRE(stream->WritesDone());
  kubemq::Result result;
  while (stream->Read(&result)) told.insert(result.eventid());
  CHECK(stream->Finish().ok());
  CHECK(told == sent);
  const auto events = SubscribeToEvents(rig, From(Start::StartFromFirst));
  for (int i = 0; i < 500; ++i) REQUIRE(ReadOne(*events) == std::to_string(i));
}

TEST_CASE("subscriptions to stored events are refused in KubeMQ's words") {
  DoorRig rig({}, true);
  const auto refusal = [&](const kubemq::Subscribe& subscribe) {
    const grpc::Status status = SubscribeToEvents(rig, subscribe)->reader->Finish();
    CHECK(status.error_code() == grpc::StatusCode::INTERNAL);
    return status.error_message().substr(0, 9);
  };
  CHECK(refusal(From(Start::EventsStoreTypeUndefined)) == "Error 111");
  CHECK(refusal(From(Start::StartAtSequence, 0)) == "Error 112");
  CHECK(refusal(From(Start::StartAtTime, -1)) == "Error 113");
  CHECK(refusal(From(Start::StartAtTimeDelta, 0)) == "Error 114");
  kubemq::Subscribe wild = From(Start::StartNewOnly);
  wild.set_channel("c.*");
  CHECK(refusal(wild) == "Error 107");
  kubemq::Result result;
  kubemq::Event empty = Stored("c", "");
  CHECK(Send(rig, empty, result).error_message().substr(0, 9) == "Error 110");
}

TEST_CASE("channels of stored events are listed with what they hold, and deleted with all of it") {
  DoorRig rig({}, true);
  Manage(rig, "create-channel", "made");
  Keep(rig, {"1", "2"});
  const auto list = [&] { return nlohmann::json::parse(Manage(rig, "list-channels")); };
  REQUIRE(list().size() == 2);
  CHECK(list()[0]["name"] == "c");
  CHECK(list()[0]["type"] == "events_store");
  CHECK(list()[0]["incoming"]["messages"] == 2);
  CHECK(list()[1]["name"] == "made");
  Manage(rig, "delete-channel", "c");
  CHECK(list().size() == 1);
  Keep(rig, {"anew"});
  kubemq::EventReceive event;
  REQUIRE(SubscribeToEvents(rig, From(Start::StartFromFirst))->reader->Read(&event));
  CHECK(event.sequence() == 1);
}

}  // namespace
}  // namespace llm_router::test
