// Vectors computed from a text: the same text gives the same, any change another. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llm_router::simulate {

// Of length 1. A smaller `size` gives the beginning of the larger vector, made that long again.
std::vector<float> EmbeddingOf(std::string_view model, std::string_view text, size_t size);

// [0.1,...], each the shortest number that reads as the same float.
std::string EmbeddingAsJson(const std::vector<float>& vector);
// Little-endian floats in Base64.
std::string EmbeddingAsBase64(const std::vector<float>& vector);

}  // namespace llm_router::simulate
