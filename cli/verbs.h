// The verbs. Each reads what it needs through the session and prints it; its error is a sentence for the user.
#pragma once

#include <ostream>

#include "base/context.h"
#include "cli/api_client.h"
#include "cli/arguments.h"

namespace keyturn {

// What the verbs that talk to a controller have at hand. Outlives the verb.
struct Session {
  const Arguments& arguments;
  ApiClient& api;
  Clock& clock;
  std::ostream& out;
  int& exit_code;  // 0, unless a verb that looks for something has found it

  ObjectKey key() const { return {ns(), arguments.name}; }
  std::string ns() const { return arguments.ns.empty() ? api.connection().ns : arguments.ns; }
  // The namespace of a list: empty with --all-namespaces.
  std::string scope() const { return arguments.all_namespaces ? std::string() : ns(); }
  // An error of a question about key(): the API's own messages are general, a person wants to read the name.
  Error about(const Error& error) const {
    if (error.code != Errc::NotFound) return error;
    return {error.code, "there is no rotation " + key().name + " in namespace " + key().ns + ": `keyturn status -A` lists all"};
  }
  Context context() const { return Context(clock, "keyturn").with_timeout(arguments.request_timeout); }
};

Task<> status(Session session);
Task<> plan(Session session);
Task<> history(Session session);
// Sets the exit code to 1 when a record is not as it was written.
Task<> verify(Session session);
// The same of objects in a file, without a controller: whoever does not trust that one still trusts this program. Gives the exit code.
// Errors: NotFound (no such file, nothing in it that was asked for), Invalid (no JSON of Kubernetes objects).
Result<int> verify_file(const Arguments& arguments, std::ostream& out);
// Until the output or the server's answers end for good. A stream that merely ended is started again.
Task<> watch(Session session);

void print_version(std::ostream& out);
// Which kubeconfig would be used, for `export KUBECONFIG=$(keyturn kubeconfig)`. Errors: NotFound when it does not exist.
Result<> print_kubeconfig(const Arguments& arguments, const Environment& environment, std::ostream& out);

}  // namespace keyturn
