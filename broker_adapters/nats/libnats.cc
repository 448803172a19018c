#include "broker_adapters/nats/libnats.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "broker_adapters/base/text.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr int64_t kConnectMs = 2'000;
constexpr int64_t kReconnectMs = 200;
constexpr int64_t kPingMs = 10'000;
constexpr int kPingsUnanswered = 2;
constexpr int64_t kWriteMs = 10'000;
constexpr int kReconnectBuffer = 16 * 1024 * 1024;
constexpr const char* kStatusHeader = "Status";
constexpr const char* kDescriptionHeader = "Description";

struct OptionsEnd {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
};
using Options = std::unique_ptr<natsOptions, OptionsEnd>;

struct MessageEnd {
  void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
};

// Remembers the first failure of a row of calls.
class Attempt {
 public:
  void operator()(natsStatus status) {
    if (first_ == NATS_OK) first_ = status;
  }
  natsStatus status() const { return first_; }

 private:
  natsStatus first_ = NATS_OK;
};

natsStatus SetServers(natsOptions* to, const NatsOptions& options) {
  std::vector<std::string> urls;
  std::vector<const char*> pointers;
  for (const std::string& server : options.servers)
    urls.push_back(fmt::format("{}://{}", options.tls ? "tls" : "nats", server));
  for (const std::string& url : urls) pointers.push_back(url.c_str());
  return natsOptions_SetServers(to, pointers.data(), static_cast<int>(pointers.size()));
}

void SetSecurity(natsOptions* to, const NatsOptions& options, Attempt& attempt) {
  if (!options.user.empty()) {
    attempt(
        natsOptions_SetUserInfo(to, options.user.c_str(), std::string(options.password.Reveal()).c_str()));
  }
  if (!options.token.empty()) attempt(natsOptions_SetToken(to, std::string(options.token.Reveal()).c_str()));
  if (!options.creds.empty())
    attempt(natsOptions_SetUserCredentialsFromFiles(to, options.creds.c_str(), nullptr));
  if (!options.tls) return;
  attempt(natsOptions_SetSecure(to, true));
  if (!options.tls->ca.empty()) attempt(natsOptions_SetCATrustedCertificates(to, options.tls->ca.c_str()));
  if (options.tls->cert.empty()) return;
  attempt(natsOptions_SetCertificatesChain(to, options.tls->cert.c_str(),
                                           std::string(options.tls->cert_key.Reveal()).c_str()));
}

void SetHabits(natsOptions* to, Attempt& attempt) {
  attempt(natsOptions_SetTimeout(to, kConnectMs));
  attempt(natsOptions_SetMaxReconnect(to, -1));
  attempt(natsOptions_SetReconnectWait(to, kReconnectMs));
  attempt(natsOptions_SetReconnectJitter(to, kReconnectMs, kReconnectMs));
  attempt(natsOptions_SetReconnectBufSize(to, kReconnectBuffer));
  attempt(natsOptions_SetPingInterval(to, kPingMs));
  attempt(natsOptions_SetMaxPingsOut(to, kPingsUnanswered));
  attempt(natsOptions_SetWriteDeadline(to, kWriteMs));
  attempt(natsOptions_SetSendAsap(to, true));  // else each message waits 1 ms for others
  attempt(natsOptions_UseGlobalMessageDelivery(to, true));
}

void SetCalls(natsOptions* to, const ConnectionCalls& calls, Attempt& attempt) {
  attempt(natsOptions_SetDisconnectedCB(to, calls.disconnected, calls.closure));
  attempt(natsOptions_SetReconnectedCB(to, calls.reconnected, calls.closure));
  attempt(natsOptions_SetClosedCB(to, calls.closed, calls.closure));
  attempt(natsOptions_SetErrorHandler(to, calls.failed, calls.closure));
}

bool IsAboutTls(natsStatus status) {
  return status == NATS_SSL_ERROR || status == NATS_SECURE_CONNECTION_WANTED ||
         status == NATS_SECURE_CONNECTION_REQUIRED;
}

std::string_view RemedyFor(natsStatus status, bool tls) {
  if (!IsAboutTls(status) && tls) {
    return "start it, or name another with the setting `broker`; where it asks for a certificate, give one "
           "with "
           "`broker.cert` and `broker.cert_key`";
  }
  if (!IsAboutTls(status)) return "start it, or name another with the setting `broker`";
  if (!tls) return "where it speaks TLS, give its CA with the setting `broker.ca`";
  if (status == NATS_SECURE_CONNECTION_WANTED)
    return "it speaks no TLS: leave out ca, cert and cert_key, or have it speak TLS";
  return "give the CA that signed its certificate with `broker.ca`, a name that stands in the certificate "
         "with "
         "`broker`, and our own certificate, where it asks for one, with `broker.cert` and `broker.cert_key`";
}

// libnats's last words, without the place in its source that they begin with.
std::string LastWords(natsStatus status) {
  const char* const last = nats_GetLastError(nullptr);
  std::string_view text = last && *last ? last : natsStatus_GetText(status);
  if (const size_t end = text.find("): "); text.starts_with('(') && end != std::string_view::npos)
    text.remove_prefix(end + 3);
  return std::string(text);
}

absl::Status FailureOf(natsStatus status, const NatsOptions& options) {
  const std::string text = LastWords(status);
  const std::string servers = absl::StrJoin(options.servers, ",");
  if (status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED) {
    return MakeFault(
        Fault::kUnauthenticated,
        fmt::format("the NATS server at {} refuses us ({}): give broker.user and broker.password, "
                    "a token as broker.key, or a file as broker.creds, that it knows",
                    servers, text));
  }
  return MakeFault(Fault::kEngineUnavailable,
                   fmt::format("cannot reach the NATS server at {} ({}): {}", servers, text,
                               RemedyFor(status, options.tls.has_value())));
}

}  // namespace

absl::StatusOr<NatsConnection> Open(const NatsOptions& options, const ConnectionCalls& calls) {
  natsOptions* raw = nullptr;
  Attempt attempt;
  attempt(natsOptions_Create(&raw));
  const Options settings(raw);
  if (raw) {
    attempt(SetServers(raw, options));
    attempt(natsOptions_SetName(raw, options.client_id.c_str()));
    SetSecurity(raw, options, attempt);
    SetHabits(raw, attempt);
    SetCalls(raw, calls, attempt);
  }
  natsConnection* connection = nullptr;
  if (attempt.status() == NATS_OK) attempt(natsConnection_Connect(&connection, raw));
  if (attempt.status() != NATS_OK) return FailureOf(attempt.status(), options);
  return NatsConnection(connection);
}

natsStatus Publish(natsConnection& connection, const WireMessage& message) {
  natsMsg* raw = nullptr;
  Attempt attempt;
  attempt(natsMsg_Create(&raw, message.subject.c_str(),
                         message.reply.empty() ? nullptr : message.reply.c_str(), message.body.data(),
                         static_cast<int>(message.body.size())));
  const std::unique_ptr<natsMsg, MessageEnd> owned(raw);
  if (!raw) return attempt.status();
  for (const auto& [name, value] : message.headers)
    attempt(natsMsgHeader_Add(raw, name.c_str(), value.c_str()));
  if (attempt.status() == NATS_OK) attempt(natsConnection_PublishMsg(&connection, raw));
  return attempt.status();
}

WireMessage FromNats(natsMsg& message) {
  const char* const body = natsMsg_GetData(&message);
  WireMessage wire(natsMsg_GetSubject(&message),
                   body ? std::string(body, static_cast<size_t>(natsMsg_GetDataLength(&message))) : "");
  if (const char* const reply = natsMsg_GetReply(&message)) wire.reply = reply;
  const char** names = nullptr;
  int count = 0;
  if (natsMsgHeader_Keys(&message, &names, &count) != NATS_OK) return wire;
  for (int i = 0; i < count; ++i) {
    const char* value = nullptr;
    if (natsMsgHeader_Get(&message, names[i], &value) == NATS_OK) wire.Add(names[i], value ? value : "");
  }
  free(static_cast<void*>(names));
  if (!wire.body.empty()) return wire;
  wire.status = ParseNumber<int>(wire.Header(kStatusHeader)).value_or(0);
  wire.description = wire.Header(kDescriptionHeader);
  return wire;
}

}  // namespace llm_router::nats
