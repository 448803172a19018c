#include "router/dialects/json_quick.h"

#include <simdjson.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace llm_router {
namespace {

constexpr size_t kLargest = 1024 * 1024;  // bytes: so few hold no more values than ParseBody takes
constexpr size_t kMostKeys = 64;

// Until this thread reads the next one.
std::optional<simdjson::dom::element> Read(std::string_view body) {
  if (body.empty() || body.size() > kLargest) return std::nullopt;
  thread_local simdjson::dom::parser parser(kLargest);
  if (parser.max_depth() != kMaxJsonDepth && parser.allocate(kLargest, kMaxJsonDepth) != simdjson::SUCCESS)
    return std::nullopt;
  simdjson::dom::element root;
  simdjson::dom::object object;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  if (root.get(object) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string_view> keys;
  keys.reserve(16);
  for (const auto member : object) {
    if (keys.size() == kMostKeys || std::ranges::find(keys, member.key) != keys.end()) return std::nullopt;
    keys.push_back(member.key);
  }
  return root;
}

Json BuiltOf(const simdjson::dom::element& element) {
  using Type = simdjson::dom::element_type;
  switch (element.type()) {
    case Type::OBJECT: {
      Json built = Json::object();
      // The base: adding to that needs no search of the key.
      using Members = std::vector<std::pair<const std::string, Json>>;
      auto& members = static_cast<Members&>(built.get_ref<Json::object_t&>());
      const simdjson::dom::object object = element;
      members.reserve(object.size());
      for (const auto member : object) members.emplace_back(std::string(member.key), BuiltOf(member.value));
      return built;
    }
    case Type::ARRAY: {
      Json built = Json::array();
      auto& items = built.get_ref<Json::array_t&>();
      const simdjson::dom::array array = element;
      items.reserve(array.size());
      for (const auto item : array) items.push_back(BuiltOf(item));
      return built;
    }
    case Type::STRING:
      return std::string_view(element);
    case Type::INT64: {
      const int64_t number = element;
      return number < 0 ? Json(number) : Json(static_cast<uint64_t>(number));
    }
    case Type::UINT64:
      return uint64_t(element);
    case Type::DOUBLE:
      return double(element);
    case Type::BOOL:
      return bool(element);
    default:
      return nullptr;
  }
}

}  // namespace

std::optional<Json> QuickParse(std::string_view body) {
  const auto root = Read(body);
  if (!root) return std::nullopt;
  return BuiltOf(*root);
}

bool QuickCheck(std::string_view body) { return Read(body).has_value(); }

}  // namespace llm_router
