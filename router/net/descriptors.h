// The number of descriptors this process may have open.
#pragma once

namespace llm_router {

// Raises the soft limit, 1,024 on Debian, to the hard one: each connection takes a descriptor. Called once by
// a program before it serves.
void RaiseDescriptorLimit();

}  // namespace llm_router
