// The credentials of a gRPC server of ours: plaintext, or TLS with whatever certificate is in force when a
// connection is made.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "router/net/server_tls.h"

namespace llm_router {

// Null: plaintext. `tls` outlives the server, and so must the credentials: gRPC asks them at every handshake.
std::shared_ptr<grpc::ServerCredentials> GrpcCredentials(const ServerTls* tls);

}  // namespace llm_router
