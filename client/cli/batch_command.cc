// The flags of `batch`.
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "client/cli/batch.h"
#include "client/cli/batch_submit.h"
#include "client/cli/batch_watch.h"
#include "client/cli/command_line.h"
#include "client/cli/command_table.h"
#include "client/cli/interrupt.h"

namespace llm_router::cli {
namespace {

constexpr std::int64_t kMostAtOnce = 1'000'000;

void AddBatchOptions(CLI::App& command, client::BatchOptions& batch) {
  CLI::Option* text = command.add_flag("--text", batch.text, "Each line is a prompt, not a JSON object");
  AddRoute(command, batch.route, "For prompts, and for JSON lines whose body names no model");
  AddModelFlags(command, batch);
  for (const char* of_prompts : {"--model", "--system", "--temperature", "--max-tokens"}) {
    command.get_option(of_prompts)->needs(text);
  }
  command
      .add_option("--batch-size", batch.batch_size,
                  "Lines handed to the workers at a time, at most (default: what keeps them busy)")
      ->type_name("N")
      ->check(Between<std::int64_t>(1, kMostAtOnce));
  command
      .add_option("--concurrency", batch.concurrency,
                  "Lines at work at a time, at most (default: what the routes allow)")
      ->type_name("N")
      ->check(Between<std::int64_t>(1, kMostAtOnce));
  command
      .add_option_function<double>(
          "--window",
          [&batch](double hours) {
            batch.completion_window = std::chrono::seconds(static_cast<std::int64_t>(hours * 3'600));
          },
          "Hours: what is not finished then has expired (default 24)")
      ->type_name("H")
      ->check(Between(0.001, 168.0));
}

void AddSubmit(CLI::App& batch, Action& action) {
  CLI::App* command =
      AddCommand(batch, "submit", "Give a file of questions to the server and print the batch's id",
                 "  llm-router batch submit questions.jsonl --watch\n"
                 "  llm-router batch submit prompts.txt --text -r openai --concurrency 8\n");
  const auto options = std::make_shared<BatchSubmitOptions>();
  command
      ->add_option(
          "FILE", options->file,
          "JSON Lines as OpenAI's Batch API takes them, at most 50,000 or 200 MB (-: standard input)")
      ->type_name("")
      ->required();
  AddBatchOptions(*command, options->batch);
  command->add_flag("--watch", options->watch, "Follow it to its end");
  AddJson(*command, options->json, "Print a JSON object; with --watch at its end");
  AddServer(*command, options->server);
  command->footer(
      "A line: {\"custom_id\": \"1\", \"method\": \"POST\", \"url\": \"/v1/chat/completions\",\n"
      "         \"body\": {\"model\": \"gpt-4o-mini\", \"messages\": [{\"role\": \"user\", \"content\": "
      "\"Hi\"}]}}");
  command->callback([options, &action] {
    action = [options] {
      options->progress = ProgressForm();
      const client::Canceller canceller;
      const Interrupt interrupt([canceller] { canceller.Cancel(); });
      return RunBatchSubmit(*options, canceller, std::cin, std::cout, std::cerr);
    };
  });
}

void AddId(CLI::App& command, std::string& id) {
  command.add_option("ID", id, "The batch's id")->type_name("")->required();
}

void AddWatch(CLI::App& batch, Action& action) {
  CLI::App* command =
      AddCommand(batch, "watch", "Follow a batch to its end", "  llm-router batch watch ID\n");
  const auto options = std::make_shared<BatchWatchOptions>();
  AddId(*command, options->id);
  AddJson(*command, options->json, "Print a JSON object at its end");
  AddServer(*command, options->server);
  command->callback([options, &action] {
    action = [options] {
      options->progress = ProgressForm();
      const client::Canceller canceller;
      const Interrupt interrupt([canceller] { canceller.Cancel(); });
      return RunBatchWatch(*options, canceller, std::cout, std::cerr);
    };
  });
}

using RunOfId = int (*)(const BatchIdOptions&, std::ostream&, std::ostream&);

void AddOfId(CLI::App& batch, const std::string& name, const std::string& description, RunOfId run,
             Action& action) {
  CLI::App* command = AddCommand(batch, name, description, "  llm-router batch " + name + " ID\n");
  const auto options = std::make_shared<BatchIdOptions>();
  AddId(*command, options->id);
  AddJson(*command, options->json, "Print a JSON object");
  AddServer(*command, options->server);
  command->callback(
      [options, run, &action] { action = [options, run] { return run(*options, std::cout, std::cerr); }; });
}

void AddResults(CLI::App& batch, Action& action) {
  CLI::App* command = AddCommand(batch, "results", "Write the rows of the lines finished so far",
                                 "  llm-router batch results ID -o results.jsonl\n"
                                 "  llm-router batch results ID -o results.jsonl --errors errors.jsonl\n");
  const auto options = std::make_shared<BatchResultsOptions>();
  AddId(*command, options->id);
  command->add_option("-o,--output", options->output, "Where to (default -: standard output)")
      ->type_name("FILE");
  command->add_option("--errors", options->errors, "Where the lines without an answer go, instead")
      ->type_name("FILE");
  AddServer(*command, options->server);
  command->footer(
      "A row: {\"custom_id\", \"response\": {\"status_code\", \"body\"}, \"error\"}, as OpenAI writes them.");
  command->callback(
      [options, &action] { action = [options] { return RunBatchResults(*options, std::cout, std::cerr); }; });
}

void AddList(CLI::App& batch, Action& action) {
  CLI::App* command =
      AddCommand(batch, "list", "List batches, the newest first", "  llm-router batch list\n");
  const auto options = std::make_shared<BatchListOptions>();
  command->add_option("-n,--limit", options->most, "How many at most (default 20)")
      ->type_name("N")
      ->check(Between<std::int64_t>(1, 10'000));
  AddJson(*command, options->json, "Print a JSON array");
  AddServer(*command, options->server);
  command->callback(
      [options, &action] { action = [options] { return RunBatchList(*options, std::cout, std::cerr); }; });
}

}  // namespace

void AddBatch(CLI::App& app, Action& action) {
  CLI::App* batch = AddCommand(app, "batch", "Many questions with one progress, kept by the server",
                               "  llm-router batch submit questions.jsonl --watch\n"
                               "  llm-router batch results ID -o results.jsonl\n");
  batch->require_subcommand(1);
  AddSubmit(*batch, action);
  AddWatch(*batch, action);
  AddOfId(*batch, "status", "Show how far a batch is, and its bad lines", RunBatchStatus, action);
  AddResults(*batch, action);
  AddOfId(*batch, "cancel", "Cancel a batch: what is finished stays readable", RunBatchCancel, action);
  AddList(*batch, action);
}

}  // namespace llm_router::cli
