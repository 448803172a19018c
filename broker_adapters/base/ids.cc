#include "broker_adapters/base/ids.h"

#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <random>
#include <string_view>

#include "absl/strings/escaping.h"

namespace llm_router {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::mt19937_64 SeededEngine() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

std::string NewId() {
  thread_local std::mt19937_64 engine = SeededEngine();
  std::string id(22, '0');
  uint64_t bits = 0;
  for (size_t i = 0; i < id.size(); ++i) {
    if (i % 10 == 0) bits = engine();
    id[i] = kAlphabet[bits % kAlphabet.size()];
    bits /= kAlphabet.size();
  }
  return id;
}

std::string NewSecretId() {
  std::array<unsigned char, 16> bytes{};
  // The system's random source does not fail once a process runs; without it nothing here would be safe.
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) std::abort();
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace llm_router
