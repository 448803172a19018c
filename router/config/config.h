// Config: everything a process was told, checked and with defaults filled in. A plain value, read once at
// start.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "broker_adapters/base/secret.h"
#include "broker_adapters/base/tls_files.h"
#include "router/config/access_level.h"

namespace llm_router {

struct BrokerConfig {
  std::string url = "embedded:./llm-router-data";
  Secret key;  // for a broker elsewhere, as is the rest
  std::string user;
  Secret password;
  std::string creds;  // a file
  TlsFiles tls;
  int replicas = 1;
  bool in_memory = false;
};

struct ListenConfig {
  std::string host = "127.0.0.1";
  int grpc = 50000;  // ports; 0 = any free one
  int rest = 9090;
  int admin = 8080;
  int http = 4000;
  TlsFiles tls;  // of every port; `ca` is that of callers
};

struct HttpConfig {
  std::vector<std::string> cors;  // origins of web pages that may call port `listen.http`
};

struct ProviderConfig {
  ProviderConfig() = default;

  std::string id;
  std::string type;      // a row of router/providers
  std::string base_url;  // empty: the row's
  Secret key;
  std::string key_variable;  // the environment name the key is read from; empty: none was named
  std::string api_version;   // empty: the row's
  std::vector<std::pair<std::string, Secret>> headers;  // on every call, names in lower case
};

struct TargetConfig {
  TargetConfig() = default;

  std::string provider;
  std::string model;
};

struct ChainStepConfig {
  ChainStepConfig() = default;

  std::string route;
  std::string prompt;  // a PromptTemplate
};

// Has either targets or a chain.
struct RouteConfig {
  RouteConfig() = default;

  std::string name;
  std::vector<TargetConfig> targets;   // tried in order
  std::vector<ChainStepConfig> chain;  // asked one after the other
  int concurrency = 256;               // queries and jobs running at once, per worker
  int reserve = 25;                    // of them, those that jobs leave free
  bool at_most_once = false;           // a job whose worker died is not run again
  int64_t runs = 5;                    // of a job, before it has failed
  int64_t job_concurrency = 0;         // jobs at the workers at once; 0 = no bound
};

struct KeyConfig {
  KeyConfig() = default;

  std::string id;    // for logs; empty: the hash's first digits
  std::string hash;  // SHA-256 of the key, 64 lower-case hex digits
  std::string tenant;
  std::vector<std::string> routes;  // empty: all
  AccessLevel access = AccessLevel::kCaller;

  bool operator==(const KeyConfig&) const = default;
};

struct JobsConfig {
  int64_t keep_results = 168;  // hours
};

struct LimitsConfig {
  int64_t body = 32 * 1024 * 1024;                         // bytes of a query or a reply
  int64_t queue_bytes = int64_t{10} * 1024 * 1024 * 1024;  // of the embedded broker's queues, on disk
  int64_t event_bytes = int64_t{10} * 1024 * 1024 * 1024;  // of its stored events, on disk
  int64_t event_hours = 24;                                // that it keeps one
  int64_t drain_seconds = 600;                             // that a stop waits for what runs
};

struct TracingConfig {
  std::string endpoint;                                 // of an OTLP collector; empty: nothing is traced
  std::vector<std::pair<std::string, Secret>> headers;  // of what is sent to it, names in lower case
  int sample_percent = 10;
};

struct Config {
  Config() = default;

  std::string log_level = "info";
  BrokerConfig broker;
  ListenConfig listen;
  HttpConfig http;
  LimitsConfig limits;
  JobsConfig jobs;
  std::string store;            // sqlite:DIR; empty: the broker's folder
  std::vector<KeyConfig> keys;  // those of `keys_file` included
  std::string keys_file;        // some of `keys` come from it; empty: none
  bool open_access = false;     // no keys are wanted, even of callers from other machines
  std::vector<ProviderConfig> providers;
  std::vector<RouteConfig> routes;
  TracingConfig tracing;
  std::string file;     // it was read from; empty: built in
  std::string version;  // a hash of the effective settings, secrets left out; for heartbeats
};

}  // namespace llm_router
