#include "router/telemetry/json_line.h"

#include <utility>

#include "proto/json_fields.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

TEST_CASE("members stand in their order") {
  JsonLine line;
  line.AddTime("time", 1'769'903'999'007);
  line.Add("route", "chat");
  line.Add("attempts", 2);
  line.AddMillis("ms", 0.0123456);
  CHECK(std::move(line).Take() ==
        R"({"time":"2026-01-31T23:59:59.007Z","route":"chat","attempts":2,"ms":12.346})");
}

TEST_CASE("whatever a value is, the line is one line of JSON") {
  for (const std::string& value :
       {std::string("a\"b\\c"), std::string("x\ny\t\x1b[0m"), std::string("\xff\xfe"),
        std::string("caf\u00e9"), std::string(10'000, '"')}) {
    JsonLine line;
    line.Add("value", value);
    const std::string text = std::move(line).Take();
    const auto read = contract::Json::parse(text, nullptr, false);
    REQUIRE(read.is_object());
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.size() < 600);
  }
}

}  // namespace
}  // namespace llm_router
