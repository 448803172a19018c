#include "broker_adapters/kubemq/queue_client_convert.h"

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/queue_convert.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

Outgoing Full() {
  Outgoing outgoing;
  outgoing.message.id = "id";
  outgoing.message.body = std::string("\0\xff", 2);
  outgoing.message.metadata = "metadata";
  outgoing.message.client_id = "client";
  outgoing.message.tags = {{"a", "1"}, {"b", ""}};
  outgoing.delay = std::chrono::milliseconds(1'001);
  outgoing.expiry = std::chrono::seconds(5);
  outgoing.max_deliveries = 3;
  outgoing.dead_letter = "dead";
  return outgoing;
}

// As a server gives it out for the `count`th time.
kubemq::QueueMessage Received(int count) {
  kubemq::QueueMessage message = QueueMessageOf(Full(), "q", "us");
  message.mutable_attributes()->set_receivecount(count);
  message.mutable_attributes()->set_sequence(7);
  message.mutable_attributes()->set_timestamp(kSecond);
  return message;
}

TEST_CASE("a queue message survives the way to the wire and back, its times in whole seconds, rounded up") {
  const Outgoing back = OutgoingFromWire(QueueMessageOf(Full(), "q", "us"));
  CHECK(back.message.id == "id");
  CHECK(back.message.channel == "q");
  CHECK(back.message.body == Full().message.body);
  CHECK(back.message.metadata == "metadata");
  CHECK(back.message.client_id == "client");
  CHECK(back.message.tags == Full().message.tags);
  CHECK(back.delay == std::chrono::seconds(2));
  CHECK(back.expiry == std::chrono::seconds(5));
  CHECK(back.max_deliveries == 3);
  CHECK(back.dead_letter == "dead");
}

TEST_CASE("a queue message without an id gets one, and without a client ours") {
  const kubemq::QueueMessage wire = QueueMessageOf(Outgoing(), "q", "us");
  CHECK_FALSE(wire.messageid().empty());
  CHECK(wire.clientid() == "us");
}

TEST_CASE("a copy that comes later goes on counting, within its limit") {
  const auto copy = LaterCopy(Received(1), std::chrono::milliseconds(1'500), 0);
  REQUIRE(copy);
  CHECK(copy->policy().delayseconds() == 2);
  CHECK(copy->policy().maxreceivecount() == 2);
  CHECK(copy->messageid() == "id");
  CHECK_FALSE(copy->has_attributes());
  kubemq::QueueMessage again = *copy;
  again.mutable_attributes()->set_receivecount(1);
  const Delivery second = DeliveryOf(again);
  CHECK(second.deliveries == 2);
  CHECK(second.attributes.max_deliveries == 3);
  CHECK(second.message.tags == Full().message.tags);
  const auto third = LaterCopy(again, std::chrono::seconds(1), 0);
  REQUIRE(third);
  kubemq::QueueMessage last = *third;
  last.mutable_attributes()->set_receivecount(1);
  CHECK(DeliveryOf(last).deliveries == 3);
  CHECK(IsLastDelivery(last));
  CHECK_FALSE(LaterCopy(last, std::chrono::seconds(1), 0));
}

TEST_CASE("a message without a limit may be put off for ever; one that would expire meanwhile is not") {
  kubemq::QueueMessage message = Received(1'000);
  message.mutable_policy()->set_maxreceivecount(1'024);  // what a server fills in
  const auto copy = LaterCopy(message, std::chrono::seconds(1), 0);
  REQUIRE(copy);
  CHECK(copy->policy().maxreceivecount() == 0);
  CHECK(DeliveryOf(*copy).attributes.max_deliveries == 0);
  message.mutable_attributes()->set_expirationat(10 * kSecond);
  CHECK(LaterCopy(message, std::chrono::seconds(2), kSecond)->policy().expirationseconds() == 7);
  CHECK_FALSE(LaterCopy(message, std::chrono::seconds(9), kSecond));
}

TEST_CASE("a message from a dead-letter queue counts from one, whatever it went through") {
  auto copy = LaterCopy(Received(2), std::chrono::seconds(1), 0);
  REQUIRE(copy);
  copy->mutable_attributes()->set_receivecount(1);
  copy->mutable_attributes()->set_rerouted(true);
  copy->mutable_attributes()->set_reroutedfromqueue("q");
  const Delivery dead = DeliveryOf(*copy);
  CHECK(dead.deliveries == 1);
  CHECK(dead.attributes.rerouted_from == "q");
  CHECK(dead.message.tags == Full().message.tags);
}

TEST_CASE("what a server says of a queue call becomes a fault, by its name or by its text") {
  struct Row {
    const char* text;
    const char* fault;
    Fault expected;
  };
  const Row rows[] = {
      {"anything", "storage_failed", Fault::kStorageFailed},
      {"the message broker is shutting down", "shutting_down", Fault::kEngineUnavailable},
      {"grpc server is not ready to accept requests", "", Fault::kEngineUnavailable},
      {"Error 120: invalid queue name value", "", Fault::kInvalidRequest},
      {"Error 130: error during send message to queue", "", Fault::kStorageFailed},
      {"Error 412: access denied to resource", "", Fault::kPermissionDenied},
      {"stan: invalid publish request", "", Fault::kInvalidRequest},
      {"transaction is completed or transaction id not found", "", Fault::kInvalidRequest},
      {"something else", "no such fault", Fault::kInternal},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const absl::Status status = QueueFailure(row.text, row.fault);
    CHECK(FaultOf(status) == row.expected);
    CHECK_THAT(std::string(MessageOf(status)), Catch::Contains(row.text));
  }
}

TEST_CASE("a refused message's fault comes over the wire by its name") {
  SendResult refused;
  refused.id = "id";
  refused.status = MakeFault(Fault::kStorageFailed, "the disk is full: make room");
  const SendResult back = SendResultOf(SendResultToWire(refused));
  CHECK(back.id == "id");
  CHECK(FaultOf(back.status) == Fault::kStorageFailed);
}

}  // namespace
}  // namespace llm_router
