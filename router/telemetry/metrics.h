// Metrics: what Prometheus reads of this process.
//
// One per process, owned by the composition root. Label values come from configuration, from workers and from
// the fixed set of faults, never from a caller, so their number is bounded. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace llm_router {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  // A query of `route` ended: `outcome` is ok or a fault's name.
  void Query(std::string_view route, std::string_view outcome, double seconds);
  // `change` more (or fewer) queries of `route` are running.
  void InFlight(std::string_view route, int change);
  // One provider call ended.
  void Attempt(std::string_view provider, std::string_view outcome, double seconds);
  // There are `count` jobs of `route` in `state` now.
  void Jobs(std::string_view route, std::string_view state, int64_t count);
  // A call was refused at a door: `fault` is unauthenticated or permission_denied.
  void Denied(std::string_view fault);
  void Tokens(std::string_view route, int64_t input, int64_t output);

  // Everything in Prometheus' text format.
  std::string Text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace llm_router
