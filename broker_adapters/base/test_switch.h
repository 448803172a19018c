// Test switches: mistakes that a test makes the program commit, to see that other tests would notice it.
//
//   acknowledge-first      a worker acknowledges a message when it gets it
//   answer-before-commit   what is to be kept is answered before it is on disk
//
// Only in builds with tests, where the environment names one in TEST_SWITCH; elsewhere there are none. Any
// thread.
#pragma once

#include <string_view>

namespace llm_router {

bool TestSwitch(std::string_view name);

}  // namespace llm_router
