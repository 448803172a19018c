// What a share of some measurements stays below.
#pragma once

#include <algorithm>
#include <vector>

namespace llm_router::bench {

// Sorts `values`; 0 when there are none.
inline double Percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

}  // namespace llm_router::bench
