#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <map>

#include "api/patterns.h"

namespace keyturn {
namespace {

const std::map<std::string, Output>& outputs() {
  static const std::map<std::string, Output> words{{"table", Output::Table}, {"wide", Output::Wide}, {"json", Output::Json}};
  return words;
}

// kubectl finds plugins by file name: "kubectl-keyturn" is called as `kubectl keyturn`.
std::string program_name(std::string path) {
  const std::size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? std::move(path) : path.substr(slash + 1);
  return name == "kubectl-keyturn" ? "kubectl keyturn" : name;
}

void add_connection(CLI::App& verb, Arguments& arguments) {
  verb.add_option("--kubeconfig", arguments.kubeconfig,
                  "File with server, authority and token; otherwise $KEYTURN_KUBECONFIG, $KUBECONFIG, ~/.keyturn/kubeconfig");
}

void add_request(CLI::App& verb, Arguments& arguments) {
  add_connection(verb, arguments);
  verb.add_option("--context", arguments.context, "Context of the kubeconfig to use");
  verb.add_option("-s,--server", arguments.server, "Address of the controller, as in https://host:port");
  verb.add_option("--token-file", arguments.token_file, "File with the bearer token");
  verb.add_option("--certificate-authority", arguments.certificate_authority, "PEM file with the authority to believe");
  verb.add_option_function<std::string>(
          "--request-timeout",
          [&arguments](const std::string& text) {
            const std::optional<Duration> timeout = parse_duration(text);
            if (!timeout || *timeout <= Duration::zero()) throw CLI::ValidationError("--request-timeout", "needs a time, as in 15s");
            arguments.request_timeout = *timeout;
          },
          "How long one request may take, as in 15s")
      ->type_name("DURATION");
  verb.add_option("-n,--namespace", arguments.ns, "Namespace; otherwise the kubeconfig's");
}

void add_output(CLI::App& verb, Arguments& arguments) {
  verb.add_option_function<std::string>(
          "-o,--output", [&arguments](const std::string& text) { arguments.output = outputs().at(text); }, "table, wide or json")
      ->check(CLI::IsMember({"table", "wide", "json"}).description(""))
      ->type_name("FORMAT");
}

CLI::App& add_verb(CLI::App& app, Arguments& arguments, Verb verb, const std::string& name, const std::string& description) {
  CLI::App& added = *app.add_subcommand(name, description);
  added.callback([&arguments, verb] { arguments.verb = verb; });
  return added;
}

void add_verbs(CLI::App& app, Arguments& arguments) {
  CLI::App& status = add_verb(app, arguments, Verb::Status, "status", "Show where rotations stand");
  status.add_option("name", arguments.name, "A rotation; without it a table of all");
  status.add_flag("-A,--all-namespaces", arguments.all_namespaces, "All namespaces that you may read");
  CLI::App& plan = add_verb(app, arguments, Verb::Plan, "plan", "Show what the controller would do now, step by step; changes nothing");
  plan.add_option("name", arguments.name, "A rotation")->required();
  plan.add_option("--revision", arguments.revision, "As if the spec named this revision")->type_name("NAME");
  CLI::App& history = add_verb(app, arguments, Verb::History, "history", "Show what was done, with its evidence, newest first");
  history.add_option("name", arguments.name, "A rotation")->required();
  history.add_option("--limit", arguments.limit, "At most so many runs")->check(CLI::NonNegativeNumber);
  CLI::App& verify = add_verb(app, arguments, Verb::Verify, "verify", "Check that the records of finished runs are as they were written");
  verify.add_option("name", arguments.name, "A rotation; without it all of the namespace");
  verify.add_flag("-A,--all-namespaces", arguments.all_namespaces, "All namespaces that you may read");
  verify.add_option("--anchor", arguments.anchor, "Hash of a record that must be there, as noted when its run ended")->type_name("HASH");
  verify
      .add_option("--file", arguments.file,
                  "Verify here, without the controller, what `kubectl get rotationruns,secretrotations -A -o json` wrote")
      ->type_name("JSON");
  CLI::App& watch = add_verb(app, arguments, Verb::Watch, "watch", "Show what there is and then every change");
  watch.add_flag("-A,--all-namespaces", arguments.all_namespaces, "All namespaces that you may read");
  for (CLI::App* verb : {&status, &plan, &history, &verify, &watch}) {
    add_request(*verb, arguments);
    add_output(*verb, arguments);
  }
  add_verb(app, arguments, Verb::Version, "version", "Print the version of this program");
  add_connection(add_verb(app, arguments, Verb::Kubeconfig, "kubeconfig", "Print which kubeconfig would be used"), arguments);
}

// The library would say only that a verb is missing. No flag before the verb takes a value, so the first word is the verb.
bool is_unknown(CLI::App& app, std::string_view word) {
  if (word.starts_with('-')) return false;
  return app.get_subcommands([word](const CLI::App* verb) { return verb->get_name() == word; }).empty();
}

// What is wrong with the anchor; empty = nothing.
std::string mistake_of_verify(const Arguments& arguments) {
  if (arguments.anchor.empty()) return {};
  if (arguments.name.empty()) return "--anchor belongs to one rotation: name it";
  if (!api::pattern::matches(api::pattern::sha256, arguments.anchor)) return "--anchor needs sha256: and 64 hexadecimal digits";
  return {};
}

}  // namespace

std::optional<Arguments> parse_arguments(int argc, const char* const* argv, std::ostream& out, std::ostream& err, int& exit_code) {
  Arguments arguments;
  CLI::App app("Reads the state of secret rotations from a Keyturn controller. It changes nothing and prints no secret value.",
               program_name(argc > 0 ? argv[0] : "keyturn"));
  app.require_subcommand(1);
  add_verbs(app, arguments);
  if (argc > 1 && is_unknown(app, argv[1])) {
    err << "error: unknown command \"" << argv[1] << "\" for \"" << app.get_name() << "\"\nRun '" << app.get_name()
        << " --help' for the list of commands.\n";
    exit_code = 1;
    return std::nullopt;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    // Help is a ParseError, too, with exit code 0. Every mistake is 1, whatever number the library has for it.
    exit_code = app.exit(problem, out, err) == 0 ? 0 : 1;
    return std::nullopt;
  }
  if (arguments.all_namespaces && (!arguments.ns.empty() || !arguments.name.empty())) {
    err << "error: --all-namespaces goes neither with a name nor with --namespace\n";
    exit_code = 1;
    return std::nullopt;
  }
  if (const std::string mistake = mistake_of_verify(arguments); !mistake.empty()) {
    err << "error: " << mistake << '\n';
    exit_code = 1;
    return std::nullopt;
  }
  return arguments;
}

}  // namespace keyturn
