#include "router/simulate/schema_example.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace llm_router::simulate {
namespace {

constexpr int kMaxDepth = 16;  // a schema may name itself

struct Maker {
  const Json& root;
  const std::string& text;

  Json Make(const Json& schema, int depth) const;
  Json MakeObject(const Json& schema, int depth) const;
  Json MakeArray(const Json& schema, int depth) const;
  Json MakeNumber(const Json& schema) const;
  const Json& Resolve(const Json& schema) const;
};

std::string TypeOf(const Json& schema) {
  const Json& type = At(schema, "type");
  if (type.is_array() && !type.empty()) return Text(type.front());
  if (type.is_string()) return Text(type);
  return At(schema, "properties").is_object() ? "object" : "string";
}

const Json& Maker::Resolve(const Json& schema) const {
  const std::string path = Text(At(schema, "$ref"));
  for (const std::string_view base : {"#/$defs/", "#/definitions/"}) {
    if (path.compare(0, base.size(), base) != 0) continue;
    return At(At(root, base.substr(2, base.size() - 3)), path.substr(base.size()));
  }
  return schema;  // NOLINT(bugprone-return-const-ref-from-parameter): the one caller's lives on
}

Json Maker::Make(const Json& given, int depth) const {
  if (depth > kMaxDepth) return nullptr;
  const Json& schema = Resolve(given);
  if (schema.is_object() && schema.contains("const")) return At(schema, "const");
  if (const Json& values = At(schema, "enum"); values.is_array() && !values.empty()) return values.front();
  for (const char* choice : {"anyOf", "oneOf", "allOf"}) {
    const Json& options = At(schema, choice);
    if (options.is_array() && !options.empty()) return Make(options.front(), depth + 1);
  }
  const std::string type = TypeOf(schema);
  if (type == "object") return MakeObject(schema, depth);
  if (type == "array") return MakeArray(schema, depth);
  if (type == "boolean") return true;
  if (type == "null") return nullptr;
  if (type == "integer" || type == "number") return MakeNumber(schema);
  return text;
}

Json Maker::MakeObject(const Json& schema, int depth) const {
  Json made = Json::object();
  const Json& properties = At(schema, "properties");
  if (!properties.is_object()) return made;
  for (const auto& [name, property] : properties.items()) made[name] = Make(property, depth + 1);
  return made;
}

Json Maker::MakeArray(const Json& schema, int depth) const {
  Json made = Json::array();
  made.push_back(Make(At(schema, "items"), depth + 1));
  return made;
}

Json Maker::MakeNumber(const Json& schema) const {
  Json made = static_cast<int64_t>(text.size());
  const Json& least = At(schema, "minimum");
  const Json& most = At(schema, "maximum");
  if (least.is_number() && made < least) made = least;
  if (most.is_number() && made > most) made = most;
  return made;
}

}  // namespace

Json ExampleOf(const Json& schema, const std::string& text) { return Maker{schema, text}.Make(schema, 0); }

}  // namespace llm_router::simulate
