#include "broker_adapters/base/test_switch.h"

#include <cstdlib>

namespace llm_router {

#ifdef LLM_ROUTER_TEST_SWITCHES
bool TestSwitch(std::string_view name) {
  static const char* const kSwitch = std::getenv("TEST_SWITCH");
  return kSwitch != nullptr && name == kSwitch;
}
#else
bool TestSwitch(std::string_view) { return false; }
#endif

}  // namespace llm_router
