#include "router/gateway/new_key.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/rand.h>

#include <array>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "router/config/checks.h"
#include "router/gateway/access.h"

namespace llm_router {
namespace {

// Secret scanners and people know a key of ours by it.
constexpr std::string_view kPrefix = "llmr_";
constexpr size_t kDigits = 43;  // 43 * log2(62) = 256 bits

absl::StatusOr<std::string> RandomDigits() {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr size_t kFair = 256 / kAlphabet.size() * kAlphabet.size();  // bytes above would favour some digits
  std::string digits;
  while (digits.size() < kDigits) {
    std::array<unsigned char, kDigits> bytes{};
    if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
      return MakeFault(Fault::kInternal, "the system has no random bytes: try again");
    for (const unsigned char byte : bytes) {
      if (byte < kFair && digits.size() < kDigits) digits += kAlphabet[byte % kAlphabet.size()];
    }
  }
  return digits;
}

absl::Status Check(const KeyConfig& wanted) {
  RETURN_IF_ERROR(Annotate(CheckTenant(wanted.tenant), fmt::format("--tenant \"{}\"", wanted.tenant)));
  if (!wanted.id.empty())
    RETURN_IF_ERROR(Annotate(CheckKeyId(wanted.id), fmt::format("--id \"{}\"", wanted.id)));
  for (const std::string& route : wanted.routes)
    RETURN_IF_ERROR(Annotate(contract::CheckRouteName(route), "--routes"));
  return absl::OkStatus();
}

std::string EntryOf(const KeyConfig& wanted, std::string_view hash) {
  std::string entry = fmt::format("{{ hash: \"{}{}\", tenant: \"{}\", access: {}", kKeyHashPrefix, hash,
                                  wanted.tenant, NameOf(wanted.access));
  // Quoted: `no`, `1e3` and the like would not be names to YAML.
  if (!wanted.routes.empty()) entry += fmt::format(", routes: [\"{}\"]", fmt::join(wanted.routes, "\", \""));
  if (!wanted.id.empty()) entry += fmt::format(", id: \"{}\"", wanted.id);
  return entry + " }";
}

}  // namespace

absl::StatusOr<NewKey> MakeKey(const KeyConfig& wanted) {
  RETURN_IF_ERROR(Check(wanted));
  ASSIGN_OR_RETURN(const std::string digits, RandomDigits());
  NewKey key;
  key.text = fmt::format("{}{}", kPrefix, digits);
  key.entry = EntryOf(wanted, Sha256Hex(key.text));
  return key;
}

}  // namespace llm_router
