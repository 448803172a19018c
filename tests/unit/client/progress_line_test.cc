#include "client/cli/progress_line.h"

#include <sstream>

#include "tests/support/catch.h"

namespace llm_router::cli {
namespace {

std::string Shown(ProgressLine::Form form, size_t total) {
  std::ostringstream err;
  ProgressLine line(form, err);
  for (size_t done = 1; done <= total; ++done) line.Show(done, done / 2, total);
  line.Clear();
  return err.str();
}

TEST_CASE("a bar fills from the left and counts failures") {
  CHECK(BarOf(0, 0, 40) == "[------------------------------]  0/40");
  CHECK(BarOf(10, 1, 40) == "[#######-----------------------]  10/40, 1 failed");
  CHECK(BarOf(40, 0, 40) == "[##############################]  40/40");
}

TEST_CASE("at a terminal the bar is redrawn in its place and cleared at the end") {
  const std::string shown = Shown(ProgressLine::Form::kBar, 2);
  CHECK(shown == "\r\033[K" + BarOf(1, 0, 2) + "\r\033[K" + BarOf(2, 1, 2) + "\r\033[K");
}

TEST_CASE("elsewhere every tenth part is a line, without control characters") {
  CHECK(Shown(ProgressLine::Form::kLines, 2) == "1 of 2 done\n2 of 2 done, 1 failed\n");
  const std::string many = Shown(ProgressLine::Form::kLines, 1000);
  CHECK(std::count(many.begin(), many.end(), '\n') == 10);
  CHECK_THAT(many, Catch::StartsWith("100 of 1000 done, 50 failed\n"));
  CHECK(many.find('\033') == std::string::npos);
}

TEST_CASE("quiet shows nothing") { CHECK(Shown(ProgressLine::Form::kNone, 30).empty()); }

}  // namespace
}  // namespace llm_router::cli
