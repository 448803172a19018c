// Multipart forms: read strictly, never past their end.
#include "router/gateway/http_multipart.h"

#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=XX";
constexpr std::string_view kForm =
    "--XX\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
    "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".jsonl\"\r\n"
    "Content-Type: application/octet-stream\r\n\r\n{}\r\n--X\n\r\n--XX--\r\n";

}  // namespace

TEST_CASE("a form's parts have their names and contents") {
  const auto parts = ReadMultipart(kType, kForm);
  REQUIRE(parts.ok());
  REQUIRE(parts->size() == 2);
  CHECK((*parts)[0].name == "purpose");
  CHECK((*parts)[0].content == "batch");
  CHECK((*parts)[1].name == "file");
  CHECK((*parts)[1].filename == "a \"b\".jsonl");
  CHECK((*parts)[1].content == "{}\r\n--X\n");
}

TEST_CASE("a preamble is passed over, and a boundary may be quoted") {
  const auto parts =
      ReadMultipart("Multipart/Form-Data; charset=utf-8; boundary=\"X X\"",
                    "hello\r\n--X X \r\ncontent-disposition: form-data; name=a\r\n\r\n\r\n--X X--");
  REQUIRE(parts.ok());
  REQUIRE(parts->size() == 1);
  CHECK((*parts)[0].name == "a");
  CHECK((*parts)[0].content.empty());
}

TEST_CASE("a form cut anywhere is refused") {
  const size_t whole = kForm.size() - 4;  // up to the last boundary
  for (size_t size = 0; size < whole; ++size) {
    INFO(size);
    CHECK_FALSE(ReadMultipart(kType, kForm.substr(0, size)).ok());
  }
}

TEST_CASE("what is no form is refused with a reason") {
  CHECK_FALSE(ReadMultipart("application/json", kForm).ok());
  CHECK_FALSE(ReadMultipart("multipart/form-data", kForm).ok());
  CHECK_FALSE(ReadMultipart("multipart/form-data; boundary=", kForm).ok());
  CHECK_FALSE(ReadMultipart("multipart/form-data; boundary=YY", kForm).ok());
  CHECK_FALSE(ReadMultipart(kType, "--XX\r\nno colon\r\n\r\nx\r\n--XX--").ok());
  CHECK_FALSE(ReadMultipart(kType, "--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--").ok());
  for (const char* key : {"name=a; filename", "name"}) {
    INFO(key);
    const std::string head = std::string("--XX\r\nContent-Disposition: form-data; ") + key;
    CHECK(ReadMultipart(kType, head + "=\"b\"\r\n\r\nx\r\n--XX--").ok());
    CHECK_FALSE(ReadMultipart(kType, head + "=\"a\r\\\nb\"\r\n\r\nx\r\n--XX--").ok());
  }
  std::string many;
  for (int part = 0; part < 65; ++part) many += "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n";
  CHECK_FALSE(ReadMultipart(kType, many + "--XX--").ok());
}

}  // namespace llm_router::test
