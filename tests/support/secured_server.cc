#include "tests/support/secured_server.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <mutex>
#include <stdexcept>

#include "kubemq.grpc.pb.h"

namespace llm_router::test {
namespace {

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;

std::shared_ptr<grpc::ServerCredentials> CredentialsOf(const SecuredOptions& options) {
  if (options.tls.empty()) return grpc::InsecureServerCredentials();
  auto pem = ReadTls(options.tls, TlsNames{"ca", "cert", "key"});
  if (!pem.ok()) throw std::runtime_error(pem.status().ToString());
  grpc::SslServerCredentialsOptions ssl(options.wants_certificate
                                            ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                            : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  ssl.pem_root_certs = (*pem)->ca;
  ssl.pem_key_cert_pairs.push_back({std::string((*pem)->cert_key.Reveal()), (*pem)->cert});
  return grpc::SslServerCredentials(ssl);
}

}  // namespace

class SecuredServer::Service final : public kubemq::kubemq::Service {
 public:
  explicit Service(const SecuredOptions& options) : options_(options) {}

  Status Ping(ServerContext* context, const kubemq::Empty*, kubemq::PingResult*) override {
    return options_.ping_needs_key ? Admit("Ping", *context) : Status::OK;
  }
  Status SendRequest(ServerContext* context, const kubemq::Request* request,
                     kubemq::Response* response) override {
    response->set_requestid(request->requestid());
    response->set_body(request->body());
    response->set_executed(true);
    return Admit("SendRequest", *context);
  }
  Status SendResponse(ServerContext* context, const kubemq::Response*, kubemq::Empty*) override {
    return Admit("SendResponse", *context);
  }
  Status SendEventsStream(ServerContext* context,
                          grpc::ServerReaderWriter<kubemq::Result, kubemq::Event>* stream) override {
    const Status admitted = Admit("SendEventsStream", *context);
    kubemq::Event event;
    while (admitted.ok() && stream->Read(&event)) {
    }
    return admitted;
  }
  Status SubscribeToEvents(ServerContext* context, const kubemq::Subscribe*,
                           grpc::ServerWriter<kubemq::EventReceive>* writer) override {
    const Status admitted = Admit("SubscribeToEvents", *context);
    if (!admitted.ok()) return admitted;
    kubemq::EventReceive event;
    event.set_eventid("1");
    event.set_channel("e");
    event.set_body("hello");
    writer->Write(event);
    return admitted;
  }
  Status SubscribeToRequests(ServerContext* context, const kubemq::Subscribe*,
                             grpc::ServerWriter<kubemq::Request>* writer) override {
    const Status admitted = Admit("SubscribeToRequests", *context);
    if (!admitted.ok()) return admitted;
    kubemq::Request request;
    request.set_requestid("1");
    request.set_requesttypedata(kubemq::Request::Query);
    request.set_channel("q");
    request.set_body("hello");
    request.set_timeout(60'000);
    request.set_replychannel("r");
    writer->Write(request);
    return admitted;
  }

  std::set<std::string> admitted() const {
    const std::lock_guard lock(mutex_);
    return admitted_;
  }

 private:
  Status Admit(const std::string& method, const ServerContext& context) {
    const auto given = context.client_metadata().find("authorization");
    const bool known = given != context.client_metadata().end() &&
                       std::string_view(given->second.data(), given->second.size()) == options_.key;
    if (!options_.key.empty() && !known)
      return Status(StatusCode::UNAUTHENTICATED, "invalid authorization token");
    if (options_.forbids) return Status(StatusCode::PERMISSION_DENIED, "no access to this channel");
    const std::lock_guard lock(mutex_);
    admitted_.insert(method);
    return Status::OK;
  }

  const SecuredOptions options_;
  mutable std::mutex mutex_;
  std::set<std::string> admitted_;
};

class SecuredServer::Impl {
 public:
  explicit Impl(const SecuredOptions& options) : service_(options) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", CredentialsOf(options), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (!server_) throw std::runtime_error("the test's server did not start");
  }
  ~Impl() { server_->Shutdown(std::chrono::system_clock::now()); }

  int port() const { return port_; }
  std::set<std::string> admitted() const { return service_.admitted(); }

 private:
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

SecuredServer::SecuredServer(const SecuredOptions& options) : impl_(std::make_unique<Impl>(options)) {}
SecuredServer::~SecuredServer() = default;

std::string SecuredServer::address(const std::string& host) const {
  return fmt::format("{}:{}", host, impl_->port());
}
std::set<std::string> SecuredServer::admitted() const { return impl_->admitted(); }

}  // namespace llm_router::test
