#include "router/telemetry/label_cap.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("the first values keep their name for good, later ones share one") {
  LabelCap cap(2);
  CHECK(cap.Admit("a") == "a");
  CHECK(cap.Admit("b") == "b");
  CHECK(cap.Admit("c") == "other");
  CHECK(cap.Admit("a") == "a");
  CHECK(cap.Admit("c") == "other");
}

TEST_CASE("a value that no label can have takes nobody's place") {
  LabelCap cap(1);
  CHECK(cap.Admit("\xff") == "other");
  CHECK(cap.Admit(std::string(129, 'x')) == "other");
  CHECK(cap.Admit(std::string(128, 'x')) == std::string(128, 'x'));
}

}  // namespace
}  // namespace llm_router
