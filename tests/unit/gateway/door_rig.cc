#include "tests/unit/gateway/door_rig.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <utility>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "tests/support/catch.h"

namespace llm_router::test {

struct DoorRig::Gate {
  explicit Gate(Executor executor) : taken(executor), released(executor) {}
  OneShot<bool> taken, released;
};

namespace {

template <class Gate>
Awaitable<absl::StatusOr<Reply>> HoldThenEcho(std::shared_ptr<Gate> gate, Query query) {
  gate->taken.Set(true);
  (void)co_await gate->released.Wait(TimePoint::max());
  co_return Echo(query);
}

Awaitable<absl::StatusOr<Reply>> AnswerAtOnce(absl::StatusOr<Reply> reply) { co_return reply; }

}  // namespace

DoorRig::DoorRig(KubemqServerOptions options, bool keeps) {
  loop_.Start();
  loop_.RunTask([this, &options, keeps]() -> Awaitable<void> {
    broker_ = keeps ? OpenKeeping() : MakeEmbeddedBroker(loop_.executor(), EmbeddedOptions());
    gate_ = std::make_shared<Gate>(loop_.executor());
    server_ = KubemqServer::Start(loop_, *broker_, options);
    KubemqDoorOptions listening;
    listening.port = 0;
    auto door = KubemqDoor::Start(server_, listening);
    if (!door.ok()) FAIL(door.status().ToString());
    door_ = *std::move(door);
    co_return;
  });
  channel_ = grpc::CreateChannel(address(), grpc::InsecureChannelCredentials());
  stub_ = kubemq::kubemq::NewStub(channel_);
}

std::unique_ptr<Broker> DoorRig::OpenKeeping() {
  QueueOptions queues;
  queues.folder = folder_.path();
  auto broker = OpenEmbeddedBroker(loop_.executor(), EmbeddedOptions(), queues);
  if (!broker.ok()) FAIL(broker.status().ToString());
  return *std::move(broker);
}

DoorRig::~DoorRig() {
  loop_.RunTask([this]() -> Awaitable<void> {
    co_await server_->Stop(Milliseconds(0));
    co_await door_->Stop();
    subscriptions_.clear();
    co_await broker_->Stop();
    gate_.reset();
    door_.reset();
    server_.reset();
    broker_.reset();
  });
}

std::string DoorRig::address() const { return fmt::format("127.0.0.1:{}", door_->port()); }

void DoorRig::Serve(const std::string& channel, std::function<absl::StatusOr<Reply>(const Query&)> answer) {
  loop_.RunTask([&]() -> Awaitable<void> {
    auto served = co_await broker_->Serve(ServeOptions(Kind::kQuery, channel, "workers", 256),
                                          [answer](Query query) { return AnswerAtOnce(answer(query)); });
    if (!served.ok()) FAIL(served.status().ToString());
    subscriptions_.push_back(*std::move(served));
  });
}

void DoorRig::ServeHeld(const std::string& channel) {
  loop_.RunTask([&]() -> Awaitable<void> {
    auto served =
        co_await broker_->Serve(ServeOptions(Kind::kQuery, channel, "workers", 256),
                                [gate = gate_](Query query) { return HoldThenEcho(gate, std::move(query)); });
    if (!served.ok()) FAIL(served.status().ToString());
    subscriptions_.push_back(*std::move(served));
  });
}

void DoorRig::Release() {
  loop_.Post([gate = gate_] { gate->released.Set(true); });
}

void DoorRig::WaitUntilHeld() {
  loop_.RunTask([this]() -> Awaitable<void> { (void)co_await gate_->taken.Wait(TimePoint::max()); });
}

void DoorRig::Publish(const std::string& channel, const std::string& body) {
  loop_.RunTask([&]() -> Awaitable<void> {
    const absl::Status status = broker_->Publish(Message(channel, body));
    if (!status.ok()) FAIL(status.ToString());
    co_return;
  });
}

DoorStats DoorRig::Stats() {
  DoorStats stats;
  loop_.RunTask([&]() -> Awaitable<void> {
    stats = door_->stats();
    co_return;
  });
  return stats;
}

void DoorRig::EndRevoked() {
  loop_.RunTask([this]() -> Awaitable<void> {
    door_->EndRevoked();
    co_return;
  });
}

void DoorRig::StopDoor(Milliseconds grace) {
  loop_.RunTask([&]() -> Awaitable<void> {
    co_await server_->Stop(grace);
    co_await door_->Stop();
  });
}

kubemq::Request QueryOn(const std::string& channel, const std::string& body) {
  kubemq::Request request;
  request.set_requesttypedata(kubemq::Request::Query);
  request.set_requestid("request-1");
  request.set_clientid("caller");
  request.set_channel(channel);
  request.set_body(body);
  request.set_timeout(30'000);
  return request;
}

kubemq::Subscribe Subscribe(kubemq::Subscribe::SubscribeType type, const std::string& channel,
                            const std::string& group) {
  kubemq::Subscribe subscribe;
  subscribe.set_subscribetypedata(type);
  subscribe.set_clientid("subscriber");
  subscribe.set_channel(channel);
  subscribe.set_group(group);
  return subscribe;
}

absl::StatusOr<Reply> Echo(const Query& query) {
  Reply reply;
  reply.executed = true;
  reply.message.id = query.message.id;
  reply.message.body = query.message.body;
  reply.message.metadata = "metadata";
  reply.message.timestamp = 1'700'000'000'000'000'000;
  reply.message.tags = query.message.tags;
  return reply;
}

grpc::Status Send(DoorRig& rig, const kubemq::Request& request, kubemq::Response& response) {
  grpc::ClientContext context;
  return rig.stub().SendRequest(&context, request, &response);
}

grpc::Status Send(DoorRig& rig, const kubemq::Response& answer) {
  grpc::ClientContext context;
  kubemq::Empty empty;
  return rig.stub().SendResponse(&context, answer, &empty);
}

grpc::Status Send(DoorRig& rig, const kubemq::Event& event, kubemq::Result& result) {
  grpc::ClientContext context;
  return rig.stub().SendEvent(&context, event, &result);
}

std::unique_ptr<OpenStream<kubemq::Request>> SubscribeToRequests(DoorRig& rig,
                                                                 const kubemq::Subscribe& subscribe) {
  auto stream = std::make_unique<OpenStream<kubemq::Request>>();
  stream->reader = rig.stub().SubscribeToRequests(&stream->context, subscribe);
  stream->reader->WaitForInitialMetadata();
  return stream;
}

std::unique_ptr<OpenStream<kubemq::EventReceive>> SubscribeToEvents(DoorRig& rig,
                                                                    const kubemq::Subscribe& subscribe) {
  auto stream = std::make_unique<OpenStream<kubemq::EventReceive>>();
  stream->reader = rig.stub().SubscribeToEvents(&stream->context, subscribe);
  stream->reader->WaitForInitialMetadata();
  return stream;
}

}  // namespace llm_router::test
