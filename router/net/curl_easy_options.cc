#include "router/net/curl_easy_options.h"

#include <csignal>
#include <cstdlib>
#include <string>

namespace llm_router {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string TrustedCertificates() {
  const std::string file = Environment("SSL_CERT_FILE");
  return file.empty() ? "/etc/ssl/certs/ca-certificates.crt" : file;
}

// The hosts reached without a proxy: those of the environment and, whatever it says, this machine itself.
std::string NoProxy() {
  std::string hosts = Environment("no_proxy");
  if (hosts.empty()) hosts = Environment("NO_PROXY");
  if (hosts == "*") return hosts;
  if (!hosts.empty()) hosts += ',';
  return hosts + "localhost,127.0.0.1,::1";
}

// OpenSSL writes with write(2), which raises SIGPIPE when the other side is gone, and libcurl's own guard
// costs two system calls each time it is entered. A handler that somebody installed stays.
void IgnoreBrokenPipes() {
  struct sigaction present{};
  if (sigaction(SIGPIPE, nullptr, &present) == 0 && present.sa_handler == SIG_DFL) {
    std::signal(SIGPIPE, SIG_IGN);
  }
}

}  // namespace

void InitCurl() {
  static const bool initialised = [] {
    IgnoreBrokenPipes();
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  }();
  if (!initialised) std::abort();  // out of memory before anything runs
}

void SetSharedOptions(CURL* easy) {
  static const std::string certificates = TrustedCertificates();
  static const std::string no_proxy = NoProxy();
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "llm-router");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, no_proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_CAINFO, certificates.c_str());
  // With a CApath, which Debian's libcurl sets by itself, every new connection would parse all certificates
  // anew: 17 ms of a stalled loop.
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  // An aborted call must not wait on the loop thread for a name server that does not answer.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

}  // namespace llm_router
