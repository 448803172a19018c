#include "router/config/prompt_template.h"

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

std::string Rendered(std::string_view text, std::string_view input, std::string_view previous) {
  const auto made = PromptTemplate::Parse(text);
  REQUIRE(made.ok());
  return *made->Render(input, previous, 1'000);
}

std::string Refusal(std::string_view text) { return std::string(MessageOf(CheckPrompt(text))); }

TEST_CASE("placeholders are filled in, and what is filled in is taken as it is") {
  CHECK(Rendered("{input}", "in", "") == "in");
  CHECK(Rendered("a {previous}{input}\n{input}", "in", "pre") == "a prein\nin");
  CHECK(Rendered("{input} of {previous}", "{previous}", "{input} }{") == "{previous} of {input} }{");
  CHECK(Rendered("no placeholder", "in", "pre") == "no placeholder");
}

TEST_CASE("doubled braces are braces") {
  CHECK(Rendered("{{input}}", "in", "") == "{input}");
  CHECK(Rendered("{{{input}}} }}{{", "in", "") == "{in} }{");
}

TEST_CASE("single braces and other placeholders are refused with the remedy") {
  CHECK(Refusal("{foo}") ==
        "holds {foo}, which is no placeholder: there are {input} and {previous}; write {{foo}} for the text "
        "{foo}");
  for (const char* text : {"{", "a {input", "{in{put}", "{input}{"})
    CHECK_THAT(Refusal(text), Catch::Contains("write {{"));
  for (const char* text : {"}", "{input}}", "a } b"}) CHECK_THAT(Refusal(text), Catch::Contains("write }}"));
  for (const char* text : {"{}", "{ input }", "{INPUT}", "{input.text}"})
    CHECK_THAT(Refusal(text), Catch::Contains("no placeholder"));
}

TEST_CASE("a prompt over the limit is refused before it is made") {
  const auto made = PromptTemplate::Parse("{input}{input}");
  REQUIRE(made.ok());
  CHECK(made->Render("12345", "", 10).ok());
  CHECK(FaultOf(made->Render("123456", "", 10).status()) == Fault::kTooLarge);
}

}  // namespace
}  // namespace llm_router
