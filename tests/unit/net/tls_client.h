// TlsClient: one connection to a TLS port of this machine, as coroutines of the test.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>

#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/base/tls_files.h"

namespace llm_router::test {

class TlsClient {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
  using error_code = boost::system::error_code;

  // `files.ca` is trusted; `files.cert` is shown where the server asks for one.
  TlsClient(Executor executor, const TlsFiles& files, int highest = TLS1_3_VERSION)
      : context_(ContextOf(files, highest)), stream_(Socket(executor), *context_) {}

  // Each with its length before it, as ALPN lists them.
  void Offer(const std::string& protocols) {
    SSL_set_alpn_protos(stream_.native_handle(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned int>(protocols.size()));
  }
  std::string Chosen() {
    const unsigned char* chosen = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(stream_.native_handle(), &chosen, &size);
    return size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(chosen), size);
  }

  Socket& socket() { return stream_.next_layer(); }

  // Connected and shaken hands; an error: it was refused.
  Awaitable<error_code> Connect(int port) {
    const boost::asio::ip::tcp::endpoint endpoint(boost::asio::ip::address_v4::loopback(),
                                                  static_cast<uint16_t>(port));
    auto [error] = co_await socket().async_connect(endpoint, kUseTuple);
    if (error) co_return error;
    std::tie(error) = co_await stream_.async_handshake(boost::asio::ssl::stream_base::client, kUseTuple);
    co_return error;
  }

  Awaitable<error_code> Write(std::string bytes) {
    const auto [error, count] =
        co_await boost::asio::async_write(stream_, boost::asio::buffer(bytes), kUseTuple);
    co_return error;
  }

  // What comes until `text` holds `end`, or the connection is over.
  Awaitable<std::string> ReadUntil(std::string end) {
    std::string text;
    while (text.find(end) == std::string::npos) {
      std::array<char, 4096> bytes;
      const auto [error, size] = co_await stream_.async_read_some(boost::asio::buffer(bytes), kUseTuple);
      text.append(bytes.data(), size);
      if (error) break;
    }
    co_return text;
  }
  Awaitable<std::string> ReadAll() { return ReadUntil("\x01 never sent"); }

  // The serial number of the server's certificate: tells two of them apart.
  std::string Serial() {
    X509* const certificate = SSL_get1_peer_certificate(stream_.native_handle());
    if (certificate == nullptr) return {};
    const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
    std::string text(reinterpret_cast<const char*>(serial->data), static_cast<size_t>(serial->length));
    X509_free(certificate);
    return text;
  }

 private:
  static std::unique_ptr<boost::asio::ssl::context> ContextOf(const TlsFiles& files, int highest) {
    auto context = std::make_unique<boost::asio::ssl::context>(boost::asio::ssl::context::tls_client);
    SSL_CTX_set_security_level(context->native_handle(), 0);  // so that an old TLS is ours to refuse
    SSL_CTX_set_max_proto_version(context->native_handle(), highest);
    SSL_CTX_set_min_proto_version(context->native_handle(), 0);
    context->set_verify_mode(boost::asio::ssl::verify_peer);
    context->load_verify_file(files.ca);
    if (!files.cert.empty()) {
      context->use_certificate_chain_file(files.cert);
      context->use_private_key_file(files.cert_key, boost::asio::ssl::context::pem);
    }
    return context;
  }

  std::unique_ptr<boost::asio::ssl::context> context_;
  boost::asio::ssl::stream<Socket> stream_;
};

}  // namespace llm_router::test
