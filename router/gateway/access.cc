#include "router/gateway/access.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kMaxPresented = 1'024;  // bytes; no key of anybody's is longer
constexpr auto kTellAgainAfter = std::chrono::seconds(1);

using Digest = std::array<unsigned char, 32>;

// Fetched once: OpenSSL otherwise looks the algorithm up at every call.
const EVP_MD* Sha256() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

Digest DigestOf(std::string_view text) {
  Digest digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, Sha256(), nullptr) != 1) std::abort();
  return digest;
}

std::optional<Digest> DigestFromHex(std::string_view hex) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < hex.size(); ++i) {
    const size_t value = kDigits.find(hex[i]);
    if (value == std::string_view::npos) return std::nullopt;
    digest[i / 2] = static_cast<unsigned char>(digest[i / 2] << 4U | value);
  }
  return digest;
}

std::string_view WithoutBearer(std::string_view presented) {
  constexpr std::string_view kBearer = "bearer ";
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  if (presented.size() < kBearer.size()) return presented;
  for (size_t i = 0; i < kBearer.size(); ++i) {
    if (lower(presented[i]) != kBearer[i]) return presented;
  }
  presented.remove_prefix(kBearer.size());
  presented.remove_prefix(std::min(presented.find_first_not_of(' '), presented.size()));
  return presented;
}

absl::Status NoKey() {
  return MakeFault(Fault::kUnauthenticated,
                   "this server asks for a key and none came: send one made by `llm-router keys new` as the "
                   "client's auth token, or as the header \"Authorization: Bearer KEY\"");
}

absl::Status UnknownKey() {
  return MakeFault(Fault::kUnauthenticated,
                   "the key is not known here: check that the client's auth token was copied whole, and that "
                   "the server's list of keys has its entry");
}

CallerPtr Everyone() {
  Caller caller;
  caller.id = "(none)";
  caller.tenant = contract::kDefaultTenant;
  caller.level = AccessLevel::kAll;
  return std::make_shared<const Caller>(std::move(caller));
}

CallerPtr CallerOf(const KeyConfig& key) {
  Caller caller;
  caller.id = key.id.empty() ? key.hash.substr(0, 8) : key.id;
  caller.key_hash = key.hash;
  caller.tenant = key.tenant;
  caller.level = key.access;
  caller.routes = key.routes;
  return std::make_shared<const Caller>(std::move(caller));
}

bool IsSame(const Caller& a, const Caller& b) {
  return a.key_hash == b.key_hash && a.tenant == b.tenant && a.level == b.level && a.routes == b.routes;
}

}  // namespace

// The keys by the first bytes of their digest; the rest is compared in constant time. What a stranger could
// learn from timing is at most whether a digest begins so, and digests of random keys tell nothing of them.
class Access::Table {
 public:
  explicit Table(const std::vector<KeyConfig>& keys) {
    for (const KeyConfig& key : keys) {
      if (const auto digest = DigestFromHex(key.hash))
        rows_.insert_or_assign(PrefixOf(*digest), Row{*digest, CallerOf(key)});
    }
  }

  // Null when no key has that digest.
  const CallerPtr* Find(const Digest& digest) const {
    const auto found = rows_.find(PrefixOf(digest));
    const Row& row = found == rows_.end() ? kNobody : found->second;
    const bool same = CRYPTO_memcmp(row.digest.data(), digest.data(), digest.size()) == 0;
    return same && row.caller ? &row.caller : nullptr;
  }

  bool Holds(const Caller& caller) const {
    return std::any_of(rows_.begin(), rows_.end(),
                       [&](const auto& row) { return IsSame(*row.second.caller, caller); });
  }

 private:
  struct Row {
    Digest digest{};
    CallerPtr caller;
  };

  static uint64_t PrefixOf(const Digest& digest) {
    uint64_t prefix = 0;
    std::memcpy(&prefix, digest.data(), sizeof(prefix));
    return prefix;
  }

  static const Row kNobody;
  absl::flat_hash_map<uint64_t, Row> rows_;
};

const Access::Table::Row Access::Table::kNobody;

Access::Access() : everyone_(Everyone()) {}
Access::Access(const std::vector<KeyConfig>& keys)
    : table_(std::make_shared<const Table>(keys)), everyone_(Everyone()) {}
Access::~Access() = default;

void Access::Replace(const std::vector<KeyConfig>& keys) {
  auto table = std::make_shared<const Table>(keys);
  const std::lock_guard lock(mutex_);
  table_ = std::move(table);
}

std::shared_ptr<const Access::Table> Access::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

absl::StatusOr<CallerPtr> Access::Authenticate(std::string_view presented) const {
  const auto keys = table();
  if (!keys) return everyone_;
  const std::string_view key = WithoutBearer(presented);
  if (key.empty()) return NoKey();
  if (key.size() > kMaxPresented) return UnknownKey();
  const CallerPtr* caller = keys->Find(DigestOf(key));
  if (caller == nullptr) return UnknownKey();
  return *caller;
}

bool Access::StillHolds(const Caller& caller) const {
  const auto keys = table();
  return keys ? keys->Holds(caller) : caller.level == AccessLevel::kAll;
}

bool Access::has_keys() const { return table() != nullptr; }

void Access::NoteDenial(const absl::Status& denial, std::string_view door, std::string_view peer) {
  const Fault fault = FaultOf(denial);
  if (on_denial_) on_denial_(fault);
  ++(fault == Fault::kPermissionDenied ? permission_denied_ : unauthenticated_);
  const std::lock_guard lock(mutex_);
  if (Now() - told_ < kTellAgainAfter) {
    ++silent_;
    return;
  }
  told_ = Now();
  const std::string more =
      silent_ == 0 ? "" : fmt::format(" (and {} more denials since the last line)", silent_);
  silent_ = 0;
  log::Warning("denied at {} to {}: {}{}", door, peer, MessageOf(denial), more);
}

AccessStats Access::stats() const { return AccessStats{unauthenticated_, permission_denied_}; }

absl::Status KeyRevoked() {
  return MakeFault(Fault::kUnauthenticated, "the key was removed or changed: use another");
}

std::string Sha256Hex(std::string_view text) {
  std::string hex;
  for (const unsigned char byte : DigestOf(text)) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace llm_router
