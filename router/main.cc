// The command line, and only that: what each command does lives behind app.h and client/cli.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "broker_adapters/base/core_dumps.h"
#include "broker_adapters/base/status.h"
#include "client/cli/commands.h"
#include "router/app.h"
#include "router/config_command.h"
#include "router/gateway/new_key.h"
#include "router/net/descriptors.h"
#include "router/providers_command.h"

namespace llm_router {
namespace {

constexpr const char* kAbout =
    "llm-router: LLM queries over a message broker.\n\n"
    "  llm-router serve --simulate        start a server that answers without any key\n"
    "  llm-router ask -r openai \"Hello\"   ask it something\n\n"
    "A caller puts a query on a route's channel (openai_requests), a worker calls the route's provider and "
    "replies.";

constexpr const char* kServeAbout =
    "Run the server: the doors (gateway), the worker, or both.\n\n"
    "  llm-router serve                              everything in one process, on the embedded broker\n"
    "  llm-router serve --simulate                   the same, answering for providers whose key is not set\n"
    "  llm-router serve --roles gateway              a broker for others to connect to\n"
    "  llm-router serve --roles worker --set broker=kubemq://host:50000\n\n"
    "Prints one line on stdout when it is ready: llm-router ready grpc=HOST:PORT admin=HOST:PORT. Logs go to "
    "stderr.\n"
    "SIGTERM or Ctrl-C: takes no more, finishes what it has, exits; a second one ends it at once.";

constexpr const char* kSimulateAbout =
    "Run a provider simulator: a real HTTP server that answers like OpenAI and Anthropic.\n\n"
    "  llm-router simulate --port 8001 --latency 200\n"
    "  curl http://127.0.0.1:8001/v1/chat/completions -H 'content-type: application/json' \\\n"
    "       -H 'authorization: Bearer any' -d "
    "'{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}'";

constexpr const char* kNewKeyAbout =
    "Make a key for a caller, a worker or an admin.\n\n"
    "  llm-router keys new --tenant acme\n"
    "  llm-router keys new --tenant acme --routes openai,claude --id billing\n"
    "  llm-router keys new --tenant ops --access worker\n\n"
    "The first line is the key: give it to its bearer, it is kept nowhere. The last line is its entry for "
    "the "
    "list `keys` of the server's configuration, or for the file that `keys_file` names.";

void AddServe(CLI::App& app, ServeArguments& arguments, std::function<int()>& action) {
  CLI::App* serve = app.add_subcommand("serve", kServeAbout);
  serve->add_option("-c,--config", arguments.file,
                    "Configuration file (default: $LLM_ROUTER_CONFIG, ./llm-router.yaml, "
                    "/etc/llm-router/llm-router.yaml, else built-in defaults)");
  serve
      ->add_option("--roles", arguments.roles, "What this process does: gateway, worker, jobs (default: all)")
      ->delimiter(',');
  serve
      ->add_option("--set", arguments.settings, "Override a setting, as often as needed: --set listen.grpc=0")
      ->allow_extra_args(false)
      ->option_text("PATH=VALUE");
  serve->add_flag("--simulate", arguments.simulate, "Answer for providers whose key is not set");
  serve->callback([&] {
    action = [&] {
      ForbidCoreDumps();
      RaiseDescriptorLimit();
      return Serve(arguments);
    };
  });
}

void AddSimulate(CLI::App& app, SimulatorOptions& options, std::function<int()>& action) {
  CLI::App* simulate = app.add_subcommand("simulate", kSimulateAbout);
  simulate->add_option("--host", options.host, "Address to listen on")->capture_default_str();
  simulate->add_option("--port", options.port, "Port, 0 for any free one")->capture_default_str();
  simulate->add_option_function<int64_t>(
      "--latency", [&](int64_t ms) { options.latency = Milliseconds(ms); },
      "Milliseconds before an answer begins");
  simulate->add_option("--tokens", options.tokens, "Words that an answer is filled up to");
  simulate->add_option("--token-rate", options.token_rate, "Words a second, 0 for no limit")
      ->capture_default_str();
  simulate->add_flag("--strict,!--lenient", options.strict,
                     "Refuse what the real provider would (default), or not");
  simulate->footer(SimulatorHelp());
  simulate->callback([&] {
    action = [&] {
      RaiseDescriptorLimit();
      return Simulate(options);
    };
  });
}

constexpr const char* kConfigAbout =
    "Look at a configuration.\n\n"
    "  llm-router config check llm-router.yaml   everything that is wrong with it, at once\n"
    "  llm-router config print --effective       every value in force, and where it came from\n"
    "  llm-router config example > llm-router.yaml\n"
    "  llm-router config schema > llm-router.schema.json";

void AddConfigPrint(CLI::App& config, ServeArguments& arguments, bool& effective,
                    std::function<int()>& action) {
  CLI::App* print =
      config.add_subcommand("print", "Print what the file says; with --effective, what is in force");
  print->add_option("-c,--config", arguments.file, "Configuration file (default: as for serve)");
  CLI::Option* all =
      print->add_flag("--effective", effective, "Every value in force, and where it came from");
  print->add_option("--set", arguments.settings, "As for serve")
      ->allow_extra_args(false)
      ->option_text("PATH=VALUE")
      ->needs(all);
  print->callback([&] { action = [&] { return PrintConfig(arguments, effective); }; });
}

void AddConfig(CLI::App& app, ServeArguments& arguments, bool& effective, std::function<int()>& action) {
  CLI::App* config = app.add_subcommand("config", kConfigAbout);
  config->require_subcommand(1);
  AddConfigPrint(*config, arguments, effective, action);
  CLI::App* check = config->add_subcommand(
      "check",
      "Say all that is wrong with FILE, and warn of what will not work; exit code 1 if it can't be used");
  check->add_option("FILE", arguments.file, "Configuration file (default: as for serve)")->type_name("");
  check->callback([&] { action = [&] { return CheckConfig(arguments); }; });
  const auto add = [&](const char* name, const char* description, int (*print)()) {
    config->add_subcommand(name, description)->callback([&action, print] { action = print; });
  };
  add("schema", "Print a JSON Schema of the file, for editors", PrintSchema);
  add("reference", "Print every setting as a Markdown table", PrintReference);
  add("example", "Print a file with every setting, its help and its default", PrintExample);
}

constexpr const char* kProvidersAbout =
    "Look at the providers that can be called.\n\n"
    "  llm-router providers list           those of the configuration, and every type there is\n"
    "  llm-router providers test openai    one tiny real call: is the key good, is the model there\n"
    "  llm-router providers test mistral   the same for a type, with the key in MISTRAL_API_KEY";

struct ProviderTest {
  std::string name;
  std::string model;
};

void AddProviders(CLI::App& app, ServeArguments& arguments, ProviderTest& asked,
                  std::function<int()>& action) {
  CLI::App* providers = app.add_subcommand("providers", kProvidersAbout);
  providers->require_subcommand(1);
  const auto add = [&](const char* name, const char* description) {
    CLI::App* command = providers->add_subcommand(name, description);
    command->add_option("-c,--config", arguments.file, "Configuration file (default: as for serve)");
    command->add_option("--set", arguments.settings, "As for serve")
        ->allow_extra_args(false)
        ->option_text("PATH=VALUE");
    return command;
  };
  add("list", "List them: base URL, default model, whether the key is there, where keys are made")
      ->callback([&] { action = [&] { return ListProviders(arguments); }; });
  CLI::App* test = add("test", "Make one tiny real call; exit code 1 when it fails");
  test->add_option("NAME", asked.name, "A configured provider, or a type")->required()->type_name("");
  test->add_option("--model", asked.model, "Which model (default: the first that a route calls there)");
  test->callback([&] { action = [&] { return TestProvider(arguments, asked.name, asked.model); }; });
  providers->add_subcommand("reference", "Print every type as a Markdown table")->callback([&action] {
    action = PrintProviderReference;
  });
}

int PrintNewKey(const KeyConfig& wanted) {
  const auto key = MakeKey(wanted);
  if (!key.ok()) {
    std::fprintf(stderr, "llm-router: %s\n", std::string(MessageOf(key.status())).c_str());
    return 2;
  }
  std::printf("%s\n", key->text.c_str());
  std::fflush(stdout);
  std::fputs(
      "The key stands above: keep it, it is shown only once. The server knows it by this entry of `keys`:\n",
      stderr);
  std::printf("%s\n", key->entry.c_str());
  return 0;
}

void AddKeys(CLI::App& app, KeyConfig& wanted, std::function<int()>& action) {
  CLI::App* keys = app.add_subcommand("keys", "Keys of those who may use a server: keys new makes one");
  keys->require_subcommand(1);
  CLI::App* make = keys->add_subcommand("new", kNewKeyAbout);
  make->add_option("--tenant", wanted.tenant, "Who it belongs to")->required()->type_name("T");
  make->add_option("--routes", wanted.routes, "The routes it may use (default: all)")
      ->delimiter(',')
      ->type_name("A,B");
  make->add_option_function<std::string>(
          "--access", [&](const std::string& name) { wanted.access = AccessLevelNamed(name); },
          "What it may do: caller (default) asks, worker serves routes, admin looks after the server")
      ->check(CLI::IsMember(std::vector<std::string>(kAccessLevelNames.begin(), kAccessLevelNames.end())))
      ->type_name("ACCESS");
  make->add_option("--id", wanted.id, "What logs call it (default: the first 8 digits of its hash)")
      ->type_name("ID");
  make->callback([&] { action = [&] { return PrintNewKey(wanted); }; });
}

}  // namespace

int Main(int argc, char** argv) {
  CLI::App app(kAbout, "llm-router");
  app.set_version_flag("--version", LLM_ROUTER_VERSION);
  app.require_subcommand(1);
  std::function<int()> action;
  ServeArguments serve;
  SimulatorOptions simulator;
  KeyConfig key;
  AddServe(app, serve, action);
  AddSimulate(app, simulator, action);
  ProviderTest provider_test;
  AddProviders(app, serve, provider_test, action);
  ServeArguments shown;
  bool effective = false;
  AddConfig(app, shown, effective, action);
  AddKeys(app, key, action);
  cli::AddClientCommands(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 numbers its errors above 100; scripts expect 2 for a wrong command line.
    return app.exit(error) == 0 ? 0 : 2;
  }
  return action();
}

}  // namespace llm_router

int main(int argc, char** argv) { return llm_router::Main(argc, argv); }
