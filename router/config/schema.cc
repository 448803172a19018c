#include "router/config/schema.h"

#include <nlohmann/json.hpp>

#include "broker_adapters/base/text.h"
#include "router/config/settings.h"

namespace llm_router {
namespace {

using Json = nlohmann::ordered_json;

// What holds a variable: known only when it is read.
Json Variable() { return {{"type", "string"}, {"pattern", "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}"}}; }

Json SchemaOf(const Setting& setting);

Json GroupSchema(const Setting& setting) {
  Json schema = {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
  Json required = Json::array();
  for (const Setting* child : ChildrenOf(setting)) {
    schema["properties"][std::string(NameOf(*child))] = SchemaOf(*child);
    if (child->required) required.push_back(NameOf(*child));
  }
  if (!required.empty()) schema["required"] = std::move(required);
  for (const std::string_view name : setting.one_of) schema["oneOf"].push_back({{"required", {name}}});
  if (setting.shorthand.empty()) return schema;
  const Json bare = schema["properties"][std::string(setting.shorthand)];
  return {{"anyOf", {bare, std::move(schema)}}};
}

Json MapSchema(const Setting& setting) {
  const Setting& entry = *ChildrenOf(setting).front();
  const std::string_view names = entry.pattern.empty() ? std::string_view("^.+$") : entry.pattern;
  Json schema = {{"type", "object"}, {"additionalProperties", false}, {"maxProperties", setting.most}};
  if (setting.least > 0) schema["minProperties"] = setting.least;
  schema["patternProperties"] = {{std::string(names), SchemaOf(entry)}};
  return schema;
}

Json ListSchema(const Setting& setting) {
  Json schema = {{"type", "array"}, {"maxItems", setting.most}};
  if (setting.least > 0) schema["minItems"] = setting.least;
  schema["items"] = SchemaOf(*ChildrenOf(setting).front());
  return schema;
}

Json TextSchema(const Setting& setting) {
  Json schema = {{"type", "string"}, {"maxLength", setting.most}};
  if (setting.least > 0) schema["minLength"] = setting.least;
  if (!setting.fallback.empty()) schema["default"] = setting.fallback;
  if (setting.secret) schema["writeOnly"] = true;
  if (setting.pattern.empty()) return schema;
  schema["pattern"] = setting.pattern;
  return {{"anyOf", {std::move(schema), Variable()}}};
}

Json IntegerSchema(const Setting& setting) {
  Json schema = {{"type", "integer"}, {"minimum", setting.least}, {"maximum", setting.most}};
  if (const auto fallback = ParseNumber<int64_t>(setting.fallback)) schema["default"] = *fallback;
  return {{"anyOf", {std::move(schema), Variable()}}};
}

Json ChoiceSchema(const Setting& setting) {
  Json schema = {{"enum", setting.choices}};
  if (!setting.fallback.empty()) schema["default"] = setting.fallback;
  return {{"anyOf", {std::move(schema), Variable()}}};
}

Json FormOf(const Setting& setting) {
  switch (setting.kind) {
    case SettingKind::kGroup:
      return GroupSchema(setting);
    case SettingKind::kMap:
      return MapSchema(setting);
    case SettingKind::kList:
      return ListSchema(setting);
    case SettingKind::kText:
      return TextSchema(setting);
    case SettingKind::kInteger:
      return IntegerSchema(setting);
    case SettingKind::kChoice:
      return ChoiceSchema(setting);
  }
  return {};
}

Json SchemaOf(const Setting& setting) {
  Json schema = Json::object();
  if (!setting.help.empty()) schema["description"] = setting.help;
  schema.update(FormOf(setting));
  return schema;
}

}  // namespace

std::string SettingsSchema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "llm-router.yaml"},
                 {"description", "The configuration of llm-router."}};
  schema.update(SchemaOf(RootSetting()));
  return schema.dump(2) + "\n";
}

}  // namespace llm_router
