#include "broker_adapters/nats/subjects.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include "broker_adapters/base/status.h"
#include "broker_adapters/pattern.h"
#include "proto/fault.h"

namespace llm_router::nats {
namespace {

constexpr size_t kMostName = 1'024;  // NATS's control line has 4,096 bytes for two of them
constexpr size_t kMostPlain = 160;   // of an escaped name, then it is cut and hashed
constexpr size_t kKeptOfLong = 100;
constexpr std::string_view kStreamPrefix = "llm-router-queue-";

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string HashOf(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string hex;
  for (size_t i = 0; i < 16; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

absl::Status CheckLength(std::string_view name) {
  if (name.size() <= kMostName) return absl::OkStatus();
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("a name has {} bytes and may have {}: shorten it", name.size(), kMostName));
}

}  // namespace

std::string QuerySubject(Kind kind, std::string_view channel) {
  return fmt::format("llm-router.{}.{}", kind == Kind::kCommand ? "command" : "query", channel);
}
std::string EventSubject(std::string_view channel) { return fmt::format("llm-router.event.{}", channel); }
std::string QueueSubject(std::string_view queue) { return fmt::format("llm-router.queue.{}", queue); }
std::string LaterSubject(std::string_view queue) { return fmt::format("llm-router.later.{}", queue); }
std::string NoteSubject(std::string_view stream, uint64_t sequence) {
  return fmt::format("llm-router.note.{}.{}", stream, sequence);
}

std::string_view ChannelOf(std::string_view subject) {
  const size_t first = subject.find('.');
  const size_t second = first == std::string_view::npos ? first : subject.find('.', first + 1);
  return second == std::string_view::npos ? std::string_view() : subject.substr(second + 1);
}

std::string StreamOf(std::string_view queue) {
  std::string name(kStreamPrefix);
  for (const char c : queue) {
    if (IsPlain(c)) {
      name += c;
    } else {
      name += fmt::format("={:02x}", static_cast<unsigned char>(c));
    }
  }
  if (name.size() <= kMostPlain) return name;
  return fmt::format("{}=={}", std::string_view(name).substr(0, kKeptOfLong), HashOf(queue));
}

absl::Status CheckPattern(const std::string& pattern) {
  RETURN_IF_ERROR(Pattern::Parse(pattern).status());
  RETURN_IF_ERROR(CheckLength(pattern));
  if (pattern.find(">.") != 0 && pattern.find(".>.") == std::string::npos) return absl::OkStatus();
  return MakeFault(Fault::kInvalidRequest, "a pattern has > before its end: put * there, or end it with >");
}

absl::Status CheckName(std::string_view channel) {
  RETURN_IF_ERROR(CheckChannel(channel));
  return CheckLength(channel);
}

}  // namespace llm_router::nats
