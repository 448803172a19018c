// StreamQueueMessage at the KubeMQ gRPC door: one message, and what becomes of it.
#include "tests/support/catch.h"
#include "tests/unit/gateway/queue_calls.h"

namespace llm_router::test {
namespace {

class Visit {
 public:
  explicit Visit(DoorRig& rig) : stream_(rig.stub().StreamQueueMessage(&context_)) {}
  ~Visit() {
    if (over_) return;
    context_.TryCancel();
    (void)stream_->Finish();
  }

  kubemq::StreamQueueMessagesResponse Ask(kubemq::StreamQueueMessagesRequest request) {
    request.set_requestid("r");
    request.set_clientid("visitor");
    REQUIRE(stream_->Write(request));
    return Read();
  }
  kubemq::StreamQueueMessagesResponse Read() {
    kubemq::StreamQueueMessagesResponse response;
    REQUIRE(stream_->Read(&response));
    CHECK(response.requestid() == "r");
    return response;
  }
  // Whether the server has ended it, with OK and without another word.
  bool HasEnded() {
    over_ = true;
    kubemq::StreamQueueMessagesResponse response;
    return !stream_->Read(&response) && stream_->Finish().ok();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<
      grpc::ClientReaderWriter<kubemq::StreamQueueMessagesRequest, kubemq::StreamQueueMessagesResponse>>
      stream_;
  bool over_ = false;
};

kubemq::StreamQueueMessagesRequest Of(kubemq::StreamRequestType type, uint64_t sequence = 0) {
  kubemq::StreamQueueMessagesRequest request;
  request.set_streamrequesttypedata(type);
  request.set_refsequence(sequence);
  return request;
}

kubemq::StreamQueueMessagesRequest ReceiveOf(const std::string& queue, int visibility = 0) {
  auto request = Of(kubemq::ReceiveMessage);
  request.set_channel(queue);
  request.set_visibilityseconds(visibility);
  return request;
}

TEST_CASE("a visitor takes one message, acknowledges it, and the stream ends") {
  DoorRig rig;
  Send(rig, QueueMessageTo("orders", "1"));
  Visit visit(rig);
  const auto got = visit.Ask(ReceiveOf("orders"));
  CHECK_FALSE(got.iserror());
  CHECK(got.streamrequesttypedata() == kubemq::ReceiveMessage);
  CHECK(got.message().body() == "1");
  CHECK(got.message().attributes().receivecount() == 1);
  CHECK_THAT(visit.Ask(ReceiveOf("orders")).error(), Catch::StartsWith("Error 128"));
  CHECK_THAT(visit.Ask(Of(kubemq::AckMessage, 7)).error(), Catch::StartsWith("Error 125"));
  const auto acknowledged = visit.Ask(Of(kubemq::AckMessage, got.message().attributes().sequence()));
  CHECK_FALSE(acknowledged.iserror());
  CHECK(acknowledged.streamrequesttypedata() == kubemq::AckMessage);
  CHECK(visit.HasEnded());
  CHECK(QueuesInfo(rig, "orders").info().waiting() == 0);
}

TEST_CASE("a visitor's faults leave the stream open") {
  DoorRig rig;
  Visit visit(rig);
  const auto error = [&](const kubemq::StreamQueueMessagesRequest& request) {
    const auto response = visit.Ask(request);
    CHECK(response.iserror());
    return response.error().substr(0, 9);
  };
  CHECK(error(Of(kubemq::AckMessage)) == "Error 125");
  CHECK(error(Of(kubemq::RejectMessage)) == "Error 125");
  CHECK(error(Of(kubemq::AckMessage, 1)) == "Error 124");
  CHECK(error(Of(kubemq::RejectMessage, 1)) == "Error 137");
  CHECK(error(Of(kubemq::StreamRequestTypeUnknown)) == "Error 132");
  CHECK(error(Of(kubemq::ResendMessage)) == "Error 120");
  CHECK(error(Of(kubemq::SendModifiedMessage)) == "Error 131");
  CHECK(error(ReceiveOf("a.*")) == "Error 120");
  CHECK(error(ReceiveOf("orders", -1)) == "Error 127");
  auto long_wait = ReceiveOf("orders");
  long_wait.set_waittimeseconds(3'601);
  CHECK(error(long_wait) == "Error 136");
  auto resend = Of(kubemq::ResendMessage);
  resend.set_channel("later");
  CHECK(error(resend) == "Error 126");
  CHECK(error(ReceiveOf("orders")) == "Error 138");  // nothing came: that is the end
  CHECK(visit.HasEnded());
}

TEST_CASE("a rejected message comes again, counted") {
  DoorRig rig;
  Send(rig, QueueMessageTo("orders"));
  {
    Visit visit(rig);
    const auto got = visit.Ask(ReceiveOf("orders"));
    CHECK_FALSE(visit.Ask(Of(kubemq::RejectMessage, got.message().attributes().sequence())).iserror());
    CHECK(visit.HasEnded());
  }
  Visit visit(rig);
  const auto again = visit.Ask(ReceiveOf("orders"));
  CHECK(again.message().attributes().receivecount() == 2);
  CHECK(again.message().attributes().sequence() == 2);
}

TEST_CASE("a message is sent on, as it is or changed, in place of the one that was taken") {
  DoorRig rig;
  Send(rig, QueueMessageTo("orders", "1"));
  Send(rig, QueueMessageTo("orders", "2"));
  {
    Visit visit(rig);
    (void)visit.Ask(ReceiveOf("orders"));
    auto resend = Of(kubemq::ResendMessage);
    resend.set_channel("later");
    CHECK_FALSE(visit.Ask(resend).iserror());
    CHECK(visit.HasEnded());
  }
  {
    Visit visit(rig);
    (void)visit.Ask(ReceiveOf("orders"));
    auto change = Of(kubemq::SendModifiedMessage);
    *change.mutable_modifiedmessage() = QueueMessageTo("later", "changed");
    CHECK_FALSE(visit.Ask(change).iserror());
    CHECK(visit.HasEnded());
  }
  CHECK(BodiesOf(Receive(rig, ReceiveFrom("later", 2)).messages()) ==
        std::vector<std::string>{"1", "changed"});
  CHECK(QueuesInfo(rig, "orders").info().waiting() == 0);
}

TEST_CASE("a message whose visibility is over goes back, counted, and its visitor is told") {
  DoorRig rig;
  Send(rig, QueueMessageTo("orders"));
  Visit visit(rig);
  (void)visit.Ask(ReceiveOf("orders", 3'600));
  auto shorter = Of(kubemq::ModifyVisibility);
  shorter.set_visibilityseconds(1);
  CHECK_FALSE(visit.Ask(shorter).iserror());
  const auto over = visit.Read();
  CHECK(over.error() == "Error 129: current visibility timer expired");
  CHECK(over.streamrequesttypedata() == kubemq::ModifyVisibility);
  CHECK(visit.HasEnded());
  const auto again = Receive(rig, ReceiveFrom("orders"));
  REQUIRE(again.messages_size() == 1);
  CHECK(again.messages(0).attributes().receivecount() == 2);
}

TEST_CASE("what a visitor has who goes away comes again") {
  DoorRig rig;
  Send(rig, QueueMessageTo("orders"));
  {
    CHECK(Visit(rig).Ask(ReceiveOf("orders")).message().body() == "hello");
  }
  CHECK(Receive(rig, ReceiveFrom("orders", 1, 10)).messages_size() == 1);
}

}  // namespace
}  // namespace llm_router::test
