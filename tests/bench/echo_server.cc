// The floor: a bare gRPC server whose SendRequest answers at once with the request's body. Prints its port.
#include <grpcpp/grpcpp.h>

#include <csignal>
#include <cstdio>

#include "kubemq.grpc.pb.h"

namespace {

class Echo final : public kubemq::kubemq::CallbackService {
  grpc::ServerUnaryReactor* SendRequest(grpc::CallbackServerContext* context, const kubemq::Request* request,
                                        kubemq::Response* response) override {
    response->set_requestid(request->requestid());
    response->set_body(request->body());
    response->set_executed(true);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

int main() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Echo service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  std::printf("echo ready grpc=127.0.0.1:%d\n", port);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown();
  return 0;
}
