// A data race on purpose, in the place where a suppression would hide one most easily: a callback of ours
// that gRPC's header code calls on a gRPC thread, against a thread of our own. ThreadSanitizer must report it
// with tsan_suppressions.txt in force; its test fails when it does not.
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_callback.h>

#include <string>
#include <thread>

#include "kubemq.grpc.pb.h"

namespace {

int seeded = 0;  // written by two threads, without a lock

class Service final : public kubemq::kubemq::CallbackService {
  grpc::ServerUnaryReactor* Ping(grpc::CallbackServerContext* context, const kubemq::Empty*,
                                 kubemq::PingResult*) override {
    ++seeded;
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

int main() {
  Service service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  const auto stub = kubemq::kubemq::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  std::thread writer([] { ++seeded; });
  grpc::ClientContext context;
  kubemq::PingResult result;
  const auto status = stub->Ping(&context, kubemq::Empty(), &result);
  writer.join();
  server->Shutdown();
  return status.ok() ? 0 : 2;
}
