// Keys on queue messages at the KubeMQ gRPC door: stamps, and what their streams may do.
#include "router/gateway/access.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/access_matrix.h"
#include "tests/unit/gateway/queue_calls.h"

namespace llm_router::test {
namespace {

KubemqServerOptions WithKeys() {
  KubemqServerOptions options;
  options.access = std::make_shared<Access>(MatrixKeys());
  return options;
}

kubemq::SendQueueMessageResult SendAs(DoorRig& rig, AccessLevel level, const kubemq::QueueMessage& message) {
  grpc::ClientContext context;
  context.AddMetadata("authorization", MatrixKey(level));
  kubemq::SendQueueMessageResult result;
  CHECK(rig.stub().SendQueueMessage(&context, message, &result).ok());
  CHECK_FALSE(result.iserror());
  return result;
}

// The tags of the next message of `queue`, as a worker gets it.
std::map<std::string, std::string> NextTags(DoorRig& rig, const std::string& queue) {
  Downstream worker(rig, MatrixKey(AccessLevel::kWorker));
  const auto got = worker.Ask(GetFrom(queue, 1, /*auto_ack=*/true));
  CHECK(got.error().empty());
  REQUIRE(got.messages_size() == 1);
  CHECK(worker.HalfClose().ok());
  return {got.messages(0).tags().begin(), got.messages(0).tags().end()};
}

kubemq::QueueMessage Forged(const std::string& queue) {
  kubemq::QueueMessage message = QueueMessageTo(queue);
  for (const char* tag : {"tenant", "job", "query", "authorization", "mine"})
    (*message.mutable_tags())[tag] = "forged";
  return message;
}

TEST_CASE(
    "a job has its key's tenant and no name that a caller gave it; only a worker may speak for others") {
  DoorRig rig(WithKeys());
  using Tags = std::map<std::string, std::string>;
  SendAs(rig, AccessLevel::kCaller, Forged("openai_jobs"));
  CHECK(NextTags(rig, "openai_jobs") == Tags{{"tenant", "acme"}, {"mine", "forged"}});
  SendAs(rig, AccessLevel::kWorker, Forged("openai_jobs"));
  CHECK(NextTags(rig, "openai_jobs") ==
        Tags{{"tenant", "forged"}, {"job", "forged"}, {"query", "forged"}, {"mine", "forged"}});
  SendAs(rig, AccessLevel::kCaller, Forged("orders"));
  CHECK(NextTags(rig, "orders") ==
        Tags{{"tenant", "acme"}, {"job", "forged"}, {"query", "forged"}, {"mine", "forged"}});
}

TEST_CASE("a message that may end up as a job is treated as one") {
  DoorRig rig(WithKeys());
  kubemq::QueueMessage message = Forged("orders");
  message.mutable_policy()->set_maxreceivecount(1);
  message.mutable_policy()->set_maxreceivequeue("openai_jobs");
  SendAs(rig, AccessLevel::kCaller, message);
  CHECK(NextTags(rig, "orders").count("job") == 0);
  (*message.mutable_tags())["reply-to"] = "llm_journal";
  grpc::ClientContext context;
  context.AddMetadata("authorization", MatrixKey(AccessLevel::kCaller));
  kubemq::SendQueueMessageResult result;
  CHECK(rig.stub().SendQueueMessage(&context, message, &result).error_code() ==
        grpc::StatusCode::PERMISSION_DENIED);
}

TEST_CASE(
    "without keys everybody is a worker too: messages stay as they came, but jobs are the default tenant's") {
  DoorRig rig;
  Send(rig, Forged("orders"));
  CHECK(Receive(rig, ReceiveFrom("orders")).messages(0).tags().size() == 5);
  Send(rig, Forged("openai_jobs"));
  const auto job = Receive(rig, ReceiveFrom("openai_jobs")).messages(0);
  CHECK(job.tags().at("tenant") == "default");
  CHECK(job.tags().at("job") == "forged");
  CHECK(job.policy().maxreceivecount() == 0);
}

TEST_CASE("a stream's requests that its key may not make are answered so, and the stream goes on") {
  DoorRig rig(WithKeys());
  SendAs(rig, AccessLevel::kCaller, QueueMessageTo("orders"));
  Downstream stream(rig, MatrixKey(AccessLevel::kCaller));
  CHECK_THAT(stream.Ask(GetFrom("openai_jobs")).error(), Catch::StartsWith("Error 412: access denied"));
  const auto got = stream.Ask(GetFrom("orders"));
  REQUIRE(got.messages_size() == 1);
  auto requeue = Settling(kubemq::ReQueueAll, got.transactionid());
  requeue.set_requeuechannel("openai_dead");
  CHECK_THAT(stream.Ask(requeue).error(), Catch::StartsWith("Error 412: access denied"));
  CHECK(stream.Ask(Settling(kubemq::ActiveOffsets, got.transactionid())).activeoffsets_size() == 1);
}

TEST_CASE("a message that names a forbidden reply-to does not become a job by being put there again") {
  DoorRig rig(WithKeys());
  kubemq::QueueMessage message = QueueMessageTo("orders");
  (*message.mutable_tags())["reply-to"] = "llm_journal";
  SendAs(rig, AccessLevel::kCaller, message);
  Downstream stream(rig, MatrixKey(AccessLevel::kCaller));
  const auto got = stream.Ask(GetFrom("orders"));
  auto requeue = Settling(kubemq::ReQueueAll, got.transactionid());
  requeue.set_requeuechannel("openai_jobs");
  CHECK_THAT(stream.Ask(requeue).error(), Catch::Contains("Error 412: access denied"));
}

TEST_CASE("a batch's forbidden messages are refused each by itself") {
  DoorRig rig(WithKeys());
  grpc::ClientContext context;
  context.AddMetadata("authorization", MatrixKey(AccessLevel::kCaller));
  kubemq::QueueMessagesBatchRequest batch;
  *batch.add_messages() = QueueMessageTo("orders");
  *batch.add_messages() = QueueMessageTo("openai_dead");
  kubemq::QueueMessagesBatchResponse response;
  REQUIRE(rig.stub().SendQueueMessagesBatch(&context, batch, &response).ok());
  CHECK_FALSE(response.results(0).iserror());
  CHECK_THAT(response.results(1).error(), Catch::StartsWith("Error 412: access denied"));
}

TEST_CASE("of several queues at once one hears only if each of them may be looked at") {
  DoorRig rig(WithKeys());
  SendAs(rig, AccessLevel::kCaller, QueueMessageTo("orders"));
  for (const char* names : {"orders;openai_dead", "openai_dead;", "", ";"}) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", MatrixKey(AccessLevel::kCaller));
    kubemq::QueuesInfoRequest request;
    request.set_queuename(names);
    kubemq::QueuesInfoResponse response;
    CHECK(rig.stub().QueuesInfo(&context, request, &response).error_code() ==
          grpc::StatusCode::PERMISSION_DENIED);
  }
}

}  // namespace
}  // namespace llm_router::test
