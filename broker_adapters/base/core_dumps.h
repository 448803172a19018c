// No core files of a process that holds keys. Call it first in main.
#pragma once

namespace llm_router {

// The kernel writes no core of this process from now on, to a file or to a program. (A debugger of the same
// user, or root's, still reads its memory: that is what those may do.)
void ForbidCoreDumps();

}  // namespace llm_router
