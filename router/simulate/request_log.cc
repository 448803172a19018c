#include "router/simulate/request_log.h"

#include <fmt/core.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "router/simulate/json_view.h"

namespace llm_router::simulate {
namespace {

constexpr size_t kMaxBytes = 64 * 1024 * 1024;
constexpr size_t kMaxBody = 64 * 1024;
constexpr size_t kMaxPaths = 100;

std::string HashOf(std::string_view secret) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), digest.data());
  return fmt::format("sha256:{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2],
                     digest[3], digest[4], digest[5]);
}

bool IsSecret(std::string_view header) {
  return header == "authorization" || header == "x-api-key" || header == "api-key";
}

void HideKeys(HttpHeaders& headers) {
  for (auto& [name, value] : headers) {
    if (IsSecret(name)) value = HashOf(value);
  }
}

}  // namespace

RequestLog::Id RequestLog::Begin(HttpRequest request, std::string_view model, std::string_view fault) {
  const std::string path =
      by_path_.size() < kMaxPaths || by_path_.count(request.path) > 0 ? request.path : "others";
  Entry entry;
  entry.request = std::move(request);
  entry.body_bytes = entry.request.body.size();
  if (entry.body_bytes > kMaxBody) entry.request.body = entry.request.body.substr(0, kMaxBody);
  HideKeys(entry.request.headers);
  entry.model = model;
  entry.fault = fault;
  entry.started_ms = UnixMillis();
  entry.started = Now();
  const Id id = first_ + entries_.size();
  bytes_ += SizeOf(entry);
  entries_.push_back(std::move(entry));
  running_.emplace(id, Running{path});
  ++all_.total;
  ++by_path_[path].total;
  ++by_fault_[std::string(fault)];
  peak_in_flight_ = std::max(peak_in_flight_, ++in_flight_);
  Trim();
  return id;
}

void RequestLog::Stream(Id id, size_t tokens) {
  if (Entry* entry = Find(id)) {
    entry->streamed = true;
    entry->tokens = tokens;
  }
  const auto running = running_.find(id);
  if (id < epoch_first_ || running == running_.end()) return;
  if (!std::exchange(running->second.streamed, true)) ++streams_;
  tokens_ += tokens - std::exchange(running->second.tokens, tokens);
}

void RequestLog::End(Id id, int status, bool finished) {
  if (Entry* entry = Find(id)) {
    entry->status = status;
    entry->outcome = finished ? "finished" : "aborted";
    entry->ended_ms = UnixMillis();
    entry->duration_ms = std::chrono::duration_cast<Milliseconds>(Now() - entry->started).count();
  }
  --in_flight_;
  const auto running = running_.extract(id);
  if (id < epoch_first_ || running.empty()) return;
  Tally& path = by_path_[running.mapped().path];
  ++(finished ? all_.finished : all_.aborted);
  ++(finished ? path.finished : path.aborted);
  ++by_status_[status];
}

// What is under way stays in flight, but is forgotten otherwise.
void RequestLog::Clear() {
  first_ += entries_.size();
  epoch_first_ = first_;
  entries_.clear();
  bytes_ = 0;
  all_ = Tally();
  peak_in_flight_ = in_flight_;
  streams_ = 0;
  tokens_ = 0;
  by_path_.clear();
  by_fault_.clear();
  by_status_.clear();
}

RequestLog::Entry* RequestLog::Find(Id id) {
  if (id < first_ || id - first_ >= entries_.size()) return nullptr;
  return &entries_[id - first_];
}

void RequestLog::Trim() {
  while (entries_.size() > 1 && (entries_.size() > most_ || bytes_ > kMaxBytes)) {
    bytes_ -= SizeOf(entries_.front());
    entries_.pop_front();
    ++first_;
  }
}

size_t RequestLog::SizeOf(const Entry& entry) {
  size_t size = sizeof(Entry) + entry.request.body.size() + entry.request.path.size() +
                entry.request.query.size() + entry.model.size();
  for (const auto& [name, value] : entry.request.headers) size += name.size() + value.size() + 64;
  return size;
}

std::string RequestLog::RequestsJson(size_t last) const {
  Json list = Json::array();
  const size_t skipped = entries_.size() - std::min(last, entries_.size());
  for (size_t i = skipped; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    Json headers = Json::object();
    for (const auto& [name, value] : entry.request.headers) headers[name] = value;
    list.push_back({{"id", first_ + i},
                    {"method", entry.request.method},
                    {"path", entry.request.path},
                    {"query", entry.request.query},
                    {"model", entry.model},
                    {"headers", std::move(headers)},
                    {"body", entry.request.body},
                    {"body_bytes", entry.body_bytes},
                    {"fault", entry.fault},
                    {"status", entry.status},
                    {"outcome", entry.outcome},
                    {"started_ms", entry.started_ms},
                    {"ended_ms", entry.ended_ms},
                    {"duration_ms", entry.duration_ms},
                    {"streamed", entry.streamed},
                    {"tokens", entry.tokens}});
  }
  return Dump({{"requests", std::move(list)}});
}

std::string RequestLog::CountersJson() const {
  Json paths = Json::object();
  for (const auto& [path, tally] : by_path_) {
    paths[path] = {{"total", tally.total}, {"finished", tally.finished}, {"aborted", tally.aborted}};
  }
  Json faults = Json::object();
  for (const auto& [fault, count] : by_fault_) faults[fault] = count;
  Json statuses = Json::object();
  for (const auto& [status, count] : by_status_) statuses[std::to_string(status)] = count;
  return Dump({{"total", all_.total},
               {"finished", all_.finished},
               {"aborted", all_.aborted},
               {"in_flight", in_flight_},
               {"peak_in_flight", peak_in_flight_},
               {"by_path", std::move(paths)},
               {"by_fault", std::move(faults)},
               {"by_status", std::move(statuses)},
               {"streams", streams_},
               {"tokens", tokens_}});
}

}  // namespace llm_router::simulate
