// Queue calls with one answer at the KubeMQ gRPC door, and QueuesUpstream.
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "broker_adapters/base/clock.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/queue_calls.h"

namespace llm_router::test {
namespace {

using Bodies = std::vector<std::string>;

TEST_CASE("a message put into a queue comes out of it as it was") {
  DoorRig rig;
  kubemq::QueueMessage message = QueueMessageTo("orders");
  message.set_metadata("meta");
  (*message.mutable_tags())["colour"] = "green";
  message.mutable_policy()->set_expirationseconds(60);
  const int64_t before = UnixNanos();
  const auto result = Send(rig, message);
  CHECK_FALSE(result.iserror());
  CHECK(result.messageid().size() == 22);
  CHECK(result.sentat() >= before);
  CHECK(result.expirationat() == result.sentat() + 60'000'000'000);
  CHECK(result.delayedto() == 0);

  const auto received = Receive(rig, ReceiveFrom("orders"));
  CHECK(received.requestid() == "receive");
  CHECK(received.messagesreceived() == 1);
  REQUIRE(received.messages_size() == 1);
  const kubemq::QueueMessage& got = received.messages(0);
  CHECK(got.messageid() == result.messageid());
  CHECK(got.clientid() == "sender");
  CHECK(got.channel() == "orders");
  CHECK(got.metadata() == "meta");
  CHECK(got.body() == "hello");
  CHECK(got.tags().size() == 1);
  CHECK(got.tags().at("colour") == "green");
  CHECK(got.attributes().timestamp() == result.sentat());
  CHECK(got.attributes().sequence() == 1);
  CHECK(got.attributes().receivecount() == 1);
  CHECK(got.attributes().md5ofbody() == "5d41402abc4b2a76b9719d911017c592");
  CHECK(got.attributes().expirationat() == result.expirationat());
  CHECK(got.policy().expirationseconds() == 60);
  CHECK(got.policy().maxreceivecount() == 1024);
  CHECK(Receive(rig, ReceiveFrom("orders")).messages_size() == 0);
}

TEST_CASE("a faulty queue message is refused in its result, in KubeMQ's words and order") {
  DoorRig rig;
  kubemq::QueueMessage message;
  const auto refused = [&](const std::string& start) {
    const auto result = Send(rig, message);
    CHECK(result.iserror());
    CHECK_THAT(result.error(), Catch::StartsWith(start));
    CHECK(result.sentat() == 0);
  };
  refused("Error 101");
  message.set_clientid("c");
  for (const char* bad : {"", "a.", "a b", "a\tb", "a.*", ">"}) {
    message.set_channel(bad);
    refused(
        "Error 120: invalid queue name value, cannot be empty, contains wildcards ,white spaces and end with "
        "dot");
  }
  message.set_channel("orders");
  refused("Error 110");
  message.set_body("x");
  for (const int seconds : {-1, 43'201}) {
    message.mutable_policy()->set_expirationseconds(seconds);
    message.mutable_policy()->set_delayseconds(seconds);
    refused("Error 133");
    message.mutable_policy()->set_expirationseconds(43'200);
    refused("Error 135");
    message.mutable_policy()->set_delayseconds(0);
  }
  message.mutable_policy()->set_maxreceivecount(1'025);
  refused("Error 134");
  message.mutable_policy()->set_maxreceivecount(1'024);
  message.mutable_policy()->set_maxreceivequeue("d.");
  refused("Error 120");
  message.mutable_policy()->set_maxreceivequeue("dead");
  CHECK_FALSE(Send(rig, message).iserror());
  message.set_channel("a..b");
  CHECK(Send(rig, message).iserror());
}

TEST_CASE("a body over the limit is refused in its result") {
  KubemqServerOptions options;
  options.max_body = 10;
  DoorRig rig(options);
  const auto result = Send(rig, QueueMessageTo("orders", "more than ten"));
  CHECK(result.iserror());
  CHECK_THAT(result.error(), Catch::Contains("limits.body"));
}

TEST_CASE("a batch has a result for each message, in its order, whatever their queues") {
  DoorRig rig;
  kubemq::QueueMessagesBatchRequest batch;
  batch.set_batchid("b1");
  *batch.add_messages() = QueueMessageTo("one", "1");
  *batch.add_messages() = QueueMessageTo("two", "2");
  *batch.add_messages() = QueueMessageTo("", "nowhere");
  *batch.add_messages() = QueueMessageTo("one", "3");
  grpc::ClientContext context;
  kubemq::QueueMessagesBatchResponse response;
  REQUIRE(rig.stub().SendQueueMessagesBatch(&context, batch, &response).ok());
  CHECK(response.batchid() == "b1");
  CHECK(response.haveerrors());
  REQUIRE(response.results_size() == 4);
  CHECK(response.results(2).iserror());
  CHECK_FALSE(response.results(3).iserror());
  CHECK(BodiesOf(Receive(rig, ReceiveFrom("one", 2)).messages()) == Bodies{"1", "3"});
  CHECK(BodiesOf(Receive(rig, ReceiveFrom("two")).messages()) == Bodies{"2"});
}

TEST_CASE("an empty batch is UNKNOWN") {
  DoorRig rig;
  grpc::ClientContext context;
  kubemq::QueueMessagesBatchResponse response;
  const auto status = rig.stub().SendQueueMessagesBatch(&context, {}, &response);
  CHECK(status.error_code() == grpc::StatusCode::UNKNOWN);
  CHECK(status.error_message() == "empty messages batch");
}

TEST_CASE("a faulty receive is refused in its answer") {
  DoorRig rig;
  const auto error = [&](const kubemq::ReceiveQueueMessagesRequest& request) {
    const auto response = Receive(rig, request);
    CHECK(response.iserror());
    return response.error();
  };
  auto nobody = ReceiveFrom("orders");
  nobody.clear_clientid();
  CHECK_THAT(error(nobody), Catch::StartsWith("Error 101"));
  CHECK_THAT(error(ReceiveFrom("a.*")), Catch::StartsWith("Error 120"));
  const std::string too_many =
      "Error 122: max messages should be between 1 and max message setting in kubemq config  ";
  CHECK(error(ReceiveFrom("orders", 0)) == too_many);
  CHECK(error(ReceiveFrom("orders", 1'025)) == too_many);
  CHECK_THAT(error(ReceiveFrom("orders", 1, -1)), Catch::StartsWith("Error 136"));
  CHECK_THAT(error(ReceiveFrom("orders", 1, 3'601)), Catch::StartsWith("Error 136"));
}

TEST_CASE("a receive that asks for more than there is waits its time and brings what there is") {
  DoorRig rig;
  Send(rig, QueueMessageTo("orders", "1"));
  Send(rig, QueueMessageTo("orders", "2"));
  const TimePoint begin = Now();
  CHECK(BodiesOf(Receive(rig, ReceiveFrom("orders", 10)).messages()) == Bodies{"1", "2"});
  CHECK(Now() - begin >= std::chrono::seconds(1));
}

TEST_CASE("an answer stays below what SDKs take; the rest comes next, in its order") {
  DoorRig rig;
  const std::string large(1'500'000, 'x');
  for (const char* end : {"1", "2", "3"}) Send(rig, QueueMessageTo("orders", large + end));
  const auto first = Receive(rig, ReceiveFrom("orders", 3));
  CHECK(first.messages_size() == 2);
  CHECK(first.ByteSizeLong() < 4 * 1024 * 1024);
  const auto second = Receive(rig, ReceiveFrom("orders"));
  REQUIRE(second.messages_size() == 1);
  CHECK(second.messages(0).body().back() == '3');
  CHECK(second.messages(0).attributes().receivecount() == 1);
}

TEST_CASE("a peek shows what is there and takes nothing") {
  DoorRig rig;
  Send(rig, QueueMessageTo("orders", "1"));
  Send(rig, QueueMessageTo("orders", "2"));
  auto peek = ReceiveFrom("orders", 10);
  peek.set_ispeak(true);
  for (int i = 0; i < 2; ++i) {
    const auto seen = Receive(rig, peek);
    CHECK(seen.ispeak());
    CHECK(BodiesOf(seen.messages()) == Bodies{"1", "2"});
    CHECK(seen.messages(0).attributes().receivecount() == 1);
  }
  CHECK(BodiesOf(Receive(rig, ReceiveFrom("orders", 2)).messages()) == Bodies{"1", "2"});
}

TEST_CASE("a receive does not wait for another's peek") {
  DoorRig rig;
  grpc::ClientContext context;
  auto peek = ReceiveFrom("orders", 10, 3'600);
  peek.set_ispeak(true);
  kubemq::ReceiveQueueMessagesResponse seen;
  std::thread peeking([&] { (void)rig.stub().ReceiveQueueMessages(&context, peek, &seen); });
  auto received = ReceiveFrom("other");
  CHECK(Receive(rig, received).messages_size() == 0);
  Send(rig, QueueMessageTo("orders"));
  CHECK(Receive(rig, ReceiveFrom("orders")).messages_size() == 1);
  context.TryCancel();
  peeking.join();
}

TEST_CASE("all of a queue is acknowledged at once, and counted") {
  DoorRig rig;
  for (int i = 0; i < 3; ++i) Send(rig, QueueMessageTo("orders"));
  const auto purged = AckAll(rig, "orders");
  CHECK(purged.requestid() == "purge");
  CHECK_FALSE(purged.iserror());
  CHECK(purged.affectedmessages() == 3);
  CHECK(AckAll(rig, "orders").affectedmessages() == 0);
  CHECK(AckAll(rig, "a.*").iserror());
}

TEST_CASE("the state of queues, of all and of those named") {
  DoorRig rig;
  for (const char* queue : {"USERS", "orders", "orders", "other"}) Send(rig, QueueMessageTo(queue, "12345"));
  (void)Receive(rig, ReceiveFrom("orders"));
  const auto all = QueuesInfo(rig);
  CHECK(all.refrequestid() == "info");
  CHECK(all.info().totalqueue() == 3);
  CHECK(all.info().sent() == 4);
  const auto some = QueuesInfo(rig, "orders;USERS;nothing");
  REQUIRE(some.info().queues_size() == 2);
  CHECK(some.info().queues(0).name() == "USERS");
  CHECK(some.info().queues(1).name() == "orders");
  CHECK(some.info().queues(1).sent() == 2);
  CHECK(some.info().queues(1).lastsequence() == 2);
  CHECK(some.info().queues(1).bytes() > 0);
}

TEST_CASE("a unary receive whose caller gives up before its wait is over loses nothing") {
  DoorRig rig;
  for (int i = 0; i < 3; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + Milliseconds(50));
    kubemq::ReceiveQueueMessagesResponse response;
    CHECK(rig.stub().ReceiveQueueMessages(&context, ReceiveFrom("orders", 10, 60), &response).error_code() ==
          grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  Send(rig, QueueMessageTo("orders"));
  const auto received = Receive(rig, ReceiveFrom("orders"));
  REQUIRE(received.messages_size() == 1);
  CHECK(received.messages(0).attributes().receivecount() == 1);

  // The same with one message there already, and more asked for.
  Send(rig, QueueMessageTo("orders"));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + Milliseconds(50));
  kubemq::ReceiveQueueMessagesResponse response;
  CHECK_FALSE(rig.stub().ReceiveQueueMessages(&context, ReceiveFrom("orders", 10, 60), &response).ok());
  CHECK(Receive(rig, ReceiveFrom("orders")).messages_size() == 1);
}

TEST_CASE("a message received by a unary call is acknowledged: it waits no more") {
  DoorRig rig;
  Send(rig, QueueMessageTo("orders"));
  CHECK(Receive(rig, ReceiveFrom("orders")).messages_size() == 1);
  // Acknowledged after the answer was handed over, so soon, but not at once.
  while (QueuesInfo(rig, "orders").info().waiting() > 0) std::this_thread::yield();
  CHECK(QueuesInfo(rig, "orders").info().delivered() == 1);
}

TEST_CASE("upstream requests are answered each, in their order, and the stream ends OK on half-close") {
  DoorRig rig;
  grpc::ClientContext context;
  const auto stream = rig.stub().QueuesUpstream(&context);
  for (int i = 0; i < 100; ++i) {
    kubemq::QueuesUpstreamRequest request;
    request.set_requestid(std::to_string(i));
    *request.add_messages() = QueueMessageTo("orders", std::to_string(i));
    if (i == 50) *request.add_messages() = QueueMessageTo("a.*");
    REQUIRE(stream->Write(request));
  }
  REQUIRE(stream->Write(kubemq::QueuesUpstreamRequest()));
  stream->WritesDone();
  kubemq::QueuesUpstreamResponse response;
  std::set<std::string> answered;
  while (stream->Read(&response)) {
    if (response.iserror()) {
      CHECK(response.error() == "no messages to send");
      continue;
    }
    answered.insert(response.refrequestid());
    REQUIRE(response.results_size() == (response.refrequestid() == "50" ? 2 : 1));
    CHECK_FALSE(response.results(0).iserror());
    if (response.results_size() == 2) CHECK_THAT(response.results(1).error(), Catch::StartsWith("Error 120"));
  }
  CHECK(stream->Finish().ok());
  CHECK(answered.size() == 100);
  const auto received = Receive(rig, ReceiveFrom("orders", 100));
  REQUIRE(received.messages_size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(received.messages(i).body() == std::to_string(i));
}

TEST_CASE("queues are listed with what they hold, and lose it when they are deleted") {
  DoorRig rig;
  const auto manage = [&](const std::string& verb, const std::string& channel) {
    kubemq::Request request = QueryOn("kubemq.cluster.internal.requests", "");
    request.set_metadata(verb);
    (*request.mutable_tags())["channel_type"] = "queues";
    (*request.mutable_tags())["channel"] = channel;
    kubemq::Response response;
    REQUIRE(Send(rig, request, response).ok());
    CHECK(response.executed());
    return nlohmann::json::parse(response.body(), nullptr, false);
  };
  manage("create-channel", "empty");
  Send(rig, QueueMessageTo("orders", "12345"));
  auto delayed = QueueMessageTo("orders");
  delayed.mutable_policy()->set_delayseconds(600);
  Send(rig, delayed);
  const auto list = manage("list-channels", "");
  REQUIRE(list.size() == 2);
  CHECK(list[0]["name"] == "empty");
  CHECK(list[1]["name"] == "orders");
  CHECK(list[1]["incoming"]["messages"] == 2);
  CHECK(list[1]["outgoing"]["waiting"] == 1);
  CHECK(list[1]["outgoing"]["delayed"] == 1);
  manage("delete-channel", "orders");
  CHECK(manage("list-channels", "").size() == 1);
  CHECK(AckAll(rig, "orders").affectedmessages() == 0);
}

TEST_CASE("over a broker that keeps no queues every queue call says so in its answer") {
  DoorRig rig({}, DoorRig::Keeps::kNothing);
  CHECK(Send(rig, QueueMessageTo("orders")).iserror());
  CHECK(Receive(rig, ReceiveFrom("orders")).iserror());
  auto peek = ReceiveFrom("orders");
  peek.set_ispeak(true);
  CHECK_THAT(Receive(rig, peek).error(), Catch::Contains("peek"));
  CHECK_THAT(AckAll(rig, "orders").error(), Catch::Contains("purge"));
  grpc::ClientContext context;
  kubemq::QueuesInfoResponse info;
  const auto status = rig.stub().QueuesInfo(&context, {}, &info);
  CHECK_THAT(status.error_message(), Catch::Contains("list queues"));
}

}  // namespace
}  // namespace llm_router::test
