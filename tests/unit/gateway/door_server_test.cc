// The KubeMQ door as a server: Ping, what it does not do yet, its address.
#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/door_rig.h"

namespace llm_router::test {
namespace {

TEST_CASE("Ping tells host, version and times, and bears the mark unless told not to") {
  for (const bool announce : {true, false}) {
    KubemqServerOptions options;
    options.announce = announce;
    DoorRig rig(options);
    grpc::ClientContext context;
    kubemq::PingResult result;
    REQUIRE(rig.stub().Ping(&context, kubemq::Empty(), &result).ok());
    CHECK_FALSE(result.host().empty());
    CHECK(result.host().find('.') == std::string::npos);
    CHECK(result.version() == "v2.4.0");
    CHECK(result.serverstarttime() > 0);
    CHECK(result.serveruptimeseconds() >= 0);
    CHECK(context.GetServerInitialMetadata().count("llm-router") == (announce ? 1 : 0));
  }
}

TEST_CASE("queues, and stored events where none are kept, are refused as not implemented, with a way out") {
  DoorRig rig;
  const auto check = [](const grpc::Status& status) {
    CHECK(status.error_code() == grpc::StatusCode::UNIMPLEMENTED);
    CHECK_THAT(status.error_message(), Catch::Contains("queries or events"));
  };
  {
    grpc::ClientContext context;
    kubemq::SendQueueMessageResult result;
    check(rig.stub().SendQueueMessage(&context, kubemq::QueueMessage(), &result));
  }
  {
    grpc::ClientContext context;
    kubemq::QueuesInfoResponse result;
    check(rig.stub().QueuesInfo(&context, kubemq::QueuesInfoRequest(), &result));
  }
  {
    grpc::ClientContext context;
    check(rig.stub().QueuesDownstream(&context)->Finish());
  }
  {
    grpc::ClientContext context;
    check(rig.stub().QueuesUpstream(&context)->Finish());
  }
  {
    kubemq::Event event;
    event.set_clientid("sender");
    event.set_channel("e");
    event.set_body("x");
    event.set_store(true);
    kubemq::Result result;
    check(Send(rig, event, result));
  }
  kubemq::Subscribe subscribe = Subscribe(kubemq::Subscribe::EventsStore, "e");
  subscribe.set_eventsstoretypedata(kubemq::Subscribe::StartNewOnly);
  check(SubscribeToEvents(rig, subscribe)->reader->Finish());
}

TEST_CASE("a refused subscription ends with INTERNAL and the text") {
  DoorRig rig;
  const auto requests = SubscribeToRequests(rig, Subscribe(kubemq::Subscribe::Events, "q"));
  const grpc::Status status = requests->reader->Finish();
  CHECK(status.error_code() == grpc::StatusCode::INTERNAL);
  CHECK(status.error_message() == "Error 207: invalid subscribe type");
}

TEST_CASE("a taken address is refused with a sentence that names the setting") {
  DoorRig rig;
  rig.loop().RunTask([&]() -> Awaitable<void> {
    KubemqDoorOptions options;
    options.port = std::stoi(rig.address().substr(rig.address().find(':') + 1));
    const auto second = KubemqDoor::Start(rig.server(), options);
    CHECK_FALSE(second.ok());
    CHECK_THAT(std::string(MessageOf(second.status())), Catch::Contains("listen.grpc"));
    co_return;
  });
}

}  // namespace
}  // namespace llm_router::test
