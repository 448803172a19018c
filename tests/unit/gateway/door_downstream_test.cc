// QueuesDownstream at the KubeMQ gRPC door: Gets, their settlement, and what ends with the stream.
#include <thread>

#include "broker_adapters/base/clock.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/queue_calls.h"

namespace llm_router::test {
namespace {

using Bodies = std::vector<std::string>;
using kubemq::AckAll;
using kubemq::AckRange;
using kubemq::ActiveOffsets;
using kubemq::CloseByClient;
using kubemq::NAckAll;
using kubemq::NAckRange;
using kubemq::ReQueueAll;
using kubemq::ReQueueRange;

void Fill(DoorRig& rig, const std::string& queue, const Bodies& bodies) {
  for (const std::string& body : bodies) REQUIRE_FALSE(Send(rig, QueueMessageTo(queue, body)).iserror());
}

// What is in the queue, as a peek shows it.
Bodies Left(DoorRig& rig, const std::string& queue, int wait_seconds = 1) {
  auto peek = ReceiveFrom(queue, 100, wait_seconds);
  peek.set_ispeak(true);
  return BodiesOf(Receive(rig, peek).messages());
}

TEST_CASE("a Get opens a transaction, whose settlement is silent") {
  DoorRig rig;
  Fill(rig, "orders", {"1", "2", "3"});
  Downstream stream(rig);
  const auto got = stream.Ask(GetFrom("orders", 3));
  CHECK(got.refrequestid() == "get");
  CHECK(got.requesttypedata() == kubemq::Get);
  CHECK_FALSE(got.iserror());
  CHECK_FALSE(got.transactioncomplete());
  CHECK(got.activeoffsets().empty());
  CHECK(got.transactionid().size() == 36);
  CHECK(got.transactionid()[14] == '4');
  CHECK(BodiesOf(got.messages()) == Bodies{"1", "2", "3"});
  stream.Write(Settling(AckRange, got.transactionid(), {2}));
  const auto offsets = stream.Ask(Settling(ActiveOffsets, got.transactionid()));
  CHECK(std::vector<int64_t>(offsets.activeoffsets().begin(), offsets.activeoffsets().end()) ==
        std::vector<int64_t>{1, 3});
  stream.Write(Settling(AckAll, got.transactionid()));
  CHECK(stream.HalfClose().ok());  // nothing else came
  CHECK(QueuesInfo(rig, "orders").info().waiting() == 0);
}

TEST_CASE("an empty queue is answered without messages after the least wait, and nothing is open") {
  DoorRig rig;
  Downstream stream(rig);
  auto get = GetFrom("orders");
  get.set_waittimeout(5);
  const TimePoint begin = Now();
  const auto got = stream.Ask(get);
  CHECK(Now() - begin >= std::chrono::seconds(1));
  CHECK_FALSE(got.iserror());
  CHECK(got.messages().empty());
  CHECK(got.transactionid().size() == 36);
  CHECK(stream.Ask(Settling(AckAll, got.transactionid())).error() ==
        "transaction is completed or transaction id not found");
}

TEST_CASE("faults of downstream requests are answered in KubeMQ's words") {
  DoorRig rig;
  Fill(rig, "orders", {"1", "2"});
  Downstream stream(rig);
  auto nobody = GetFrom("orders");
  nobody.clear_clientid();
  const auto refused = stream.Ask(nobody);
  CHECK(refused.iserror());
  CHECK(refused.requesttypedata() == kubemq::Get);
  CHECK_THAT(refused.error(), Catch::StartsWith("Error 101"));
  CHECK_THAT(stream.Ask(GetFrom("a.*")).error(), Catch::StartsWith("Error 120"));

  const std::string id = stream.Ask(GetFrom("orders", 2)).transactionid();
  const auto error = [&](const kubemq::QueuesDownstreamRequest& request) {
    const auto response = stream.Ask(request);
    CHECK(response.iserror());
    CHECK(response.refrequestid() == "settle");
    return response.error();
  };
  CHECK(error(Settling(AckRange, id)) == "cannot ack empty list of of offsets");
  CHECK(error(Settling(NAckRange, id)) == "cannot nack empty list of of offsets");
  CHECK(error(Settling(ReQueueRange, id)) == "cannot requeue empty list of of offsets");
  CHECK(error(Settling(ReQueueAll, id)) == "cannot requeue messages with empty channel destination ");
  CHECK(error(Settling(NAckRange, id, {9})) == "invalid nack sequence id 9");
  CHECK(error(Settling(AckRange, id, {1, 7, 2})) == "invalid ack sequence id 7");
  CHECK(stream.Ask(Settling(ActiveOffsets, id)).activeoffsets_size() == 1);  // 1 is acknowledged, 2 is not
  const auto unknown = stream.Ask(Settling(kubemq::TransactionStatus, id));
  CHECK(unknown.error() == "request unknown");
  CHECK(unknown.requesttypedata() == kubemq::PollRequestTypeUnknown);
  CHECK(error(Settling(AckAll, "no such id")) == "transaction is completed or transaction id not found");
  auto delayed = Settling(NAckAll, id);
  (*delayed.mutable_metadata())["nack-delay-ms"] = "soon";
  CHECK_THAT(error(delayed), Catch::StartsWith("nack-delay-ms takes"));
  stream.Write(Settling(CloseByClient, ""));  // silence
  stream.Write(Settling(AckAll, id));
  CHECK(stream.HalfClose().ok());
}

TEST_CASE("a nacked message comes again on the same stream, counted, until it is a dead letter") {
  DoorRig rig;
  kubemq::QueueMessage message = QueueMessageTo("orders", "bad");
  message.mutable_policy()->set_maxreceivecount(3);
  message.mutable_policy()->set_maxreceivequeue("dead");
  const std::string id = Send(rig, message).messageid();
  Downstream stream(rig);
  for (int delivery = 1; delivery <= 3; ++delivery) {
    const auto got = stream.Ask(GetFrom("orders"));
    REQUIRE(got.messages_size() == 1);
    CHECK(got.messages(0).attributes().receivecount() == delivery);
    stream.Write(Settling(NAckAll, got.transactionid()));
  }
  const auto dead = stream.Ask(GetFrom("dead"));
  REQUIRE(dead.messages_size() == 1);
  CHECK(dead.messages(0).messageid() == id);
  CHECK(dead.messages(0).body() == "bad");
  CHECK(dead.messages(0).channel() == "dead");
  CHECK(dead.messages(0).attributes().rerouted());
  CHECK(dead.messages(0).attributes().reroutedfromqueue() == "orders");
  CHECK(dead.messages(0).attributes().receivecount() == 1);
  CHECK(dead.messages(0).policy().ByteSizeLong() == 0);
  CHECK(Left(rig, "orders").empty());
}

TEST_CASE("a nacked message is at the tail; a released one, and one of a closed transaction, at its place") {
  DoorRig rig;
  Fill(rig, "orders", {"1", "2", "3"});
  Downstream stream(rig);
  auto got = stream.Ask(GetFrom("orders"));
  (void)stream.Ask(Confirmed(Settling(NAckAll, got.transactionid())));
  CHECK(Left(rig, "orders") == Bodies{"2", "3", "1"});

  got = stream.Ask(GetFrom("orders", 2));
  auto release = Confirmed(Settling(NAckRange, got.transactionid(), {2}));
  (*release.mutable_metadata())["release"] = "yes";
  (void)stream.Ask(release);
  CHECK(Left(rig, "orders") == Bodies{"2", "1"});
  (void)stream.Ask(Confirmed(Settling(CloseByClient, got.transactionid())));
  CHECK(Left(rig, "orders") == Bodies{"2", "3", "1"});
  got = stream.Ask(GetFrom("orders"));
  CHECK(got.messages(0).attributes().receivecount() == 1);
  CHECK(got.messages(0).attributes().sequence() == 2);
}

TEST_CASE("a nack's delay is honoured") {
  DoorRig rig;
  Fill(rig, "orders", {"1"});
  Downstream stream(rig);
  const auto got = stream.Ask(GetFrom("orders"));
  auto nack = Confirmed(Settling(NAckAll, got.transactionid()));
  (*nack.mutable_metadata())["nack-delay-ms"] = "300";
  const TimePoint begin = Now();
  const auto done = stream.Ask(nack);
  CHECK_FALSE(done.iserror());
  CHECK(done.requesttypedata() == NAckAll);
  CHECK(done.transactionid() == got.transactionid());
  const auto again = stream.Ask(GetFirstFrom("orders"));
  REQUIRE(again.messages_size() == 1);
  CHECK(Now() - begin >= Milliseconds(300));
  CHECK(again.messages(0).attributes().receivecount() == 2);
}

TEST_CASE("a Get that asks so is answered by the first message, others by all or the time") {
  DoorRig rig;
  Downstream stream(rig);
  auto first = GetFirstFrom("orders", 10, 600'000);
  first.set_requestid("first");
  stream.Write(first);
  auto full = GetFrom("others", 2);
  full.set_requestid("full");
  full.set_waittimeout(600'000);
  stream.Write(full);
  Fill(rig, "orders", {"1"});
  const auto got = stream.Read();  // both wait, neither in the way of the other
  CHECK(got.refrequestid() == "first");
  CHECK(got.messages_size() == 1);
  Fill(rig, "others", {"a", "b"});
  const auto filled = stream.Read();
  CHECK(filled.refrequestid() == "full");
  CHECK(BodiesOf(filled.messages()) == Bodies{"a", "b"});
  const auto none = stream.Ask(GetFirstFrom("orders", 1, 0));  // no least wait
  CHECK(none.messages().empty());
}

TEST_CASE("messages put into another queue keep their id, and their policy begins anew") {
  DoorRig rig;
  kubemq::QueueMessage message = QueueMessageTo("orders", "1");
  message.mutable_policy()->set_expirationseconds(60);
  message.mutable_policy()->set_maxreceivecount(5);
  const std::string id = Send(rig, message).messageid();
  Fill(rig, "orders", {"2"});
  Downstream stream(rig);
  const auto got = stream.Ask(GetFrom("orders", 2));
  auto requeue = Confirmed(Settling(ReQueueRange, got.transactionid(), {1}));
  requeue.set_requeuechannel("later");
  CHECK_FALSE(stream.Ask(requeue).iserror());
  const auto moved = stream.Ask(GetFrom("later"));
  REQUIRE(moved.messages_size() == 1);
  CHECK(moved.messages(0).messageid() == id);
  CHECK(moved.messages(0).attributes().receivecount() == 1);
  CHECK_FALSE(moved.messages(0).attributes().rerouted());
  CHECK(moved.messages(0).policy().expirationseconds() == 60);
  CHECK(moved.messages(0).policy().maxreceivecount() == 5);
  requeue = Settling(ReQueueAll, got.transactionid());
  requeue.set_requeuechannel("a..b");  // which the broker refuses
  const auto failed = stream.Ask(requeue);
  CHECK_THAT(failed.error(), Catch::StartsWith("re-queue message with seq 2 failed, "));
  CHECK(stream.Ask(Settling(ActiveOffsets, got.transactionid())).activeoffsets_size() == 1);
}

TEST_CASE("what a stream has not settled is back when it ends, cancelled or closed, and not counted") {
  DoorRig rig;
  Fill(rig, "orders", {"1", "2"});
  for (const bool cancel : {true, false}) {
    Downstream stream(rig);
    const auto got = stream.Ask(GetFrom("orders", 2));
    REQUIRE(got.messages_size() == 2);
    CHECK(got.messages(0).attributes().sequence() == 1);
    CHECK(got.messages(0).attributes().receivecount() == 1);
    if (cancel) {
      stream.Cancel();
    } else {
      CHECK(stream.HalfClose().ok());
    }
  }
  // Though another consumer is open all the while.
  Downstream other(rig);
  Downstream stream(rig);
  {
    Downstream going(rig);
    CHECK(going.Ask(GetFrom("orders", 2)).messages_size() == 2);
    other.Write(GetFirstFrom("orders", 2));
    going.Cancel();
  }
  const auto got = other.Read();
  CHECK(BodiesOf(got.messages()).front() == "1");
  CHECK(got.messages(0).attributes().receivecount() == 1);
}

TEST_CASE("an open transaction that got less than it asked for captures nothing that comes later") {
  DoorRig rig;
  Fill(rig, "orders", {"1"});
  Downstream stream(rig);
  const auto got = stream.Ask(GetFrom("orders", 10));
  CHECK(got.messages_size() == 1);
  Fill(rig, "orders", {"2"});
  CHECK(BodiesOf(Receive(rig, ReceiveFrom("orders")).messages()) == Bodies{"2"});
  (void)stream.Ask(Confirmed(Settling(NAckAll, got.transactionid())));
  CHECK(BodiesOf(Receive(rig, ReceiveFrom("orders")).messages()) == Bodies{"1"});
}

TEST_CASE("an AutoAck Get has acknowledged what it brought") {
  DoorRig rig;
  Fill(rig, "orders", {"1", "2"});
  Downstream stream(rig);
  const auto got = stream.Ask(GetFrom("orders", 2, /*auto_ack=*/true));
  CHECK(BodiesOf(got.messages()) == Bodies{"1", "2"});
  CHECK(stream.Ask(Settling(AckAll, got.transactionid())).iserror());
  CHECK(stream.HalfClose().ok());
  while (QueuesInfo(rig, "orders").info().waiting() > 0) std::this_thread::yield();
}

TEST_CASE("the AutoAck Get of a client that vanished takes nothing") {
  DoorRig rig;
  for (int i = 0; i < 3; ++i) {
    Downstream gone(rig);
    auto get = GetFrom("orders", 10, /*auto_ack=*/true);
    get.set_waittimeout(600'000);
    gone.Write(get);
    (void)gone.Ask(Settling(kubemq::TransactionStatus, ""));  // so the Get was read
    if (i == 1) Fill(rig, "orders", {"1"});                   // it has taken one, and waits for more
    gone.Cancel();
  }
  const auto received = Receive(rig, ReceiveFrom("orders"));
  REQUIRE(received.messages_size() == 1);
  CHECK(received.messages(0).attributes().receivecount() == 1);
}

TEST_CASE("a client that closes its half while a Get waits hears OK at once") {
  DoorRig rig;
  Downstream stream(rig);
  auto get = GetFrom("orders");
  get.set_waittimeout(600'000);
  stream.Write(get);
  CHECK(stream.HalfClose().ok());
}

TEST_CASE("a stream has its bound of waiting Gets") {
  DoorRig rig;
  Downstream stream(rig);
  for (int i = 0; i < 100; ++i) stream.Write(GetFirstFrom("orders", 1, 600'000));
  CHECK_THAT(stream.Ask(GetFrom("orders")).error(), Catch::StartsWith("too many Gets"));
}

TEST_CASE("a delayed message comes when it is due, in the order of dues") {
  DoorRig rig;
  auto late = QueueMessageTo("orders", "late");
  late.mutable_policy()->set_delayseconds(2);
  auto soon = QueueMessageTo("orders", "soon");
  soon.mutable_policy()->set_delayseconds(1);
  const auto result = Send(rig, late);
  CHECK(result.delayedto() == result.sentat() + 2'000'000'000);
  Send(rig, soon);
  CHECK(QueuesInfo(rig, "orders").info().waiting() == 0);
  Downstream stream(rig);
  auto get = GetFrom("orders", 2);
  get.set_waittimeout(30'000);
  const auto got = stream.Ask(get);
  CHECK(BodiesOf(got.messages()) == Bodies{"soon", "late"});
  CHECK(got.messages(1).attributes().delayedto() == 0);
  CHECK(got.messages(1).policy().delayseconds() == 0);
  CHECK(UnixNanos() >= result.delayedto());
}

TEST_CASE("the streams of queues end UNAVAILABLE when the door stops") {
  DoorRig rig;
  grpc::ClientContext context;
  const auto stream = rig.stub().QueuesDownstream(&context);
  REQUIRE(stream->Write(GetFirstFrom("orders", 1, 600'000)));
  stream->WaitForInitialMetadata();
  rig.StopDoor(Milliseconds(0));
  CHECK(stream->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace llm_router::test
