#include "broker_adapters/nats/jetstream_text.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/nats/subjects.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

using Json = nlohmann::json;

constexpr int64_t kDedupe = 120'000'000'000;                    // ns in which the same message id counts once
constexpr int64_t kNotesAge = int64_t{7} * 86'400'000'000'000;  // ns
constexpr int64_t kMostNotes = 1'000'000;
constexpr int kMostLeased = 65'536;      // per queue, of all its receivers together
constexpr int kMostDelayed = 1'000'000;  // per queue
constexpr int kMostPulls = 4'096;
constexpr int kNoSpace = 10'047;
constexpr int kNoResources = 10'023;

Json Parse(std::string_view text) { return Json::parse(text, nullptr, false); }

// Members of an answer, whatever its shape.
const Json* Find(const Json& json, std::string_view name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(std::string(name));
  return found == json.end() ? nullptr : &*found;
}

uint64_t Unsigned(const Json* json) { return json && json->is_number_unsigned() ? json->get<uint64_t>() : 0; }
std::string Text(const Json* json) { return json && json->is_string() ? json->get<std::string>() : ""; }

Json Kept(const Keeping& keeping) {
  return Json{{"storage", keeping.in_memory ? "memory" : "file"},
              {"num_replicas", keeping.replicas},
              {"discard", "new"},
              {"duplicate_window", kDedupe}};
}

Fault FaultFor(uint64_t status, uint64_t code) {
  if (code == kNoSpace || code == kNoResources) return Fault::kStorageFailed;
  if (status == 503) return Fault::kEngineUnavailable;
  return status == 400 ? Fault::kInvalidRequest : Fault::kInternal;
}

}  // namespace

std::string CreateStream(std::string_view stream) { return fmt::format("$JS.API.STREAM.CREATE.{}", stream); }

std::string StreamConfig(std::string_view queue, const Keeping& keeping) {
  Json config = Kept(keeping);
  config["name"] = StreamOf(queue);
  config["subjects"] = {QueueSubject(queue), LaterSubject(queue)};
  config["retention"] = "workqueue";  // a message is gone once it is acknowledged
  config["allow_direct"] = true;      // for who peeks
  return config.dump();
}

std::string NotesConfig(const Keeping& keeping) {
  Json config = Kept(keeping);
  config["name"] = kNotesStream;
  config["subjects"] = {"llm-router.note.>"};
  config["retention"] = "limits";
  config["discard"] = "old";
  config["max_msgs_per_subject"] = 1;
  config["max_msgs"] = kMostNotes;
  config["max_age"] = kNotesAge;
  return config.dump();
}

std::string CreateConsumer(std::string_view stream, std::string_view consumer) {
  return fmt::format("$JS.API.CONSUMER.DURABLE.CREATE.{}.{}", stream, consumer);
}

std::string ConsumerConfig(std::string_view stream, std::string_view consumer, std::string_view subject,
                           std::chrono::nanoseconds lease) {
  const Json config{{"durable_name", consumer},
                    {"filter_subject", subject},
                    {"deliver_policy", "all"},
                    {"ack_policy", "explicit"},
                    {"ack_wait", lease.count()},
                    {"max_deliver", -1},  // the limit is each message's own
                    {"max_ack_pending", consumer == kLaterConsumer ? kMostDelayed : kMostLeased},
                    {"max_waiting", kMostPulls},
                    {"replay_policy", "instant"}};
  return Json{{"stream_name", stream}, {"config", config}}.dump();
}

std::string NextMessage(std::string_view stream, std::string_view consumer) {
  return fmt::format("$JS.API.CONSUMER.MSG.NEXT.{}.{}", stream, consumer);
}

std::string Pull(size_t batch, std::chrono::nanoseconds wait) {
  Json pull{{"batch", batch}};
  if (wait.count() > 0) {
    pull["expires"] = wait.count();
  } else {
    pull["no_wait"] = true;
  }
  return pull.dump();
}

std::string StreamInfo(std::string_view stream) { return fmt::format("$JS.API.STREAM.INFO.{}", stream); }
std::string GetMessage(std::string_view stream) { return fmt::format("$JS.API.STREAM.MSG.GET.{}", stream); }
std::string LastOn(std::string_view subject) { return Json{{"last_by_subj", subject}}.dump(); }
std::string PurgeStream(std::string_view stream) { return fmt::format("$JS.API.STREAM.PURGE.{}", stream); }
std::string OnlyOn(std::string_view subject) { return Json{{"filter", subject}}.dump(); }
std::string ConsumerInfo(std::string_view stream, std::string_view consumer) {
  return fmt::format("$JS.API.CONSUMER.INFO.{}.{}", stream, consumer);
}
std::string GetDirect(std::string_view stream) { return fmt::format("$JS.API.DIRECT.GET.{}", stream); }
std::string NextOn(std::string_view subject, uint64_t sequence) {
  return Json{{"seq", sequence}, {"next_by_subj", subject}}.dump();
}
std::string From(size_t offset) { return Json{{"offset", offset}}.dump(); }

absl::Status ErrorIn(std::string_view answer) {
  const Json json = Parse(answer);
  if (!json.is_object())
    return MakeFault(Fault::kInternal, "JetStream answered something that is no JSON object");
  const Json* const error = Find(json, "error");
  if (!error) return absl::OkStatus();
  const uint64_t code = Unsigned(Find(*error, "err_code"));
  return MakeFault(FaultFor(Unsigned(Find(*error, "code")), code),
                   fmt::format("the NATS server says: {} ({})", Text(Find(*error, "description")), code));
}

int CodeIn(std::string_view answer) {
  const Json json = Parse(answer);
  const Json* const error = Find(json, "error");
  return error ? static_cast<int>(std::min<uint64_t>(Unsigned(Find(*error, "err_code")), 99'999)) : 0;
}

absl::StatusOr<uint64_t> SequenceIn(std::string_view answer) {
  if (auto error = ErrorIn(answer); !error.ok()) return error;
  const uint64_t sequence = Unsigned(Find(Parse(answer), "seq"));
  if (sequence > 0) return sequence;
  return MakeFault(Fault::kInternal, "JetStream acknowledged a message without its number");
}

std::optional<std::string> BodyIn(std::string_view answer) {
  const Json json = Parse(answer);
  const Json* const message = Find(json, "message");
  if (!message) return std::nullopt;
  std::string body;
  if (!absl::Base64Unescape(Text(Find(*message, "data")), &body)) return std::nullopt;
  return body;
}

absl::StatusOr<StreamState> StateIn(std::string_view answer) {
  if (auto error = ErrorIn(answer); !error.ok()) return error;
  const Json json = Parse(answer);
  StreamState state;
  const Json* const found = Find(json, "state");
  if (!found) return state;
  if (const Json* const subjects = Find(*found, "subjects"); subjects && subjects->is_object()) {
    for (const auto& [subject, count] : subjects->items()) state.messages[subject] = Unsigned(&count);
  }
  if (Unsigned(Find(*found, "messages")) > 0) state.first_at = ParseTime(Text(Find(*found, "first_ts")));
  return state;
}

absl::StatusOr<uint64_t> PurgedIn(std::string_view answer) {
  if (auto error = ErrorIn(answer); !error.ok()) return error;
  return Unsigned(Find(Parse(answer), "purged"));
}

absl::StatusOr<uint64_t> GivenIn(std::string_view answer) {
  if (auto error = ErrorIn(answer); !error.ok()) return error;
  const Json json = Parse(answer);
  const Json* const given = Find(json, "delivered");
  return given ? Unsigned(Find(*given, "stream_seq")) : 0;
}

absl::StatusOr<StreamPage> PageIn(std::string_view answer) {
  if (auto error = ErrorIn(answer); !error.ok()) return error;
  const Json json = Parse(answer);
  StreamPage page;
  page.total = Unsigned(Find(json, "total"));
  const Json* const streams = Find(json, "streams");
  if (!streams || !streams->is_array()) return page;
  page.streams = streams->size();
  for (const Json& stream : *streams) {
    const Json* const config = Find(stream, "config");
    const Json* const state = Find(stream, "state");
    const Json* const subjects = config ? Find(*config, "subjects") : nullptr;
    if (!state || !subjects || !subjects->is_array() || subjects->empty()) continue;
    QueueStream row;
    row.queue = ChannelOf(Text(&subjects->front()));
    if (row.queue.empty() || Text(Find(*config, "name")) != StreamOf(row.queue)) continue;
    row.messages = Unsigned(Find(*state, "messages"));
    row.bytes = Unsigned(Find(*state, "bytes"));
    row.first_sequence = Unsigned(Find(*state, "first_seq"));
    row.last_sequence = Unsigned(Find(*state, "last_seq"));
    page.queues.push_back(std::move(row));
  }
  return page;
}

// $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.<sequence>.<consumer's>.<time>.<pending>[.<random>]
std::optional<Ticket> ParseTicket(std::string_view reply) {
  const std::vector<std::string> tokens = absl::StrSplit(absl::string_view(reply.data(), reply.size()), '.');
  if (tokens.size() < 9 || tokens[0] != "$JS" || tokens[1] != "ACK") return std::nullopt;
  const size_t first = tokens.size() >= 11 ? 4 : 2;
  Ticket ticket;
  ticket.stream = tokens[first];
  const auto deliveries = ParseNumber<uint64_t>(tokens[first + 2]);
  const auto sequence = ParseNumber<uint64_t>(tokens[first + 3]);
  const auto stored_at = ParseNumber<int64_t>(tokens[first + 5]);
  if (!deliveries || !sequence || !stored_at) return std::nullopt;
  ticket.deliveries = static_cast<int>(std::min<uint64_t>(*deliveries, std::numeric_limits<int>::max()));
  ticket.sequence = *sequence;
  ticket.stored_at = *stored_at;
  return ticket;
}

int64_t ParseTime(std::string_view text) {
  tm parts{};
  const std::string copy(text);
  const char* const rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!rest) return 0;
  int64_t nanos = 0;
  if (*rest == '.') {
    int64_t unit = 100'000'000;
    for (const char* digit = rest + 1; *digit >= '0' && *digit <= '9'; ++digit, unit /= 10)
      nanos += (*digit - '0') * unit;
  }
  return static_cast<int64_t>(timegm(&parts)) * 1'000'000'000 + nanos;
}

}  // namespace llm_router::nats
