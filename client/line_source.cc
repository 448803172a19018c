#include "client/line_source.h"

#include <fmt/format.h>

#include <cstdint>
#include <istream>
#include <memory>
#include <streambuf>
#include <string_view>

#include "proto/fault.h"

namespace llm_router::client {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class Reader {
 public:
  Reader(std::istream& in, size_t most) : in_(in), most_(most) {}

  absl::StatusOr<std::optional<std::string>> Next() {
    std::string line;
    const auto end = ReadTo(line);
    if (in_.bad())
      return MakeFault(Fault::kInvalidRequest, fmt::format("line {} can't be read", number_ + 1));
    if (end == End::kInput && line.empty()) return std::nullopt;
    ++number_;
    if (end == End::kLimit) {
      return MakeFault(Fault::kTooLarge,
                       fmt::format("line {} has more than {} bytes: shorten it", number_, most_));
    }
    if (number_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
    if (line.ends_with('\r')) line.pop_back();
    return line;
  }

 private:
  enum class End { kLine, kInput, kLimit };

  // Not std::getline, which would hold any line whole before its length is known. A stream buffer that throws
  // makes the stream bad, as it would there.
  End ReadTo(std::string& line) try {
    std::streambuf& bytes = *in_.rdbuf();
    while (line.size() <= most_) {
      const int byte = bytes.sbumpc();
      if (byte == std::streambuf::traits_type::eof()) return End::kInput;
      if (byte == '\n') return End::kLine;
      line.push_back(static_cast<char>(byte));
    }
    return End::kLimit;
  } catch (...) {
    in_.setstate(std::ios::badbit);
    return End::kInput;
  }

  std::istream& in_;
  const size_t most_;
  int64_t number_ = 0;
};

}  // namespace

LineSource LinesOf(std::istream& in, size_t most) {
  return [reader = std::make_shared<Reader>(in, most)] { return reader->Next(); };
}

}  // namespace llm_router::client
