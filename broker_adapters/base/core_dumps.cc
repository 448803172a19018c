#include "broker_adapters/base/core_dumps.h"

#include <sys/resource.h>

namespace llm_router {

// Keys pass through too many hands to keep each of their copies out of a dump: the environment, TLS, curl's
// headers, gRPC's metadata. A limit of 1 byte, not 0: core(5), a program behind `core_pattern` is started
// even at 0. PR_SET_DUMPABLE would do as well, but takes /proc/PID away from the process's own user.
void ForbidCoreDumps() {
  const rlimit least{1, 1};
  (void)setrlimit(RLIMIT_CORE, &least);
}

}  // namespace llm_router
