#include "router/config_command.h"

#include <cstdio>
#include <string>

#include "broker_adapters/base/status.h"
#include "router/config/reference.h"
#include "router/config/schema.h"
#include "router/config/yaml_text.h"

namespace llm_router {
namespace {

int Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return 0;
}

int Refuse(const absl::Status& why) {
  std::fprintf(stderr, "%s\n", std::string(MessageOf(why)).c_str());
  return 1;
}

}  // namespace

int PrintConfig(const ServeArguments& arguments, bool effective) {
  const LoadRequest request = LoadRequestOf(arguments.file, arguments.settings);
  const auto shown = effective ? ReadEffectiveSettings(request) : ReadWrittenSettings(request);
  return shown.ok() ? Print(ToYaml(*shown, effective)) : Refuse(shown.status());
}

int CheckConfig(const ServeArguments& arguments) {
  const auto warnings = CheckConfiguration(arguments);
  if (!warnings.ok()) return Refuse(warnings.status());
  for (const std::string& warning : *warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  return Print("the configuration can be used\n");
}

int PrintSchema() { return Print(SettingsSchema()); }
int PrintReference() { return Print(SettingsReference()); }
int PrintExample() { return Print(SettingsExample()); }

}  // namespace llm_router
