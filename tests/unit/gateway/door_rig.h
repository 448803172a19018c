// DoorRig: a KubeMQ door over an embedded broker on a loop of its own, and a plain gRPC client on the test's
// thread: what any KubeMQ SDK is to the door.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "broker_adapters/broker.h"
#include "kubemq.grpc.pb.h"
#include "router/gateway/kubemq_grpc.h"
#include "tests/support/temporary_folder.h"

namespace llm_router::test {

class DoorRig {
 public:
  // `keeps`: the broker has queues and stored events, in a folder of the rig's.
  explicit DoorRig(KubemqServerOptions options = {}, bool keeps = false);
  ~DoorRig();

  kubemq::kubemq::Stub& stub() { return *stub_; }
  std::string address() const;
  Loop& loop() { return loop_; }
  Broker& broker() { return *broker_; }
  const std::shared_ptr<KubemqServer>& server() { return server_; }

  // A worker in the door's own process.
  void Serve(const std::string& channel, std::function<absl::StatusOr<Reply>(const Query&)> answer);
  // One that takes queries and answers none until `Release`.
  void ServeHeld(const std::string& channel);
  void Release();
  void WaitUntilHeld();

  void Publish(const std::string& channel, const std::string& body);
  DoorStats Stats();
  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  void EndRevoked();
  void StopDoor(Milliseconds grace);

 private:
  struct Gate;

  std::unique_ptr<Broker> OpenKeeping();

  TemporaryFolder folder_;
  Loop loop_;
  std::unique_ptr<Broker> broker_;
  std::shared_ptr<KubemqServer> server_;
  std::unique_ptr<KubemqDoor> door_;
  std::vector<SubscriptionPtr> subscriptions_;
  std::shared_ptr<Gate> gate_;  // held by handlers, which may unwind after the rig let go
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<kubemq::kubemq::Stub> stub_;
};

kubemq::Request QueryOn(const std::string& channel, const std::string& body = "hello");
kubemq::Subscribe Subscribe(kubemq::Subscribe::SubscribeType type, const std::string& channel,
                            const std::string& group = "");
absl::StatusOr<Reply> Echo(const Query& query);

// One call with a context of its own.
grpc::Status Send(DoorRig& rig, const kubemq::Request& request, kubemq::Response& response);
grpc::Status Send(DoorRig& rig, const kubemq::Response& answer);
grpc::Status Send(DoorRig& rig, const kubemq::Event& event, kubemq::Result& result);

// A subscription as an SDK has it, in force on return. Cancelled when destroyed.
template <class Wire>
struct OpenStream {
  ~OpenStream() { context.TryCancel(); }
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<Wire>> reader;
};
std::unique_ptr<OpenStream<kubemq::Request>> SubscribeToRequests(DoorRig& rig,
                                                                 const kubemq::Subscribe& subscribe);
std::unique_ptr<OpenStream<kubemq::EventReceive>> SubscribeToEvents(DoorRig& rig,
                                                                    const kubemq::Subscribe& subscribe);

}  // namespace llm_router::test
