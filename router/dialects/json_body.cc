#include "router/dialects/json_body.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "broker_adapters/base/utf8.h"
#include "proto/json_fields.h"
#include "router/dialects/json_quick.h"

namespace llm_router {
namespace {

constexpr size_t kMaxValues = 1'000'000;
constexpr size_t kMaxTopLevelKeys = 1'000;

// Receives what the library's parser finds and builds the value itself, because the library's own builder
// knows no bounds and looks every key of an ordered object up among those before it (quadratic in a
// stranger's hands).
class BodyReader {
 public:
  // `is_whole`: it is a body, not a part of one: its keys have their bounds.
  BodyReader(bool keep, bool is_whole) : keep_(keep), is_whole_(is_whole) {}

  bool null() { return Add(nullptr); }
  bool boolean(bool value) { return Add(value); }
  bool number_integer(Json::number_integer_t value) { return Add(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return Add(value); }
  bool number_float(Json::number_float_t value, const std::string&) { return Add(value); }
  bool string(std::string& value) { return Add(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(size_t) { return Open(Json::value_t::object); }
  bool end_object() { return Close(); }
  bool start_array(size_t) { return Open(Json::value_t::array); }
  bool end_array() { return Close(); }

  bool key(std::string& name) {
    if (depth_ == 1 && is_whole_ && !top_level_keys_.insert(name).second)
      return Refuse(fmt::format("has the duplicate key \"{}\"; send it once", Excerpt(name)));
    if (top_level_keys_.size() > kMaxTopLevelKeys)
      return Refuse(fmt::format("has more than {} top-level keys", kMaxTopLevelKeys));
    if (keep_) key_ = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const Json::exception&) {
    error_at_ = position;
    return false;
  }

  const std::string& refusal() const { return refusal_; }
  size_t error_at() const { return error_at_; }
  bool is_object() const { return is_object_; }
  Json Take() { return std::move(root_); }

 private:
  bool Refuse(std::string why) {
    refusal_ = std::move(why);
    return false;
  }

  // Where the next value goes: an array's or object's end, or the root. A pointer into an array stays good
  // until that array grows, and it grows only after what was opened in it is closed.
  template <class Value>
  Json* Place(Value&& value) {
    if (open_.empty()) {
      root_ = std::forward<Value>(value);
      return &root_;
    }
    if (open_.back()->is_array())
      return &open_.back()->get_ref<Json::array_t&>().emplace_back(std::forward<Value>(value));
    auto& members = open_.back()->get_ref<Json::object_t&>();
    // Growing copies the members, for their keys are const: room for a usual object up front, more at the
    // top.
    if (members.empty()) members.reserve(depth_ == 1 ? 32 : 4);
    using Members = std::vector<std::pair<const std::string, Json>>;
    return &static_cast<Members&>(members).emplace_back(std::move(key_), std::forward<Value>(value)).second;
  }

  bool Count() {
    if (++values_ > kMaxValues) return Refuse(fmt::format("holds more than {} JSON values", kMaxValues));
    return true;
  }

  template <class Value>
  bool Add(Value&& value) {
    if (!Count()) return false;
    if (keep_) Place(std::forward<Value>(value));
    return true;
  }

  bool Open(Json::value_t type) {
    if (!Count()) return false;
    if (depth_ == 0) is_object_ = type == Json::value_t::object;
    if (++depth_ > kMaxJsonDepth)
      return Refuse(fmt::format("is nested deeper than {} levels", kMaxJsonDepth));
    if (keep_) open_.push_back(Place(Json(type)));
    return true;
  }

  bool Close() {
    --depth_;
    if (keep_) open_.pop_back();
    return true;
  }

  const bool keep_;
  const bool is_whole_;
  Json root_;
  std::vector<Json*> open_;
  std::string key_;
  std::set<std::string> top_level_keys_;
  size_t depth_ = 0;
  size_t values_ = 0;
  size_t error_at_ = 0;
  bool is_object_ = false;
  std::string refusal_;
};

absl::Status Bad(const BodyKind& kind, std::string_view what) {
  return MakeFault(kind.fault, fmt::format("{} {}. {}", kind.subject, what, kind.must_be));
}

absl::Status Malformed(std::string_view body, const BodyKind& kind, const BodyReader& reader) {
  if (!reader.refusal().empty()) return Bad(kind, reader.refusal());
  if (body.find_first_not_of(" \t\r\n") == body.npos) return Bad(kind, "is empty");
  if (const auto at = FirstBadUtf8(body))
    return Bad(kind, fmt::format("is not valid UTF-8 (byte {})", *at + 1));
  if (reader.error_at() > body.size())
    return Bad(kind, fmt::format("is not valid JSON: it ends too early, after {} bytes", body.size()));
  return Bad(kind, fmt::format("is not valid JSON: error at byte {}", reader.error_at()));
}

absl::Status Read(std::string_view body, const BodyKind& kind, BodyReader& reader) {
  if (!Json::sax_parse(body, &reader)) return Malformed(body, kind, reader);
  if (!reader.is_object()) return Bad(kind, "is not a JSON object");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Json> ParseBody(std::string_view body, const BodyKind& kind) {
  if (auto json = QuickParse(body)) return *std::move(json);
  BodyReader reader(/*keep=*/true, /*is_whole=*/true);
  if (absl::Status read = Read(body, kind, reader); !read.ok()) return read;
  return reader.Take();
}

absl::Status CheckBody(std::string_view body, const BodyKind& kind) {
  if (QuickCheck(body)) return absl::OkStatus();
  BodyReader reader(/*keep=*/false, /*is_whole=*/true);
  return Read(body, kind, reader);
}

Json ObjectOrNull(std::string_view text) {
  BodyReader reader(/*keep=*/true, /*is_whole=*/false);
  if (!Json::sax_parse(text, &reader) || !reader.is_object()) return nullptr;
  return reader.Take();
}

std::string DumpJson(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string QuoteJson(std::string_view text) {
  std::string quoted;
  contract::AppendQuoted(text, quoted);
  return quoted;
}

}  // namespace llm_router
