// The bounds that the parts of StoredTopics share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace llm_router {

inline constexpr size_t kStoredOverhead = 256;  // bytes of an event on disk beside its record
inline constexpr size_t kStoredPage = 256;      // events of a place that are next in line, in memory
inline constexpr size_t kStoredPageBytes = size_t{1024} * 1024;
inline constexpr size_t kMostGivenBytes = size_t{512} * 1024 * 1024;  // not acknowledged, over all
// How far a group may go on ahead of an event that one of its members does not acknowledge.
inline constexpr uint64_t kMostAhead = 16'384;

}  // namespace llm_router
