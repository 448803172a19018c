#include "router/config/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "absl/strings/ascii.h"
#include "proto/contract.h"
#include "router/config/checks.h"
#include "router/config/nearest.h"
#include "router/config/prompt_template.h"

namespace llm_router {
namespace {

using enum SettingKind;

constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};

constexpr std::string_view kRedeliveries[] = {"at_least_once", "at_most_once"};

constexpr std::string_view kStorages[] = {"file", "memory"};
constexpr std::string_view kServedBy[] = {"targets", "chain"};

// contract::CheckRouteName.
constexpr std::string_view kRoutePattern = "^(?!llm|stream)[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$";
constexpr std::string_view kWhoMayCome[] = {"keys", "open"};

constexpr Setting kRoot{.path = ""};

// clang-format off
constexpr Setting kTable[] = {
    {.path = "access", .kind = kChoice, .fallback = "keys", .choices = kWhoMayCome,
     .store = [](Config& config, const SettingValue& value) { config.open_access = value.text == "open"; },
     .help = "open: everyone who reaches this server may use it, from other machines too. Otherwise callers "
             "need a key; without any, only this machine can reach it."},

    {.path = "broker", .kind = kGroup, .shorthand = "url",
     .help = "What carries the messages."},
    {.path = "broker.url", .kind = kText, .fallback = "embedded:./llm-router-data", .least = 1, .most = 4096,
     .store = [](Config& config, const SettingValue& value) { config.broker.url = value.text; },
     .help = "embedded:DIR in this process, kubemq://host:port, or nats://host:port,host:port."},
    {.path = "broker.key", .kind = kText, .secret = true, .most = 8192, .check = CheckKey,
     .store = [](Config& config, const SettingValue& value) { config.broker.key = Secret(value.text); },
     .help = "The key, or NATS token, that a broker elsewhere asks for; best read from the environment: ${LLM_ROUTER_KEY}."},
    {.path = "broker.user", .kind = kText, .most = 256,
     .store = [](Config& config, const SettingValue& value) { config.broker.user = value.text; },
     .help = "NATS: the user to be, with broker.password."},
    {.path = "broker.password", .kind = kText, .secret = true, .most = 8192,
     .store = [](Config& config, const SettingValue& value) { config.broker.password = Secret(value.text); },
     .help = "NATS: the password of broker.user; best read from the environment."},
    {.path = "broker.creds", .kind = kText, .most = 4096,
     .store = [](Config& config, const SettingValue& value) { config.broker.creds = value.text; },
     .help = "NATS: a credentials file, as nsc makes them."},
    {.path = "broker.ca", .kind = kText, .most = 4096,
     .store = [](Config& config, const SettingValue& value) { config.broker.tls.ca = value.text; },
     .help = "TLS: a PEM file with the CA that signed the broker's certificate, or system for those this machine trusts."},
    {.path = "broker.cert", .kind = kText, .most = 4096,
     .store = [](Config& config, const SettingValue& value) { config.broker.tls.cert = value.text; },
     .help = "TLS: a PEM file with the certificate to show, where the broker asks for one."},
    {.path = "broker.cert_key", .kind = kText, .most = 4096,
     .store = [](Config& config, const SettingValue& value) { config.broker.tls.cert_key = value.text; },
     .help = "TLS: a PEM file with the private key to broker.cert."},
    {.path = "broker.replicas", .kind = kInteger, .fallback = "1", .least = 1, .most = 5,
     .store = [](Config& config, const SettingValue& value) { config.broker.replicas = static_cast<int>(value.number); },
     .help = "NATS: on how many servers of its cluster each queue is kept; for queues made from now on."},
    {.path = "broker.storage", .kind = kChoice, .fallback = "file", .choices = kStorages,
     .store = [](Config& config, const SettingValue& value) { config.broker.in_memory = value.text == "memory"; },
     .help = "NATS: where its servers keep queues; for queues made from now on."},

    {.path = "http", .kind = kGroup,
     .help = "The OpenAI and Anthropic HTTP door."},
    {.path = "http.cors", .kind = kList, .least = 0, .most = 100,
     .help = "The origins of web pages that may call it from a browser. Default: none but its own."},
    {.path = "http.cors[]", .kind = kText, .least = 1, .most = 256, .example = "https://app.example.com", .pattern = "^(\\*|https?://[^/?#@ ]+)$",
     .check = CheckOrigin,
     .store = [](Config& config, const SettingValue& value) { config.http.cors.push_back(value.text); },
     .help = "One origin, as browsers send it, or * for any."},

    {.path = "jobs", .kind = kGroup,
     .help = "What is kept of jobs and batches."},
    {.path = "jobs.keep_results", .kind = kInteger, .fallback = "168", .least = 1, .most = 87'600,
     .store = [](Config& config, const SettingValue& value) { config.jobs.keep_results = value.number; },
     .help = "Hours that jobs and batches are kept after they are over, with their results."},

    {.path = "keys", .kind = kList, .least = 0, .most = 10'000,
     .help = "Who may come in; `llm-router keys new` makes an entry. Reloaded on change."},
    {.path = "keys[]", .kind = kGroup,
     .store = [](Config& config, const SettingValue&) { config.keys.emplace_back(); },
     .help = "One key."},
    {.path = "keys[].hash", .kind = kText, .required = true, .secret = true, .least = 1, .most = 128,
     .example = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     .pattern = "^sha256:[0-9a-f]{64}$", .remedy = "give the entry that `llm-router keys new` printed", .check = CheckKeyHash,
     .store = [](Config& config, const SettingValue& value) { config.keys.back().hash = value.text.substr(kKeyHashPrefix.size()); },
     .help = "sha256: and the SHA-256 of the key in hex; the key itself is kept nowhere."},
    {.path = "keys[].tenant", .kind = kText, .required = true, .least = 1, .most = 64, .example = "acme", .pattern = "^[A-Za-z0-9_-]+$",
     .remedy = "name who the key belongs to", .check = CheckTenant,
     .store = [](Config& config, const SettingValue& value) { config.keys.back().tenant = value.text; },
     .help = "Who it belongs to: queries, jobs, caches and usage are kept apart by it."},
    {.path = "keys[].access", .kind = kChoice, .fallback = "caller", .choices = kAccessLevelNames,
     .store = [](Config& config, const SettingValue& value) { config.keys.back().access = AccessLevelNamed(value.text); },
     .help = "What it may do: caller asks, worker serves routes, admin looks after the server."},
    {.path = "keys[].routes", .kind = kList, .least = 0, .most = 1000,
     .help = "The routes it may use. Default: all."},
    {.path = "keys[].routes[]", .kind = kText, .least = 1, .most = 256, .example = "openai", .pattern = kRoutePattern, .check = contract::CheckRouteName,
     .store = [](Config& config, const SettingValue& value) { config.keys.back().routes.push_back(value.text); },
     .help = "The name of a route."},
    {.path = "keys[].id", .kind = kText, .most = 64, .check = CheckKeyId,
     .store = [](Config& config, const SettingValue& value) { config.keys.back().id = value.text; },
     .help = "What logs call it. Default: the hash's first 8 digits."},
    {.path = "keys_file", .kind = kText, .most = 4096,
     .store = [](Config& config, const SettingValue& value) { config.keys_file = value.text; },
     .help = "A file with more keys, a list like `keys`. Reloaded on change."},

    {.path = "limits", .kind = kGroup,
     .help = "Bounds on sizes and times."},
    {.path = "limits.body", .kind = kInteger, .fallback = "33554432", .least = 1024, .most = 104857600,
     .store = [](Config& config, const SettingValue& value) { config.limits.body = value.number; },
     .help = "Bytes of the largest query or reply."},
    {.path = "limits.drain_seconds", .kind = kInteger, .fallback = "600", .least = 0, .most = 86'400,
     .store = [](Config& config, const SettingValue& value) { config.limits.drain_seconds = value.number; },
     .help = "Seconds that a stop waits for what runs; then queries are ended, and jobs go back to their queues."},
    {.path = "limits.event_bytes", .kind = kInteger, .fallback = "10737418240", .least = 1'048'576, .most = 1'000'000'000'000'000,
     .store = [](Config& config, const SettingValue& value) { config.limits.event_bytes = value.number; },
     .help = "Bytes of stored events that the embedded broker keeps on disk; the oldest go first."},
    {.path = "limits.event_hours", .kind = kInteger, .fallback = "24", .least = 1, .most = 87'600,
     .store = [](Config& config, const SettingValue& value) { config.limits.event_hours = value.number; },
     .help = "Hours that the embedded broker keeps a stored event."},
    {.path = "limits.queue_bytes", .kind = kInteger, .fallback = "10737418240", .least = 1'048'576, .most = 1'000'000'000'000'000,
     .store = [](Config& config, const SettingValue& value) { config.limits.queue_bytes = value.number; },
     .help = "Bytes that the embedded broker's queues may hold on disk."},

    {.path = "listen", .kind = kGroup,
     .help = "Where callers come in."},
    {.path = "listen.host", .kind = kText, .fallback = "127.0.0.1", .least = 1, .most = 255, .check = CheckHost,
     .store = [](Config& config, const SettingValue& value) { config.listen.host = value.text; },
     .help = "The address all doors are bound to."},
    {.path = "listen.grpc", .kind = kInteger, .fallback = "50000", .least = 0, .most = 65535,
     .store = [](Config& config, const SettingValue& value) { config.listen.grpc = static_cast<int>(value.number); },
     .help = "Port of the KubeMQ gRPC door; 0 = any free one."},
    {.path = "listen.rest", .kind = kInteger, .fallback = "9090", .least = 0, .most = 65535,
     .store = [](Config& config, const SettingValue& value) { config.listen.rest = static_cast<int>(value.number); },
     .help = "Port of the KubeMQ REST and WebSocket door; 0 = any free one."},
    {.path = "listen.admin", .kind = kInteger, .fallback = "8080", .least = 0, .most = 65535,
     .store = [](Config& config, const SettingValue& value) { config.listen.admin = static_cast<int>(value.number); },
     .help = "Port of health, readiness and metrics; 0 = any free one."},
    {.path = "listen.http", .kind = kInteger, .fallback = "4000", .least = 0, .most = 65535,
     .store = [](Config& config, const SettingValue& value) { config.listen.http = static_cast<int>(value.number); },
     .help = "Port of the OpenAI and Anthropic HTTP door; 0 = any free one."},
    {.path = "listen.tls", .kind = kGroup,
     .help = "TLS on every port; the files are read again when they change."},
    {.path = "listen.tls.cert", .kind = kText, .most = 4096,
     .store = [](Config& config, const SettingValue& value) { config.listen.tls.cert = value.text; },
     .help = "A PEM file with the certificate to show, followed by those between it and its CA."},
    {.path = "listen.tls.cert_key", .kind = kText, .most = 4096,
     .store = [](Config& config, const SettingValue& value) { config.listen.tls.cert_key = value.text; },
     .help = "A PEM file with the private key to it."},
    {.path = "listen.tls.client_ca", .kind = kText, .most = 4096,
     .store = [](Config& config, const SettingValue& value) { config.listen.tls.ca = value.text; },
     .help = "A PEM file with a CA: only callers with a certificate that it signed are let in."},

    {.path = "log", .kind = kChoice, .fallback = "info", .choices = kLevels,
     .store = [](Config& config, const SettingValue& value) { config.log_level = value.text; },
     .help = "The least level that is logged."},

    {.path = "providers", .kind = kMap, .least = 0, .most = 1000,
     .help = "The chat APIs that routes may call, each under an id of your choice."},
    {.path = "providers.*", .kind = kGroup, .example = "openai", .pattern = "^[A-Za-z0-9_.-]{1,128}$", .check = CheckProviderId,
     .store = [](Config& config, const SettingValue& value) { config.providers.emplace_back().id = value.text; },
     .help = "One provider."},
    {.path = "providers.*.type", .kind = kText, .required = true, .least = 1, .most = 64, .example = "openai",
     .store = [](Config& config, const SettingValue& value) { config.providers.back().type = value.text; },
     .help = "Which API it speaks, and how."},
    {.path = "providers.*.base_url", .kind = kText, .most = 2048, .example = "https://api.openai.com/v1", .pattern = "^https?://[^/?#@ ]+(/[^?#@ ]*)?$",
     .check = CheckBaseUrl,
     .store = [](Config& config, const SettingValue& value) { config.providers.back().base_url = value.text; },
     .help = "Where it is, up to the version: https://host/v1. Default: its type's."},
    {.path = "providers.*.key", .kind = kText, .secret = true, .most = 8192, .example = "${OPENAI_API_KEY}", .check = CheckKey,
     .store = [](Config& config, const SettingValue& value) {
       config.providers.back().key = Secret(value.text);
       config.providers.back().key_variable = value.variable;
     },
     .help = "Its API key; best read from the environment: ${OPENAI_API_KEY}."},
    {.path = "providers.*.api_version", .kind = kText, .most = 64, .example = "2024-10-21", .pattern = "^[A-Za-z0-9_.-]+$",
     .check = CheckApiVersion,
     .store = [](Config& config, const SettingValue& value) { config.providers.back().api_version = value.text; },
     .help = "The version of its API, for types whose URLs name one (azure). Default: its type's."},
    {.path = "providers.*.headers", .kind = kMap, .least = 0, .most = 32,
     .help = "HTTP headers that every call of it has, such as HTTP-Referer for openrouter."},
    {.path = "providers.*.headers.*", .kind = kText, .secret = true, .least = 1, .most = 8192, .example = "https://example.org",
     .check = CheckHeaderValue, .check_name = CheckHeaderName,
     .store = [](Config& config, const SettingValue& value) {
       config.providers.back().headers.emplace_back(absl::AsciiStrToLower(value.name), Secret(value.text));
     },
     .help = "One header; its value is never shown."},

    {.path = "routes", .kind = kMap, .least = 0, .most = 1000,
     .help = "The channels that are served, each under its name."},
    {.path = "routes.*", .kind = kGroup, .one_of = kServedBy, .example = "openai", .pattern = kRoutePattern, .check = contract::CheckRouteName,
     .store = [](Config& config, const SettingValue& value) { config.routes.emplace_back().name = value.text; },
     .help = "One route: queries on the channel NAME_requests."},
    {.path = "routes.*.chain", .kind = kList, .least = 1, .most = 16,
     .remedy = "give at least one step, as [ { route: NAME, prompt: \"{input}\" } ]",
     .help = "In place of targets: other routes that are asked one after the other."},
    {.path = "routes.*.chain[]", .kind = kGroup,
     .store = [](Config& config, const SettingValue&) { config.routes.back().chain.emplace_back(); },
     .help = "One step."},
    {.path = "routes.*.chain[].prompt", .kind = kText, .required = true, .least = 1, .most = 65536, .example = "Summarize: {input}",
     .remedy = "give it, with {input} for the query's text and {previous} for the step's before", .check = CheckPrompt,
     .store = [](Config& config, const SettingValue& value) { config.routes.back().chain.back().prompt = value.text; },
     .help = "What the step asks: {input} is the query's text, {previous} the answer of the step before; {{ and }} are braces."},
    {.path = "routes.*.chain[].route", .kind = kText, .required = true, .least = 1, .most = 128, .example = "claude",
     .pattern = kRoutePattern, .remedy = "give the name of a route", .check = contract::CheckRouteName,
     .store = [](Config& config, const SettingValue& value) { config.routes.back().chain.back().route = value.text; },
     .help = "The route that is asked; another worker may serve it."},
    {.path = "routes.*.concurrency", .kind = kInteger, .fallback = "256", .least = 1, .most = 100'000,
     .store = [](Config& config, const SettingValue& value) { config.routes.back().concurrency = static_cast<int>(value.number); },
     .help = "Queries and jobs running at once, per worker."},
    {.path = "routes.*.reserve", .kind = kInteger, .least = 0, .most = 100'000, .example = "25",
     .store = [](Config& config, const SettingValue& value) { config.routes.back().reserve = static_cast<int>(value.number); },
     .help = "How many of them jobs leave free, so that a query always finds room; all of them: this worker takes no jobs. "
             "Default: a tenth of concurrency."},
    {.path = "routes.*.job_concurrency", .kind = kInteger, .fallback = "0", .least = 0, .most = 1'000'000,
     .store = [](Config& config, const SettingValue& value) { config.routes.back().job_concurrency = value.number; },
     .help = "Jobs handed to the workers at once, all workers together; 0 = as many as keep them busy."},
    {.path = "routes.*.redelivery", .kind = kChoice, .fallback = "at_least_once", .choices = kRedeliveries,
     .store = [](Config& config, const SettingValue& value) { config.routes.back().at_most_once = value.text == "at_most_once"; },
     .help = "What becomes of a job whose worker died at work: at_least_once calls the provider again, at_most_once fails the job."},
    {.path = "routes.*.runs", .kind = kInteger, .fallback = "5", .least = 1, .most = 100,
     .store = [](Config& config, const SettingValue& value) { config.routes.back().runs = value.number; },
     .help = "How often a job is tried before it has failed; a busy provider does not count."},
    {.path = "routes.*.targets", .kind = kList, .least = 1, .most = 64,
     .remedy = "give at least one, as [ { provider: ID, model: NAME } ], or a chain",
     .help = "What the route may call, tried in order."},
    {.path = "routes.*.targets[]", .kind = kGroup,
     .store = [](Config& config, const SettingValue&) { config.routes.back().targets.emplace_back(); },
     .help = "One target."},
    {.path = "routes.*.targets[].provider", .kind = kText, .required = true, .least = 1, .most = 128, .example = "openai",
     .remedy = "give the id of one of the providers",
     .store = [](Config& config, const SettingValue& value) { config.routes.back().targets.back().provider = value.text; },
     .help = "The id of a provider."},
    {.path = "routes.*.targets[].model", .kind = kText, .most = 256, .example = "gpt-4o-mini",
     .store = [](Config& config, const SettingValue& value) { config.routes.back().targets.back().model = value.text; },
     .help = "The model, as the provider names it. Default: its type's."},

    {.path = "store", .kind = kText, .most = 4096, .example = "sqlite:./llm-router-data", .pattern = "^sqlite:.+$",
     .check = CheckStore,
     .store = [](Config& config, const SettingValue& value) { config.store = value.text; },
     .help = "Where the jobs service keeps jobs and batches: sqlite:DIR. Default: the embedded broker's folder, else "
             "./llm-router-data."},

    {.path = "tracing", .kind = kGroup, .shorthand = "endpoint",
     .help = "Spans of queries and jobs, for OpenTelemetry. Without an endpoint there are none."},
    {.path = "tracing.endpoint", .kind = kText, .most = 2048, .example = "http://127.0.0.1:4318", .pattern = "^https?://[^/?#@ ]+(/[^?#@ ]*)?$",
     .check = CheckCollectorUrl,
     .store = [](Config& config, const SettingValue& value) { config.tracing.endpoint = value.text; },
     .help = "A collector that takes OTLP over HTTP, as JSON, at ENDPOINT/v1/traces."},
    {.path = "tracing.headers", .kind = kMap, .least = 0, .most = 32,
     .help = "HTTP headers of what is sent to it, such as authorization; best read from the environment."},
    {.path = "tracing.headers.*", .kind = kText, .secret = true, .least = 1, .most = 8192, .example = "Bearer KEY",
     .check = CheckHeaderValue, .check_name = CheckCollectorHeaderName,
     .store = [](Config& config, const SettingValue& value) {
       config.tracing.headers.emplace_back(absl::AsciiStrToLower(value.name), Secret(value.text));
     },
     .help = "One header; its value is never shown."},
    {.path = "tracing.sample_percent", .kind = kInteger, .fallback = "10", .least = 0, .most = 100,
     .store = [](Config& config, const SettingValue& value) { config.tracing.sample_percent = static_cast<int>(value.number); },
     .help = "Percent of the traces that begin here that are recorded (100: each); those of callers who send a traceparent are as it says."},
};

struct RefusedSetting {
  std::string_view path;
  std::string_view sentence;
};
constexpr RefusedSetting kRefused[] = {
    {"routes.*.targets[].weight",
     "weight is not available in this version: remove it, targets are tried in the order they are listed"},
};
// clang-format on

}  // namespace

const std::string_view kBuiltInSettings = R"(
providers:
  openai:    { type: openai, key: "${OPENAI_API_KEY}" }
  anthropic: { type: anthropic, key: "${ANTHROPIC_API_KEY}" }
routes:
  openai: { targets: [ { provider: openai, model: gpt-4o-mini } ] }
  claude: { targets: [ { provider: anthropic, model: claude-sonnet-4-5 } ] }
)";

std::span<const Setting> AllSettings() { return kTable; }

const Setting& RootSetting() { return kRoot; }

std::string_view NameOf(const Setting& setting) {
  const size_t bracket = setting.path.ends_with("[]") ? setting.path.size() - 2 : std::string_view::npos;
  const size_t dot = setting.path.rfind('.');
  if (bracket != std::string_view::npos) return setting.path.substr(bracket);
  return dot == std::string_view::npos ? setting.path : setting.path.substr(dot + 1);
}

std::vector<const Setting*> ChildrenOf(const Setting& parent) {
  std::vector<const Setting*> children;
  for (const Setting& row : kTable) {
    if (row.path == JoinPath(parent.path, NameOf(row))) children.push_back(&row);
  }
  return children;
}

std::string UnknownSetting(const Setting& parent, std::string_view name) {
  for (const RefusedSetting& refused : kRefused) {
    if (refused.path == JoinPath(parent.path, name)) return std::string(refused.sentence);
  }
  std::vector<std::string_view> known;
  for (const Setting* child : ChildrenOf(parent)) known.push_back(NameOf(*child));
  if (const auto nearest = Nearest(name, known))
    return fmt::format("is no setting: did you mean {}?", *nearest);
  return fmt::format("is no setting: there are {}", fmt::join(known, ", "));
}

std::string JoinPath(std::string_view parent, std::string_view step) {
  if (parent.empty() || step.starts_with('[')) return fmt::format("{}{}", parent, step);
  return fmt::format("{}.{}", parent, step);
}

}  // namespace llm_router
