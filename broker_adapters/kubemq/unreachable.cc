#include "broker_adapters/kubemq/unreachable.h"

#include <fmt/format.h>

namespace llm_router {
namespace {

struct Cause {
  bool tls;                // whether we spoke TLS
  std::string_view words;  // of gRPC 1.51 with OpenSSL 3
  std::string_view remedy;
};

constexpr std::string_view kUntrusted =
    "its certificate has expired, or another CA signed it: give the right CA with the setting `broker.ca` "
    "or with --ca";

// What a handshake ends with. The order counts: "Socket closed" is all that gRPC says of many things.
constexpr Cause kCauses[] = {
    {true, "certificate verify failed", kUntrusted},
    {true, "asn1 encoding routines", kUntrusted},  // signed by a CA of the same name, but with another key
    {true, "is not in peer certificate",
     "its certificate is made for another name: use one that is in it, or have this one added"},
    {true, "wrong version number",
     "it speaks no TLS there: leave out ca, cert and cert_key, or name its TLS port"},
    {true, "missing selected ALPN", "it speaks TLS there, but no gRPC: name another port"},
    {true, "",
     "it ended the handshake: where it asks for a certificate, give one with `broker.cert` and "
     "`broker.cert_key`, or with --cert and --cert-key"},
    {false, "Socket closed",
     "it closed the connection: where it speaks TLS, give its CA with the setting `broker.ca` or with --ca"},
};
constexpr std::string_view kStartIt = "start it, or name another with the setting `broker` or with --address";

// Whether there was somebody to connect to, who then did not get as far as gRPC.
bool BrokeInHandshake(std::string_view text) {
  constexpr std::string_view kSigns[] = {"Ssl handshake failed", "peer certificate", "Cannot check peer",
                                         "Endpoint read failed", "Socket closed"};
  if (text.find("failed to connect to all addresses") == std::string_view::npos) return false;
  for (const std::string_view sign : kSigns) {
    if (text.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

std::string_view RemedyFor(bool tls, std::string_view text) {
  if (!BrokeInHandshake(text)) return kStartIt;
  for (const Cause& cause : kCauses) {
    if (tls == cause.tls && text.find(cause.words) != std::string_view::npos) return cause.remedy;
  }
  return kStartIt;
}

}  // namespace

std::string Unreachable(std::string_view address, bool tls, std::string_view text) {
  return fmt::format("cannot reach the server at {} ({}): {}", address, text, RemedyFor(tls, text));
}

}  // namespace llm_router
