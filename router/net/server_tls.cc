#include "router/net/server_tls.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <string>
#include <utility>

#include "broker_adapters/base/file_watch.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";  // of TLS 1.2; all those of 1.3 will do
constexpr unsigned char kProtocols[] = "\x08http/1.1";  // as ALPN lists them; the chosen one is not copied
constexpr unsigned char kSessionContext[] = "llm-router";

boost::asio::const_buffer BufferOf(std::string_view text) {
  return boost::asio::buffer(text.data(), text.size());
}

// HTTP/1.1 for who asks, and nothing for who offers others only: those go on without a word about it.
int ChooseProtocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* size,
                   const unsigned char* offered, unsigned int offered_size, void* /*nothing*/) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, kProtocols, sizeof(kProtocols) - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

error_code Fill(ssl::context& context, const TlsPem& pem) {
  error_code error;
  SSL_CTX* const native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(native, kCiphers);
  SSL_CTX_set_session_id_context(native, kSessionContext, sizeof(kSessionContext) - 1);
  SSL_CTX_set_alpn_select_cb(native, ChooseProtocol, nullptr);
  context.use_certificate_chain(BufferOf(pem.cert), error);
  if (!error) context.use_private_key(BufferOf(pem.cert_key.Reveal()), ssl::context::pem, error);
  if (error || pem.ca.empty()) return error;
  context.add_certificate_authority(BufferOf(pem.ca), error);
  if (!error) context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  return error;
}

absl::Status CheckFiles(const TlsFiles& files, const TlsNames& names) {
  if (files.cert.empty() && files.cert_key.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: is missing: {} needs it, give the server's certificate", names.cert, names.ca));
  }
  if (files.ca != kSystemCa) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "{}: the system's CAs sign for anybody: give a PEM file with the CA that signs for your callers",
      names.ca));
}

absl::StatusOr<std::shared_ptr<const ServerTls::Identity>> Read(const TlsFiles& files,
                                                                const TlsNames& names) {
  RETURN_IF_ERROR(CheckFiles(files, names));
  ASSIGN_OR_RETURN(std::optional<TlsPem> pem, ReadTls(files, names));
  auto identity = std::make_shared<ServerTls::Identity>();
  identity->pem = *std::move(pem);
  identity->context = std::make_shared<ssl::context>(ssl::context::tls_server);
  if (const error_code error = Fill(*identity->context, identity->pem)) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} can't be used: {}: make another one", names.cert, files.cert, error.message()));
  }
  return identity;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServerTls>> ServerTls::Load(const TlsFiles& files, const TlsNames& names) {
  if (files.empty()) return nullptr;
  ASSIGN_OR_RETURN(auto identity, Read(files, names));
  return std::unique_ptr<ServerTls>(new ServerTls(files, names, std::move(identity)));
}

ServerTls::ServerTls(TlsFiles files, TlsNames names, std::shared_ptr<const Identity> identity)
    : files_(std::move(files)), names_(names), identity_(std::move(identity)) {}

Awaitable<void> ServerTls::Watch() {
  std::vector<std::filesystem::path> paths = {files_.cert, files_.cert_key};
  if (!files_.ca.empty()) paths.emplace_back(files_.ca);
  return WatchFiles(FileWatch(std::move(paths)), [this] { (void)Reload(); });
}

bool ServerTls::Reload() {
  auto identity = Read(files_, names_);
  if (!identity.ok()) {
    log::Warning("the TLS certificate stays as it was: {}", MessageOf(identity.status()));
    return false;
  }
  const std::lock_guard lock(mutex_);
  identity_ = *std::move(identity);
  log::Info("the TLS certificate was read anew from {}", files_.cert);
  return true;
}

std::shared_ptr<const ServerTls::Identity> ServerTls::current() const {
  const std::lock_guard lock(mutex_);
  return identity_;
}

}  // namespace llm_router
