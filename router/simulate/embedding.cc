#include "router/simulate/embedding.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <bit>
#include <cmath>
#include <cstdint>

namespace llm_router::simulate {
namespace {

uint64_t SeedOf(std::string_view model, std::string_view text) {
  uint64_t hash = 14695981039346656037u;
  const auto take = [&hash](std::string_view bytes) {
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  };
  take(model);
  take("\n");
  take(text);
  return hash;
}

// Splitmix64: evenly spread, whatever the seed.
uint64_t Next(uint64_t& state) {
  uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

std::vector<float> EmbeddingOf(std::string_view model, std::string_view text, size_t size) {
  uint64_t state = SeedOf(model, text);
  std::vector<double> raw(size);
  double squares = 0;
  for (double& value : raw) {
    value = static_cast<double>(Next(state) >> 11) / 4503599627370496.0 - 1.0;  // -1 up to 1
    squares += value * value;
  }
  std::vector<float> vector;
  vector.reserve(size);
  for (const double value : raw) vector.push_back(static_cast<float>(value / std::sqrt(squares)));
  return vector;
}

std::string EmbeddingAsJson(const std::vector<float>& vector) {
  std::string json = "[";
  for (const float value : vector) {
    fmt::format_to(std::back_inserter(json), "{}{}", json.size() == 1 ? "" : ",", value);
  }
  return json + "]";
}

std::string EmbeddingAsBase64(const std::vector<float>& vector) {
  std::string bytes;
  for (const float value : vector) {
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xFF);
  }
  std::string base64((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and the zero behind it
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  base64.resize(static_cast<size_t>(length));
  return base64;
}

}  // namespace llm_router::simulate
