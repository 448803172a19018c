// The door's service for workers of ours, on the bare wire.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <future>
#include <optional>
#include <thread>

#include "tests/support/catch.h"
#include "tests/unit/gateway/door_rig.h"
#include "workers.grpc.pb.h"

namespace llm_router::test {
namespace {

wire::FromWorker Subscription(const std::string& channel, uint32_t capacity = 0) {
  wire::FromWorker message;
  *message.mutable_subscribe()->mutable_subscribe() =
      Subscribe(kubemq::Subscribe::Queries, channel, "workers");
  message.mutable_subscribe()->set_capacity(capacity);
  return message;
}

wire::FromWorker AnswerTo(const kubemq::Request& request) {
  wire::FromWorker message;
  kubemq::Response& reply = *message.mutable_reply();
  reply.set_replychannel(request.replychannel());
  reply.set_requestid(request.requestid());
  reply.set_executed(true);
  reply.set_body("answer to " + request.body());
  return message;
}

// A worker's stream. Cancelled when destroyed.
class Worker {
 public:
  Worker(DoorRig& rig, const wire::FromWorker& first)
      : stub_(wire::Workers::NewStub(grpc::CreateChannel(rig.address(), grpc::InsecureChannelCredentials()))),
        stream_(stub_->Serve(&context_)) {
    Say(first);
    stream_->WaitForInitialMetadata();
  }
  ~Worker() { context_.TryCancel(); }

  void Say(const wire::FromWorker& message) { stream_->Write(message); }
  std::optional<wire::ToWorker> Next() {
    wire::ToWorker message;
    return stream_->Read(&message) ? std::optional(message) : std::nullopt;
  }
  grpc::Status Finish() { return stream_->Finish(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<wire::Workers::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<wire::FromWorker, wire::ToWorker>> stream_;
};

std::future<kubemq::Response> Ask(DoorRig& rig, const std::string& body) {
  return std::async(std::launch::async, [&rig, body] {
    kubemq::Response response;
    (void)Send(rig, QueryOn("q", body), response);
    return response;
  });
}

TEST_CASE("a worker's answers go back by its stream, in any order") {
  DoorRig rig;
  Worker worker(rig, Subscription("q"));
  auto one = Ask(rig, "one");
  auto two = Ask(rig, "two");
  const auto first = worker.Next();
  const auto second = worker.Next();
  REQUIRE(first);
  REQUIRE(second);
  worker.Say(AnswerTo(second->request()));
  worker.Say(AnswerTo(first->request()));
  CHECK(one.get().body() == "answer to one");
  CHECK(two.get().body() == "answer to two");
}

TEST_CASE("a worker is never given more than its capacity of unanswered queries") {
  DoorRig rig;
  Worker worker(rig, Subscription("q", 1));
  auto one = Ask(rig, "1");
  auto two = Ask(rig, "2");
  const auto first = worker.Next();
  REQUIRE(first);
  while (rig.Stats().in_flight < 2) std::this_thread::yield();
  kubemq::Request list = QueryOn("kubemq.cluster.internal.requests", "list-channels");
  list.set_metadata("list-channels");
  (*list.mutable_tags())["channel_type"] = "queries";
  kubemq::Response listed;
  REQUIRE(Send(rig, list, listed).ok());
  CHECK_THAT(listed.body(), Catch::Contains(R"("outgoing":{"delayed":0,"expired":0,"messages":1,)"));
  worker.Say(AnswerTo(first->request()));
  const auto second = worker.Next();
  REQUIRE(second);
  worker.Say(AnswerTo(second->request()));
  CHECK(one.get().executed());
  CHECK(two.get().executed());
}

TEST_CASE("a drained worker hears so when all it had is answered, and gets nothing after that") {
  DoorRig rig;
  Worker worker(rig, Subscription("q"));
  auto answer = Ask(rig, "last");
  const auto last = worker.Next();
  REQUIRE(last);
  wire::FromWorker drain;
  drain.mutable_drain();
  worker.Say(drain);
  worker.Say(AnswerTo(last->request()));
  CHECK(answer.get().body() == "answer to last");
  const auto drained = worker.Next();
  REQUIRE(drained);
  CHECK(drained->has_drained());
  Worker other(rig, Subscription("q"));
  auto next = Ask(rig, "next");
  const auto moved = other.Next();
  REQUIRE(moved);
  other.Say(AnswerTo(moved->request()));
  CHECK(next.get().body() == "answer to next");
}

TEST_CASE("a worker that goes away fails its unanswered queries at once") {
  DoorRig rig;
  std::future<kubemq::Response> answer;
  {
    Worker worker(rig, Subscription("q"));
    answer = Ask(rig, "lost");
    REQUIRE(worker.Next());
  }
  CHECK_THAT(answer.get().body(), Catch::Contains("worker_lost"));
}

TEST_CASE("a worker answers only what its own stream was given, and that once") {
  DoorRig rig;
  Worker worker(rig, Subscription("q"));
  Worker stranger(rig, Subscription("elsewhere"));
  auto answer = Ask(rig, "mine");
  const auto got = worker.Next();
  REQUIRE(got);
  stranger.Say(AnswerTo(got->request()));
  while (rig.Stats().stray_answers < 1) std::this_thread::yield();
  worker.Say(AnswerTo(got->request()));
  CHECK(answer.get().body() == "answer to mine");
  worker.Say(AnswerTo(got->request()));
  while (rig.Stats().stray_answers < 2) std::this_thread::yield();
}

TEST_CASE("a worker's stream that begins or goes on wrong is refused with a reason") {
  DoorRig rig;
  Worker nameless(rig, Subscription(""));
  CHECK_FALSE(nameless.Next());
  CHECK(nameless.Finish().error_message() == "Error 102: invalid channel value, cannot be empty");
  Worker silent(rig, AnswerTo(kubemq::Request()));
  CHECK_FALSE(silent.Next());
  CHECK(silent.Finish().error_code() == grpc::StatusCode::INTERNAL);
  Worker twice(rig, Subscription("q"));
  twice.Say(Subscription("other"));
  CHECK_FALSE(twice.Next());
  CHECK_THAT(twice.Finish().error_message(), Catch::Contains("one subscription"));
}

}  // namespace
}  // namespace llm_router::test
